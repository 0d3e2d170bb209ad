//! One slice of the index: a hash table of single words, with linear probing from line to line of the cache. What a
//! look-up reads is where an entry will be added: a reservation waits for memory once, not twice.

use crate::limits::SEQ_MAX;
use crate::memory::Mover;

/// Bits of the hash that an entry keeps beside its seq. With the hash at hand, a slice grows without a look at the
/// reservations, and a look-up reads those of other buyers hardly ever.
pub(super) const HASH_BITS: u32 = u64::BITS - SEQ_BITS;
const SEQ_BITS: u32 = 40;
const _: () = assert!(SEQ_MAX < 1 << SEQ_BITS);

/// Buckets in a line of the cache, at whose first one a look-up begins.
const LINE_BUCKETS: usize = 8;

/// The highest bits of a buyer's hash and a seq, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry(u64);

impl Entry {
    /// No seq is 0.
    const EMPTY: Self = Self(0);

    const fn new(hash: u64, seq: u64) -> Self {
        Self(hash >> SEQ_BITS << SEQ_BITS | seq)
    }

    const fn seq(self) -> u64 {
        self.0 & SEQ_MAX
    }

    const fn has_hash(self, hash: u64) -> bool {
        self.0 >> SEQ_BITS == hash >> SEQ_BITS
    }

    fn is_empty(self) -> bool {
        self == Self::EMPTY
    }
}

/// A power of two of buckets, or none, which is what the allocator gives for them too. An entry is in the line that
/// its hash says, or after it, with no empty bucket between.
#[derive(Debug, Default)]
pub(super) struct Slice {
    buckets: Box<[Entry]>,
    entries: usize,
}

impl Slice {
    /// The seqs whose hash may be this one.
    pub(super) fn candidates(&self, hash: u64) -> impl Iterator<Item = u64> + '_ {
        self.run(hash).map(|at| self.buckets[at]).filter(move |entry| entry.has_hash(hash)).map(Entry::seq)
    }

    /// Every seq, in no particular order.
    pub(super) fn seqs(&self) -> impl Iterator<Item = u64> + '_ {
        self.buckets.iter().filter(|entry| !entry.is_empty()).map(|entry| entry.seq())
    }

    pub(super) const fn entries(&self) -> usize {
        self.entries
    }

    /// Makes room for one more; gives how many bytes more the slice takes then.
    pub(super) fn grow_if_full(&mut self) -> usize {
        if (self.entries + 1) * 8 <= self.buckets.len() * 7 {
            return 0;
        }
        let before = self.memory_bytes();
        self.grow();
        self.memory_bytes() - before
    }

    /// What the slice takes from the allocator.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.buckets)
    }

    /// Adds an entry, for which there is room.
    pub(super) fn insert(&mut self, hash: u64, seq: u64) {
        self.place(Entry::new(hash, seq));
        self.entries += 1;
    }

    pub(super) fn remove(&mut self, hash: u64, seq: u64) {
        let entry = Entry::new(hash, seq);
        let Some(mut hole) = self.run(hash).find(|&at| self.buckets[at] == entry) else { return };
        // Entries after the hole move up, unless that were before the line that their hash says.
        let mut at = self.after(hole, 1);
        while !self.buckets[at].is_empty() {
            let first = self.first_bucket(self.buckets[at].0);
            if self.distance(first, at) >= self.distance(hole, at) {
                self.buckets[hole] = self.buckets[at];
                hole = at;
            }
            at = self.after(at, 1);
        }
        self.buckets[hole] = Entry::EMPTY;
        self.entries -= 1;
    }

    pub(super) fn defrag(&mut self, mover: &mut impl Mover) {
        self.buckets = mover.moved(std::mem::take(&mut self.buckets).into_vec()).into();
    }

    fn grow(&mut self) {
        let buckets = (self.buckets.len() * 2).max(LINE_BUCKETS);
        let old = std::mem::replace(&mut self.buckets, vec![Entry::EMPTY; buckets].into());
        old.iter().filter(|entry| !entry.is_empty()).for_each(|entry| self.place(*entry));
    }

    fn place(&mut self, entry: Entry) {
        let mut at = self.first_bucket(entry.0);
        while !self.buckets[at].is_empty() {
            at = self.after(at, 1);
        }
        self.buckets[at] = entry;
    }

    /// The buckets from the line that the hash says to the last before an empty one.
    fn run(&self, hash: u64) -> impl Iterator<Item = usize> + '_ {
        let first = self.first_bucket(hash);
        let buckets = (0..self.buckets.len()).map(move |step| self.after(first, step));
        buckets.take_while(|&at| !self.buckets[at].is_empty())
    }

    fn first_bucket(&self, hash: u64) -> usize {
        self.after(0, (hash >> SEQ_BITS) as usize * LINE_BUCKETS)
    }

    fn after(&self, at: usize, steps: usize) -> usize {
        (at + steps) & self.buckets.len().wrapping_sub(1)
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & self.buckets.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Few hashes, so that runs are long, meet, and wrap round the end.
        #[test]
        fn a_slice_finds_what_was_added_and_not_removed(
            steps in prop::collection::vec((0..40u64, 1..60u64, prop::bool::weighted(0.7)), 0..400),
        ) {
            let (mut slice, mut entries) = (Slice::default(), std::collections::BTreeSet::new());
            for (hash, seq, adds) in steps {
                let hash = hash << SEQ_BITS;
                if adds && entries.insert((hash, seq)) {
                    let before = slice.buckets.len();
                    prop_assert_eq!(slice.grow_if_full(), (slice.buckets.len() - before) * size_of::<Entry>());
                    slice.insert(hash, seq);
                } else if !adds {
                    entries.remove(&(hash, seq));
                    slice.remove(hash, seq);
                }
                prop_assert_eq!(slice.entries, entries.len());
            }
            let mut seqs: Vec<u64> = slice.seqs().collect();
            seqs.sort_unstable();
            let mut added: Vec<u64> = entries.iter().map(|(_, seq)| *seq).collect();
            added.sort_unstable();
            prop_assert_eq!(seqs, added);
            for hash in (0..40).map(|hash| hash << SEQ_BITS) {
                let mut found: Vec<u64> = slice.candidates(hash).collect();
                found.sort_unstable();
                let added = entries.iter().filter(|(of, _)| *of == hash).map(|(_, seq)| *seq);
                prop_assert_eq!(found, added.collect::<Vec<_>>());
            }
        }
    }
}
