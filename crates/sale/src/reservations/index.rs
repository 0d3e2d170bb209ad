//! From a buyer to the buyer's reservations: a hash table cut into slices, so that none ever grows all at once.

use siphasher::sip::SipHasher13;

use super::slice::{HASH_BITS, Slice};
use crate::memory::{Mover, PIECES_PER_STEP};

/// The key of the hash of buyers: secret and random, so that no client can choose buyer ids that collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashKey(pub [u64; 2]);

impl HashKey {
    /// What a buyer is found by.
    pub(super) fn hash(self, buyer: &[u8]) -> u64 {
        SipHasher13::new_with_keys(self.0[0], self.0[1]).hash(buyer)
    }
}

/// Entries that a slice is planned for. 512 buckets hold up to 448: at 400 on average, hardly a slice of a sold-out
/// sale outgrows them. Slices of a large sale are planned for this many, doubled as often as it takes.
const SLICE_ENTRIES: u64 = 400;
/// Slices at most (48 KiB of empty ones). To double a slice moves 3,600 entries in a sale of ten million, 57,000 in one
/// of a hundred million: microseconds.
const SLICES_MAX: u64 = 2_048;
/// Slices at least, for a small sale may be restocked: in one that has grown to ten million, to double a slice moves
/// 57,000 entries.
const SLICES_MIN: u64 = 128;
/// Entries that are there before the one slice of a new index is cut into those that are planned. How many are planned
/// is what somebody says; these have come.
const UNCUT_ENTRIES_MAX: usize = 448;

#[derive(Debug)]
pub(super) struct BuyerIndex {
    slices: Box<[Slice]>,
    slices_planned: u64,
    /// What the slices take, without their headers.
    bucket_bytes: usize,
}

impl BuyerIndex {
    /// An index planned for about `entries` reservations.
    pub(super) fn new(entries: u64) -> Self {
        let mut slice_entries = SLICE_ENTRIES;
        while entries > slice_entries * SLICES_MAX {
            slice_entries *= 2;
        }
        let slices = entries.div_ceil(slice_entries).max(SLICES_MIN);
        Self { slices: empty_slices(1), slices_planned: slices, bucket_bytes: 0 }
    }

    /// The seqs whose buyer may have this hash.
    pub(super) fn candidates(&self, hash: u64) -> impl Iterator<Item = u64> + '_ {
        self.slices[self.slice(hash)].candidates(hash)
    }

    /// Adds an entry. `hash_of` gives the hash of an earlier one by its seq.
    pub(super) fn insert(&mut self, hash: u64, seq: u64, hash_of: impl Fn(u64) -> u64) {
        if (self.slices.len() as u64) < self.slices_planned && self.slices[0].entries() >= UNCUT_ENTRIES_MAX {
            self.cut(hash_of);
        }
        self.put(hash, seq);
    }

    pub(super) fn remove(&mut self, hash: u64, seq: u64) {
        self.slices[self.slice(hash)].remove(hash, seq);
    }

    /// What the index takes from the allocator.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.slices) + self.bucket_bytes
    }

    pub(super) fn allocations(&self) -> usize {
        self.slices.len() + 1
    }

    /// Moves some slices, from the one numbered `from` on; gives the next one's number, if there is one.
    pub(super) fn defrag(&mut self, from: usize, mover: &mut impl Mover) -> Option<usize> {
        if from == 0 {
            self.slices = mover.moved(std::mem::take(&mut self.slices).into_vec()).into();
        }
        let until = from.saturating_add(PIECES_PER_STEP).min(self.slices.len());
        self.slices.get_mut(from..until)?.iter_mut().for_each(|slice| slice.defrag(mover));
        (until < self.slices.len()).then_some(until)
    }

    /// Cuts the one slice into those that are planned: once, and of so few entries that it takes microseconds.
    fn cut(&mut self, hash_of: impl Fn(u64) -> u64) {
        let uncut = std::mem::replace(&mut self.slices, empty_slices(self.slices_planned));
        self.bucket_bytes = 0;
        uncut.iter().flat_map(Slice::seqs).for_each(|seq| self.put(hash_of(seq), seq));
    }

    fn put(&mut self, hash: u64, seq: u64) {
        let slice = &mut self.slices[self.slice(hash)];
        self.bucket_bytes += slice.grow_if_full();
        slice.insert(hash, seq);
    }

    /// Spreads hashes evenly over any number of slices, by bits that the slices do not look at.
    fn slice(&self, hash: u64) -> usize {
        const _: () = assert!(HASH_BITS <= 32);
        let low = hash & 0xffff_ffff;
        ((low * self.slices.len() as u64) >> 32) as usize
    }
}

fn empty_slices(count: u64) -> Box<[Slice]> {
    (0..count).map(|_| Slice::default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash of the entry `seq`.
    const fn hash(seq: u64) -> u64 {
        seq.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn index(planned: u64, entries: u64) -> BuyerIndex {
        let mut index = BuyerIndex::new(planned);
        (1..=entries).for_each(|seq| index.insert(hash(seq), seq, hash));
        index
    }

    #[test]
    fn every_entry_is_found_however_many_were_planned() {
        for planned in [1, 1_000, 100_000, 64_000_000_000] {
            let mut index = index(planned, 5_000);
            let is_found = |index: &BuyerIndex, seq: u64| index.candidates(hash(seq)).any(|found| found == seq);
            assert!((1..=5_000).all(|seq| is_found(&index, seq)));
            (1..=2_500).for_each(|seq| index.remove(hash(seq), seq));
            assert!((1..=2_500).all(|seq| !is_found(&index, seq)) && (2_501..=5_000).all(|seq| is_found(&index, seq)));
        }
    }

    #[test]
    fn what_the_index_takes_is_known_without_counting() {
        for (planned, entries) in [(1, 10_000), (5_000, 448), (5_000, 449), (1_000_000, 100_000)] {
            let index = index(planned, entries);
            let counted: usize = index.slices.iter().map(Slice::memory_bytes).sum();
            assert_eq!(index.bucket_bytes, counted);
        }
    }

    #[test]
    fn a_plan_takes_nothing_before_its_entries_come() {
        let bytes = |planned, entries| index(planned, entries).memory_bytes();
        assert!(bytes(64_000_000_000, 0) < 100);
        assert_eq!(bytes(64_000_000_000, 448), bytes(448, 448));
        assert!(bytes(64_000_000_000, 449) < 200 * 449);
    }
}
