//! Who was told of which reservation.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Reservations that somebody was told of. A buyer whose first answer was lost hears of the reservation in a repeat, with
/// another status: so it is the first to be told that counts, and not the status.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<BTreeSet<String>>);

impl Told {
    /// Whether nobody was told of the reservation of this id before.
    pub(super) fn is_first(&self, id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned())
    }
}
