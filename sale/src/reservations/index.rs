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

/// A seq and 24 bits of its buyer's hash in one word. With the hash at hand, a slice grows without a look at the
/// reservations, and a look-up reads those of other buyers hardly ever.
#[derive(Debug, Clone, Copy)]
struct Entry(u64);

const SEQ_BITS: u32 = 40;
const _: () = assert!(SEQ_MAX < 1 << SEQ_BITS);

impl Entry {
    const fn new(hash: u64, seq: u64) -> Self {
        Self(hash >> SEQ_BITS << SEQ_BITS | seq)
    }

    const fn seq(self) -> u64 {
        self.0 & SEQ_MAX
    }

    const fn has_hash(self, hash: u64) -> bool {
        self.0 >> SEQ_BITS == hash >> SEQ_BITS
    }

    const fn table_hash(self) -> u64 {
        table_hash(self.0)
    }
}

/// What the slice's table takes for the hash: it looks at the lowest bits and at the highest, of which an entry keeps
/// only the latter.
const fn table_hash(hash: u64) -> u64 {
    let kept = hash >> SEQ_BITS;
    kept << SEQ_BITS | kept
}

#[derive(Debug)]
pub(super) struct BuyerIndex {
    slices: Box<[HashTable<Entry>]>,
}

impl BuyerIndex {
    /// An index for about `entries` reservations.
    pub(super) fn new(entries: u64) -> Self {
        let slices = entries.div_ceil(SLICE_ENTRIES).clamp(1, SLICES_MAX);
        Self { slices: (0..slices).map(|_| HashTable::new()).collect() }
    }

    /// The seqs whose buyer may have this hash.
    pub(super) fn candidates(&self, hash: u64) -> impl Iterator<Item = u64> + '_ {
        let entries = self.slices[self.slice(hash)].iter_hash(table_hash(hash));
        entries.filter(move |entry| entry.has_hash(hash)).map(|entry| entry.seq())
    }

    pub(super) fn insert(&mut self, hash: u64, seq: u64) {
        let slice = self.slice(hash);
        self.slices[slice].insert_unique(table_hash(hash), Entry::new(hash, seq), |entry| entry.table_hash());
    }

    pub(super) fn remove(&mut self, hash: u64, seq: u64) {
        let slice = self.slice(hash);
        if let Ok(entry) = self.slices[slice].find_entry(table_hash(hash), |entry| entry.seq() == seq) {
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

    /// Spreads hashes evenly over any number of slices, by bits that the tables do not look at.
    fn slice(&self, hash: u64) -> usize {
        let low = hash & 0xffff_ffff;
        ((low * self.slices.len() as u64) >> 32) as usize
    }
}
