//! A page holds the records of a run of seqs, one after the other. Pages never move and never rehash, so that a sale
//! grows in slices however large it gets.

use super::record::{self, FINGERPRINT_BYTES, Reservation};
use crate::bytes::Malformed;
use crate::details::KEPT_BYTES_MAX;
use crate::event::{Reserved, State};
use crate::limits::{BUYER_BYTES_MAX, SKUS_MAX};
use crate::memory::{Mover, allocated};

/// Seqs in a page: few enough that a page is always below 64 KiB, which lets two bytes say where a record begins.
pub(super) const PAGE_SEQS: u64 = PAGE_RECORDS as u64;
const PAGE_RECORDS: usize = 64;

const RECORD_BYTES_MAX: usize = 14 + BUYER_BYTES_MAX + KEPT_BYTES_MAX + SKUS_MAX * 6 + FINGERPRINT_BYTES;
const _: () = assert!(STARTS_BYTES + PAGE_RECORDS * RECORD_BYTES_MAX < u16::MAX as usize);

/// The front of a page says where each seq's record begins.
const STARTS_BYTES: usize = PAGE_RECORDS * START_BYTES;
const START_BYTES: usize = size_of::<u16>();
/// The start of a seq that made no reservation, or whose reservation is forgotten.
const NOWHERE: usize = 0;

/// One piece of memory, for what is near costs little to look at next.
#[derive(Debug)]
pub(super) struct Page {
    bytes: Vec<u8>,
    records: u32,
    forgotten_bytes: usize,
}

impl Page {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        let mut page = Self { bytes: Vec::with_capacity(bytes.max(STARTS_BYTES)), records: 0, forgotten_bytes: 0 };
        page.bytes.resize(STARTS_BYTES, 0);
        page
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// What the page takes from the allocator.
    pub(super) const fn memory_bytes(&self) -> usize {
        allocated(self.bytes.capacity())
    }

    pub(super) fn defrag(&mut self, mover: &mut impl Mover) {
        self.bytes = mover.moved(std::mem::take(&mut self.bytes));
    }

    /// Gives back what the page did not need, once no seq of it can come any more; says what it did need.
    pub(super) fn finish(&mut self) -> usize {
        self.bytes.shrink_to_fit();
        self.bytes.len()
    }

    pub(super) fn push(&mut self, id: u64, reserved: &Reserved, fingerprint: Option<u32>) {
        let start = self.bytes.len();
        record::put(&mut self.bytes, reserved, fingerprint);
        self.place(id, start);
    }

    /// Takes a record out of a snapshot; gives its length.
    pub(super) fn push_record(&mut self, id: u64, bytes: &[u8]) -> Result<usize, Malformed> {
        let (_, length) = record::read(id, bytes)?;
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..length]);
        self.place(id, start);
        Ok(length)
    }

    /// The record's bytes, and those of the records after it.
    pub(super) fn bytes(&self, id: u64) -> Option<&[u8]> {
        self.start(id).map(|start| &self.bytes[start..])
    }

    pub(super) fn get(&self, id: u64) -> Option<Reservation<'_>> {
        self.bytes(id).map(|bytes| record::get(id, bytes))
    }

    pub(super) fn set_state(&mut self, id: u64, state: State) {
        if let Some(start) = self.start(id) {
            record::set_state(&mut self.bytes[start..], state);
        }
    }

    pub(super) fn forget(&mut self, id: u64) {
        let Some(length) = self.length(id) else { return };
        self.set_start(id, NOWHERE);
        self.records -= 1;
        self.forgotten_bytes += length;
        if self.forgotten_bytes * 2 > self.bytes.len() {
            self.pack();
        }
    }

    fn length(&self, id: u64) -> Option<usize> {
        record::read(id, self.bytes(id)?).ok().map(|(_, length)| length)
    }

    /// Moves the records that are left together.
    fn pack(&mut self) {
        let mut packed = Self::with_capacity(self.bytes.len() - self.forgotten_bytes);
        for id in 0..PAGE_SEQS {
            if let (Some(bytes), Some(length)) = (self.bytes(id), self.length(id)) {
                let start = packed.bytes.len();
                packed.bytes.extend_from_slice(&bytes[..length]);
                packed.place(id, start);
            }
        }
        *self = packed;
    }

    fn place(&mut self, id: u64, start: usize) {
        self.set_start(id, start);
        self.records += 1;
    }

    fn start(&self, id: u64) -> Option<usize> {
        let at = slot(id) * START_BYTES;
        let start = usize::from(u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]]));
        (start != NOWHERE).then_some(start)
    }

    fn set_start(&mut self, id: u64, start: usize) {
        let start = u16::try_from(start).expect("a page is below 64 KiB");
        let at = slot(id) * START_BYTES;
        self.bytes[at..at + START_BYTES].copy_from_slice(&start.to_le_bytes());
    }
}

const fn slot(id: u64) -> usize {
    (id % PAGE_SEQS) as usize
}
