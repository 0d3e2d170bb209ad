//! Holds that fall due. Every hold of a sale lasts equally long and its age never goes back, so holds fall due in the
//! order of their ids: the oldest one's end says whether any is due.

use std::collections::BTreeMap;

use crate::event::State;
use crate::limits::EXPIRY_SCAN_MAX;
use crate::memory::tree_bytes;
use crate::sale::Sale;

/// Seqs in a run. Where a run has one hold, the next may be so many seqs away.
const RUN_SEQS: u64 = 64;

/// Where the holds of a sale are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holds {
    /// How many there are in each run of [`RUN_SEQS`] seqs, by the run's number; a run without holds is not there.
    runs: BTreeMap<u64, u32>,
    oldest: Option<Oldest>,
}

#[derive(Debug, Clone, Copy)]
struct Oldest {
    id: u64,
    /// The age at which it ends.
    due_age_ms: u64,
}

impl Holds {
    /// There is a hold that is newer than all before.
    pub(crate) fn add(&mut self, id: u64, due_age_ms: u64) {
        *self.runs.entry(id / RUN_SEQS).or_insert(0) += 1;
        self.oldest.get_or_insert(Oldest { id, due_age_ms });
    }

    /// What the runs take from the allocator.
    pub(crate) fn memory_bytes(&self) -> usize {
        tree_bytes::<u64, u32>(self.runs.len())
    }
}

impl Sale {
    /// Whether any unit is in a hold.
    #[must_use]
    pub const fn has_holds(&self) -> bool {
        self.holds.oldest.is_some()
    }

    /// Whether there is a hold that ended at `now_ms` or before, and may expire, or whose time stands still until the sale
    /// has stepped back.
    #[must_use]
    pub fn has_due_holds(&self, now_ms: u64) -> bool {
        let stands_still = self.has_holds() && self.steps_back_to(now_ms).is_some();
        !self.is_fenced && (stands_still || self.is_any_due(self.now(now_ms)))
    }

    pub(crate) fn is_any_due(&self, now_ms: u64) -> bool {
        self.holds.oldest.is_some_and(|oldest| oldest.due_age_ms <= self.age(now_ms))
    }

    /// Holds that are due, oldest first, found by looking at no more than [`EXPIRY_SCAN_MAX`] seqs. Where any is due, the
    /// oldest is among them.
    pub(crate) fn due_holds(&self, now_ms: u64) -> impl Iterator<Item = u64> + '_ {
        let oldest = self.holds.oldest.filter(|oldest| oldest.due_age_ms <= self.age(now_ms));
        let scanned = oldest.into_iter().flat_map(|oldest| self.scan_for_holds(oldest.id)).take(EXPIRY_SCAN_MAX);
        let is_due = move |&id: &u64| self.reservation(id).is_some_and(|hold| hold.is_due(now_ms));
        scanned.filter(|&id| self.is_held(id)).take_while(is_due)
    }

    /// The hold `id` has ended.
    pub(crate) fn forget_hold(&mut self, id: u64) {
        let run = id / RUN_SEQS;
        if let Some(holds) = self.holds.runs.get_mut(&run) {
            *holds -= 1;
            if *holds == 0 {
                self.holds.runs.remove(&run);
            }
        }
        if self.holds.oldest.is_some_and(|oldest| oldest.id == id) {
            self.holds.oldest = self.oldest_hold(id);
        }
    }

    /// The oldest hold behind `id`, behind which all are.
    fn oldest_hold(&self, id: u64) -> Option<Oldest> {
        let id = self.scan_for_holds(id).find(|&id| self.is_held(id))?;
        let due_age_ms = self.reservations.get(id)?.made.expires_at_ms?;
        Some(Oldest { id, due_age_ms })
    }

    /// The seqs from `from` on that lie in runs with holds.
    fn scan_for_holds(&self, from: u64) -> impl Iterator<Item = u64> + '_ {
        let runs = self.holds.runs.range(from / RUN_SEQS..).map(|(run, _)| run * RUN_SEQS);
        runs.flat_map(move |first| first.max(from)..first + RUN_SEQS)
    }

    fn is_held(&self, id: u64) -> bool {
        self.reservations.state(id) == Some(State::Held)
    }
}
