//! One life of a sale in Redis, as it begins, and where the next one begins.

use crate::terms::Terms;

/// What a sale begins its life with. A first life has as many units as its terms say; a later one has what was on sale
/// when the life before ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// What the sale promises.
    pub terms: Terms,
    /// Units of each SKU that are on sale, in the order of the terms, 0 to
    /// [`TOTAL_UNITS_MAX`](crate::limits::TOTAL_UNITS_MAX).
    pub totals: Vec<u64>,
    /// Whether an operator has stopped the sale.
    pub is_closed: bool,
    /// The newest event of the lives before that made the sale forget an ended reservation with a request, as far as is
    /// known; 0: there was none.
    pub forgotten_seq: u64,
}

/// The epoch in which a sale goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NextEpoch {
    /// Its number.
    pub epoch: u64,
    /// Its first event is the one after this: the numbers that the epoch before may have given to events that were lost
    /// are not given again.
    pub after: u64,
}

impl Life {
    /// Whether it begins with nothing but its terms.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.is_closed
            && self.forgotten_seq == 0
            && self.terms.skus.iter().map(|sku| sku.total).eq(self.totals.iter().copied())
    }
}

impl From<Terms> for Life {
    fn from(terms: Terms) -> Self {
        Self { totals: terms.skus.iter().map(|sku| sku.total).collect(), is_closed: false, forgotten_seq: 0, terms }
    }
}
