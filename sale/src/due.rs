//! Holds that fall due. Every hold of a sale lasts equally long and its clock never goes back, so holds fall due in the
//! order of their ids: where the oldest one is known, one look at the clock says that none is due.

use std::ops::RangeInclusive;

use crate::event::{Change, Event, State};
use crate::limits::EXPIRY_SCAN_MAX;
use crate::sale::Sale;

/// The oldest hold of a sale, as far as it is known.
#[derive(Debug)]
pub(crate) struct OldestHold {
    /// No hold is older than this seq.
    pub(crate) from: u64,
    /// When the hold `from` falls due; none while it is not known whether there is one.
    pub(crate) due_ms: Option<u64>,
}

impl Sale {
    /// Whether there is a hold that ended at `now_ms` or before.
    #[must_use]
    pub fn has_due_holds(&self, now_ms: u64) -> bool {
        self.due_holds(self.now(now_ms), 1).next().is_some()
    }

    /// Holds that are due, oldest first, found by looking at no more than [`EXPIRY_SCAN_MAX`] seqs.
    pub(crate) fn due_holds(&self, now_ms: u64, holds_max: usize) -> impl Iterator<Item = u64> + '_ {
        let is_none_due = self.oldest_hold.due_ms.is_some_and(|due_ms| now_ms < due_ms);
        let scanned = (self.terms.hold_ms.is_some() && !is_none_due).then(|| self.scan_for_holds());
        let held = scanned.into_iter().flatten().filter(|&id| self.is_held(id));
        let is_due = move |&id: &u64| self.reservations.get(id).is_some_and(|hold| hold.is_due(now_ms));
        held.take_while(is_due).take(holds_max)
    }

    /// Finds the oldest hold after `event`, unless it is still the same. The search moves on with every event by more
    /// seqs than an event adds, so it never falls behind for long.
    pub(crate) fn find_oldest_hold(&mut self, event: &Event) {
        let is_newer = matches!(event.change, Change::Reserved(_));
        if self.terms.hold_ms.is_none() || is_newer && self.oldest_hold.due_ms.is_some() {
            return;
        }
        let mut scanned = self.scan_for_holds();
        let end = *scanned.end();
        let from = scanned.find(|&id| self.is_held(id)).unwrap_or(end);
        let hold = self.reservations.get(from).filter(|reservation| reservation.state == State::Held);
        self.oldest_hold = OldestHold { from, due_ms: hold.and_then(|hold| hold.expires_at_ms) };
    }

    /// Where to look for holds, oldest first, and no further than a command may.
    fn scan_for_holds(&self) -> RangeInclusive<u64> {
        let OldestHold { from, .. } = self.oldest_hold;
        from..=self.seq.min(from.saturating_add(EXPIRY_SCAN_MAX as u64))
    }

    fn is_held(&self, id: u64) -> bool {
        self.reservations.state(id) == Some(State::Held)
    }
}
