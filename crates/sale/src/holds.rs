//! Where the holds of a sale are.

use std::collections::BTreeMap;

use crate::memory::tree_bytes;

/// Seqs in a run. Where a run has one hold, the next may be so many seqs away.
const RUN_SEQS: u64 = 64;

/// Where the holds of a sale are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holds {
    /// How many there are in each run of [`RUN_SEQS`] seqs, by the run's number; a run without holds is not there.
    runs: BTreeMap<u64, u32>,
    pub(crate) oldest: Option<Oldest>,
}

/// The oldest hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Oldest {
    pub(crate) id: u64,
    /// The age at which it ends.
    pub(crate) due_age_ms: u64,
}

impl Holds {
    /// There is a hold that is newer than all before.
    pub(crate) fn add(&mut self, id: u64, due_age_ms: u64) {
        *self.runs.entry(id / RUN_SEQS).or_insert(0) += 1;
        self.oldest.get_or_insert(Oldest { id, due_age_ms });
    }

    /// The hold `id` is none any more. Where it was the oldest, the caller finds the next one.
    pub(crate) fn remove(&mut self, id: u64) {
        let run = id / RUN_SEQS;
        if let Some(holds) = self.runs.get_mut(&run) {
            *holds -= 1;
            if *holds == 0 {
                self.runs.remove(&run);
            }
        }
    }

    /// The seqs from `from` on that lie in runs with holds.
    pub(crate) fn scan(&self, from: u64) -> impl Iterator<Item = u64> + '_ {
        let runs = self.runs.range(from / RUN_SEQS..).map(|(run, _)| run * RUN_SEQS);
        runs.flat_map(move |first| first.max(from)..first + RUN_SEQS)
    }

    /// What the runs take from the allocator.
    pub(crate) fn memory_bytes(&self) -> usize {
        tree_bytes::<u64, u32>(self.runs.len())
    }
}
