//! From a buyer to the buyer's reservations: a hash table cut into slices, so that none ever grows all at once.

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

use crate::limits::SEQ_MAX;

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
/// Slices at most (2 MiB of empty tables): beyond 26 million reservations the slices themselves grow.
const SLICES_MAX: u64 = 1 << 16;

/// A seq in five bytes instead of eight: a third of the index's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShortSeq([u8; 5]);

const _: () = assert!(SEQ_MAX < 1 << 40);

impl ShortSeq {
    pub(super) const fn new(seq: u64) -> Self {
        let [a, b, c, d, e, ..] = seq.to_le_bytes();
        Self([a, b, c, d, e])
    }

    pub(super) const fn get(self) -> u64 {
        let [a, b, c, d, e] = self.0;
        u64::from_le_bytes([a, b, c, d, e, 0, 0, 0])
    }
}

#[derive(Debug)]
pub(super) struct BuyerIndex {
    slices: Box<[HashTable<ShortSeq>]>,
}

impl BuyerIndex {
    /// An index for about `entries` reservations.
    pub(super) fn new(entries: u64) -> Self {
        let slices = entries.div_ceil(SLICE_ENTRIES).clamp(1, SLICES_MAX);
        Self { slices: (0..slices).map(|_| HashTable::new()).collect() }
    }

    /// The seqs whose buyer may have this hash.
    pub(super) fn candidates(&self, hash: u64) -> impl Iterator<Item = u64> + '_ {
        self.slices[self.slice(hash)].iter_hash(hash).map(|seq| seq.get())
    }

    /// Adds a seq; `hash_of` gives the hash of the buyer of one that is there already.
    pub(super) fn insert(&mut self, hash: u64, seq: u64, hash_of: impl Fn(u64) -> u64) {
        let slice = self.slice(hash);
        self.slices[slice].insert_unique(hash, ShortSeq::new(seq), |seq| hash_of(seq.get()));
    }

    pub(super) fn remove(&mut self, hash: u64, seq: u64) {
        let slice = self.slice(hash);
        if let Ok(entry) = self.slices[slice].find_entry(hash, |entry| entry.get() == seq) {
            entry.remove();
        }
    }

    /// What the index takes from the allocator.
    pub(super) fn memory_bytes(&self) -> usize {
        let tables: usize = self.slices.iter().map(HashTable::allocation_size).sum();
        tables + size_of_val(&*self.slices)
    }

    pub(super) fn allocations(&self) -> usize {
        self.slices.len()
    }

    /// Spreads hashes evenly over any number of slices. It looks at other bits than the table inside the slice does.
    fn slice(&self, hash: u64) -> usize {
        let bits = (hash >> 16) & 0xffff_ffff;
        ((bits * self.slices.len() as u64) >> 32) as usize
    }
}
