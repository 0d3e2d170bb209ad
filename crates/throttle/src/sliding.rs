//! The sliding window, exact: a log of what was taken when. What was taken in the same millisecond comes back in the
//! same millisecond, so the log has one entry for both, and a window of few milliseconds or few units has few entries
//! ([`SLIDING_MOMENTS_MAX`](crate::limits::SLIDING_MOMENTS_MAX)). Entries hold running totals: to find any moment is a
//! binary search.

use std::collections::VecDeque;

use flash_sale::Mover;

use crate::strategy::Strategy;

/// A millisecond in which something was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    at_ms: u64,
    /// Units ever taken, up to the end of this millisecond. It may wrap around: only differences are looked at, and
    /// they are within the limit.
    taken: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Log {
    window_ms: u64,
    /// The oldest first. Those that were out of the window at the newest taking are gone.
    moments: VecDeque<Moment>,
    /// Units ever taken before the oldest moment.
    forgotten: u64,
}

impl Log {
    pub(crate) const fn new(window_ms: u64) -> Self {
        Self { window_ms, moments: VecDeque::new(), forgotten: 0 }
    }

    /// When how many units were taken, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        let before = std::iter::once(self.forgotten).chain(self.moments.iter().map(|moment| moment.taken));
        self.moments.iter().zip(before).map(|(moment, before)| (moment.at_ms, moment.taken.wrapping_sub(before)))
    }

    pub(crate) const fn window_ms(&self) -> u64 {
        self.window_ms
    }

    pub(crate) fn len(&self) -> usize {
        self.moments.len()
    }

    /// What the log takes from the allocator.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.moments.capacity() * size_of::<Moment>()
    }

    /// Lets the log be moved to a better place.
    pub(crate) fn defrag(&mut self, mover: &mut impl Mover) {
        let moments = Vec::from(std::mem::take(&mut self.moments));
        self.moments = mover.moved(moments).into();
    }

    /// Units ever taken.
    fn taken(&self) -> u64 {
        self.moments.back().map_or(self.forgotten, |newest| newest.taken)
    }

    /// How many moments are out of the window.
    fn gone(&self, now_ms: u64) -> usize {
        self.moments.partition_point(|moment| moment.at_ms + self.window_ms <= now_ms)
    }

    /// Units ever taken up to the end of the first `count` moments.
    fn taken_in_first(&self, count: usize) -> u64 {
        let last = count.checked_sub(1).and_then(|last| self.moments.get(last));
        last.map_or(self.forgotten, |moment| moment.taken)
    }

    /// Drops what is out of the window, and gives memory back that a burst has left.
    fn forget(&mut self, now_ms: u64) {
        let gone = self.gone(now_ms);
        self.forgotten = self.taken_in_first(gone);
        self.moments.drain(..gone);
        if self.moments.len() < self.moments.capacity() / 4 {
            self.moments.shrink_to(self.moments.len() * 2);
        }
    }
}

impl Strategy for Log {
    fn used(&self, now_ms: u64) -> u64 {
        self.taken().wrapping_sub(self.taken_in_first(self.gone(now_ms)))
    }

    fn when_used_at_most(&self, units: u64) -> u64 {
        let Some(newest) = self.moments.back() else { return 0 };
        let taken = self.taken();
        if taken.wrapping_sub(self.forgotten) <= units {
            return newest.at_ms;
        }
        // The first moment after which few enough were taken: when it leaves the window, only those are left.
        let leaving = self.moments.partition_point(|moment| taken.wrapping_sub(moment.taken) > units);
        self.moments.get(leaving).unwrap_or(newest).at_ms + self.window_ms
    }

    fn take(&mut self, now_ms: u64, units: u64) {
        self.forget(now_ms);
        let taken = self.taken().wrapping_add(units);
        match self.moments.back_mut().filter(|newest| newest.at_ms == now_ms) {
            Some(newest) => newest.taken = taken,
            None => self.moments.push_back(Moment { at_ms: now_ms, taken }),
        }
    }
}

/// Logs are equal that say the same, wherever they began to count.
impl PartialEq for Log {
    fn eq(&self, other: &Self) -> bool {
        self.window_ms == other.window_ms && self.iter().eq(other.iter())
    }
}

impl Eq for Log {}
