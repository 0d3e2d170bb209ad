//! From a buyer to the buyer's reservations: a hash table cut into slices, so that none ever grows all at once.

use siphasher::sip::SipHasher13;

use super::slice::{HASH_BITS, Slice};

/// The key of the hash of buyers: secret and random, so that nobody can choose buyer ids that collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashKey(pub [u64; 2]);

impl HashKey {
    pub(super) fn hash(self, buyer: &[u8]) -> u64 {
        let Self([a, b]) = self;
        SipHasher13::new_with_keys(a, b).hash(buyer)
    }
}

/// Entries that a slice is planned for. 512 buckets hold up to 448: at 400 on average, hardly a slice of a sold-out
/// sale outgrows them, and growing one moves only so few.
const SLICE_ENTRIES: u64 = 400;
/// Slices at most (1.5 MiB of empty ones): beyond 26 million reservations the slices themselves grow.
const SLICES_MAX: u64 = 1 << 16;

#[derive(Debug)]
pub(super) struct BuyerIndex {
    slices: Box<[Slice]>,
}

impl BuyerIndex {
    /// An index for about `entries` reservations.
    pub(super) fn new(entries: u64) -> Self {
        let slices = entries.div_ceil(SLICE_ENTRIES).clamp(1, SLICES_MAX);
        Self { slices: (0..slices).map(|_| Slice::default()).collect() }
    }

    /// The seqs whose buyer may have this hash.
    pub(super) fn candidates(&self, hash: u64) -> impl Iterator<Item = u64> + '_ {
        self.slices[self.slice(hash)].candidates(hash)
    }

    pub(super) fn insert(&mut self, hash: u64, seq: u64) {
        self.slices[self.slice(hash)].insert(hash, seq);
    }

    pub(super) fn remove(&mut self, hash: u64, seq: u64) {
        self.slices[self.slice(hash)].remove(hash, seq);
    }

    /// What the index takes from the allocator.
    pub(super) fn memory_bytes(&self) -> usize {
        let slices: usize = self.slices.iter().map(Slice::memory_bytes).sum();
        slices + size_of_val(&*self.slices)
    }

    pub(super) fn allocations(&self) -> usize {
        self.slices.len()
    }

    /// Spreads hashes evenly over any number of slices, by bits that the slices do not look at.
    fn slice(&self, hash: u64) -> usize {
        const _: () = assert!(HASH_BITS <= 32);
        let low = hash & 0xffff_ffff;
        ((low * self.slices.len() as u64) >> 32) as usize
    }
}
