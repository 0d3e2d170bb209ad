//! Holds that fall due. Every hold of a sale lasts equally long and its age never goes back, so holds fall due in the
//! order of their ids: the oldest one's end says whether any is due.

use crate::event::State;
use crate::holds::Oldest;
use crate::limits::EXPIRY_SCAN_MAX;
use crate::sale::Sale;

impl Sale {
    /// Whether any unit is in a hold.
    #[must_use]
    pub const fn has_holds(&self) -> bool {
        self.holds.oldest.is_some()
    }

    /// Whether there is a hold that ended at `now_ms` or before, and may expire, or whose time waits until the
    /// sale has stepped back.
    #[must_use]
    pub fn has_due_holds(&self, now_ms: u64) -> bool {
        let waits = self.has_holds() && self.steps_back_to(now_ms).is_some();
        !self.is_fenced && (waits || self.is_any_due(self.now(now_ms)))
    }

    pub(crate) fn is_any_due(&self, now_ms: u64) -> bool {
        self.holds.oldest.is_some_and(|oldest| oldest.due_age_ms <= self.age(now_ms))
    }

    /// Holds that are due, oldest first, found by looking at no more than [`EXPIRY_SCAN_MAX`] seqs. Where any is due,
    /// the oldest is among them.
    pub(crate) fn due_holds(&self, now_ms: u64) -> impl Iterator<Item = u64> + '_ {
        let oldest = self.holds.oldest.filter(|oldest| oldest.due_age_ms <= self.age(now_ms));
        let scanned = oldest.into_iter().flat_map(|oldest| self.holds.scan(oldest.id)).take(EXPIRY_SCAN_MAX);
        let is_due = move |&id: &u64| self.reservation(id).is_some_and(|hold| hold.is_due(now_ms));
        scanned.filter(|&id| self.is_held(id)).take_while(is_due)
    }

    /// The hold `id` has ended.
    pub(crate) fn forget_hold(&mut self, id: u64) {
        self.holds.remove(id);
        if self.holds.oldest.is_some_and(|oldest| oldest.id == id) {
            self.holds.oldest = self.oldest_hold(id);
        }
    }

    /// The oldest hold after `id`; all holds are after `id`.
    fn oldest_hold(&self, id: u64) -> Option<Oldest> {
        let id = self.holds.scan(id).find(|&id| self.is_held(id))?;
        let due_age_ms = self.reservations.get(id)?.made.expires_at_ms?;
        Some(Oldest { id, due_age_ms })
    }

    fn is_held(&self, id: u64) -> bool {
        self.reservations.state(id) == Some(State::Held)
    }
}
