//! Moving a sale's pieces of memory together, a bounded number at a time.

use crate::memory::Mover;
use crate::sale::Sale;

/// A cursor says in its highest bits which part of the sale it is in, and below them how far.
const PART_SHIFT: u32 = 62;
const INDEX: u64 = 0;
const PAGES: u64 = 1;
const JOURNAL: u64 = 2;

impl Sale {
    /// Hands some dozens of the sale's pieces to `mover`, from `cursor` on: 0 at first, then what the call before gave,
    /// until that is none. Commands may come between. What is left out are the nodes of the tree of pages, and queues
    /// that are too large to be in anyone's way.
    pub fn defrag(&mut self, cursor: u64, mover: &mut impl Mover) -> Option<u64> {
        let at = cursor & ((1 << PART_SHIFT) - 1);
        let (part, next) = match cursor >> PART_SHIFT {
            INDEX => {
                let next = self.reservations.defrag_index(usize::try_from(at).unwrap_or(usize::MAX), mover);
                (INDEX, next.map(|slice| slice as u64))
            }
            PAGES => (PAGES, self.reservations.defrag_pages(at, mover)),
            _ => (JOURNAL, self.journal.as_mut().and_then(|journal| journal.defrag(at, mover))),
        };
        match next {
            Some(at) => Some(part << PART_SHIFT | at),
            None if part == JOURNAL => None,
            None => Some((part + 1) << PART_SHIFT),
        }
    }
}
