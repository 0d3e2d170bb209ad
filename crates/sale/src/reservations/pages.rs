//! The pages of a sale, by seq. A tree rather than a list: seqs that made no reservation cost nothing, and no growth
//! moves more than a node.

use std::collections::BTreeMap;

use super::page::{PAGE_SEQS, Page};
use super::record;
use crate::bytes::Malformed;
use crate::event::{Reserved, State};
use crate::memory::{Mover, PIECES_PER_STEP, tree_bytes};

/// By the page's number: its first seq divided by [`PAGE_SEQS`].
#[derive(Debug, Default)]
pub(super) struct Pages {
    tree: BTreeMap<u64, Page>,
    /// What the pages take, without the tree's nodes.
    page_bytes: usize,
}

impl Pages {
    pub(super) fn get(&self, id: u64) -> Option<&Page> {
        self.tree.get(&(id / PAGE_SEQS))
    }

    /// The record of a reservation and those after it.
    pub(super) fn record(&self, id: u64) -> Option<&[u8]> {
        self.get(id)?.bytes(id)
    }

    pub(super) fn buyer(&self, id: u64) -> Option<&[u8]> {
        self.record(id).map(record::buyer)
    }

    /// Adds a reservation whose id is newer than all before.
    pub(super) fn push(&mut self, id: u64, reserved: &Reserved, fingerprint: Option<u32>) {
        self.change_newest(id, |page| page.push(id, reserved, fingerprint));
    }

    /// Adds a record out of a snapshot, newer than all before; gives its length.
    pub(super) fn push_record(&mut self, id: u64, bytes: &[u8]) -> Result<usize, Malformed> {
        self.change_newest(id, |page| page.push_record(id, bytes))
    }

    pub(super) fn set_state(&mut self, id: u64, state: State) {
        if let Some(page) = self.tree.get_mut(&(id / PAGE_SEQS)) {
            page.set_state(id, state);
        }
    }

    pub(super) fn forget(&mut self, id: u64) {
        let number = id / PAGE_SEQS;
        let Some(page) = self.tree.get_mut(&number) else { return };
        self.page_bytes -= page.memory_bytes();
        page.forget(id);
        if page.is_empty() {
            self.tree.remove(&number);
        } else {
            self.page_bytes += page.memory_bytes();
        }
    }

    /// Every page that may hold `id` or later ones, and its first seq.
    pub(super) fn iter_from(&self, id: u64) -> impl Iterator<Item = (u64, &Page)> {
        self.tree.range(id / PAGE_SEQS..).map(|(number, page)| (number * PAGE_SEQS, page))
    }

    /// What the pages take from the allocator.
    pub(super) fn memory_bytes(&self) -> usize {
        self.page_bytes + tree_bytes::<u64, Page>(self.tree.len())
    }

    /// A page is one buffer.
    pub(super) fn allocations(&self) -> usize {
        self.tree.len()
    }

    /// Moves some pages, from the one numbered `from` on; gives the next one's number, if there is one.
    pub(super) fn defrag(&mut self, from: u64, mover: &mut impl Mover) -> Option<u64> {
        let mut pages = self.tree.range_mut(from..);
        pages.by_ref().take(PIECES_PER_STEP).for_each(|(_, page)| page.defrag(mover));
        pages.next().map(|(number, _)| *number)
    }

    /// Changes the page for a seq that is newer than all before.
    fn change_newest<T>(&mut self, id: u64, change: impl FnOnce(&mut Page) -> T) -> T {
        let number = id / PAGE_SEQS;
        let capacity = match self.tree.last_entry() {
            Some(newest) if *newest.key() == number => return counted(&mut self.page_bytes, newest.into_mut(), change),
            // No seq of that page can come any more. Its size is the best guess for the next one's.
            Some(mut newest) => counted(&mut self.page_bytes, newest.get_mut(), Page::finish),
            None => 0,
        };
        let page = Page::with_capacity(capacity);
        self.page_bytes += page.memory_bytes();
        counted(&mut self.page_bytes, self.tree.entry(number).or_insert(page), change)
    }
}

/// Changes a page, and the count of what the pages take.
fn counted<T>(bytes: &mut usize, page: &mut Page, change: impl FnOnce(&mut Page) -> T) -> T {
    *bytes -= page.memory_bytes();
    let changed = change(page);
    *bytes += page.memory_bytes();
    changed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::details::Details;
    use crate::items::Items;

    proptest! {
        #[test]
        fn what_the_pages_take_is_known_without_counting(
            steps in prop::collection::vec((1..200u64, 1..128usize, prop::bool::ANY), 1..300),
        ) {
            let (mut pages, mut ids) = (Pages::default(), Vec::new());
            for (step, buyer_bytes, forgets) in steps {
                let id = ids.last().copied().unwrap_or(0) + step;
                let (buyer, items) = ("b".repeat(buyer_bytes), Items::one(0, 1).expect("a quantity"));
                let details = Details::NONE;
                let made = Reserved { buyer: &buyer, slot: 0, items, expires_at_ms: None, details };
                pages.push(id, &made, None);
                ids.push(id);
                if forgets {
                    pages.forget(ids.swap_remove(ids.len() / 2));
                }
                ids.sort_unstable();
                let counted: usize = pages.tree.values().map(Page::memory_bytes).sum();
                prop_assert_eq!(pages.page_bytes, counted);
            }
        }
    }
}
