//! The pages of a sale, by seq. A tree rather than a list: seqs that made no reservation cost nothing, and no growth
//! moves more than a node.

use std::collections::BTreeMap;

use super::page::{PAGE_SEQS, Page};
use super::record;

/// By the page's number: its first seq divided by [`PAGE_SEQS`].
#[derive(Debug, Default)]
pub(super) struct Pages(BTreeMap<u64, Page>);

/// What the tree takes for each page, on average: its nodes have room for 11 and are half full when they were filled in
/// ascending order.
const NODE_BYTES_PER_PAGE: usize = 2 * (size_of::<u64>() + size_of::<Page>());

impl Pages {
    pub(super) fn get(&self, id: u64) -> Option<&Page> {
        self.0.get(&(id / PAGE_SEQS))
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Page> {
        self.0.get_mut(&(id / PAGE_SEQS))
    }

    /// The record of a reservation and those behind it.
    pub(super) fn record(&self, id: u64) -> Option<&[u8]> {
        self.get(id)?.bytes(id)
    }

    pub(super) fn buyer(&self, id: u64) -> Option<&[u8]> {
        self.record(id).map(record::buyer)
    }

    /// The page for a seq that is newer than all before.
    pub(super) fn newest(&mut self, id: u64) -> &mut Page {
        let number = id / PAGE_SEQS;
        let newest = self.0.last_key_value().map(|(number, _)| *number);
        let size = if newest == Some(number) { 0 } else { self.finish_newest() };
        self.0.entry(number).or_insert_with(|| Page::with_capacity(size))
    }

    pub(super) fn forget(&mut self, id: u64) {
        let Some(page) = self.get_mut(id) else { return };
        page.forget(id);
        if page.is_empty() {
            self.0.remove(&(id / PAGE_SEQS));
        }
    }

    /// Every page and its first seq.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Page)> {
        self.0.iter().map(|(number, page)| (number * PAGE_SEQS, page))
    }

    /// What the pages take from the allocator.
    pub(super) fn memory_bytes(&self) -> usize {
        self.0.values().map(|page| page.memory_bytes() + NODE_BYTES_PER_PAGE).sum()
    }

    /// A page is one buffer.
    pub(super) fn allocations(&self) -> usize {
        self.0.len()
    }

    /// No seq of the newest page can come any more. Its size is the best guess for the next one's.
    fn finish_newest(&mut self) -> usize {
        self.0.last_entry().map_or(0, |mut newest| newest.get_mut().finish())
    }
}
