//! Which reservations an answer has contained.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Reservations that an answer contained. A buyer whose first answer was lost gets the reservation in a repeat, with
/// another status: so the first answer counts, and not the status.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<BTreeSet<String>>);

impl Told {
    /// Whether no earlier answer contained the reservation of this id.
    pub(super) fn is_first(&self, id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned())
    }
}
