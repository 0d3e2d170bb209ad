//! What a recovery expects of a sale before it lets the sale go on.

use crate::digest::Content;
use crate::life::NextEpoch;
use crate::sale::Sale;

/// The state that PostgreSQL has of a sale. One that differs from it does not go on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Expected {
    /// The active reservations.
    pub content: Content,
    /// Whether an operator has stopped the sale.
    pub is_closed: bool,
    /// Every SKU of the sale, in any order.
    pub skus: Vec<ExpectedSku>,
}

/// The units of one SKU.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExpectedSku {
    /// Its name.
    pub name: String,
    /// Units on sale.
    pub total: u64,
    /// Units in holds, and units sold.
    pub taken: u64,
}

/// Lets a fenced sale go on: no server has an event of it after this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfence<'a> {
    /// The recovery attempt that says so; 0: none, a person.
    pub term: u64,
    /// Which life of the sale is meant.
    pub epoch: u64,
    /// The newest seq that PostgreSQL or the queue has.
    pub seq: u64,
    /// The epoch in which the sale goes on; none: the same.
    pub next: Option<NextEpoch>,
    /// What the sale must be.
    pub expected: Option<&'a Expected>,
}

impl Sale {
    pub(crate) fn is_as(&self, expected: &Expected) -> bool {
        let is_sku = |(terms, units): (&crate::terms::SkuTerms, &crate::sale::Units)| {
            let sku = expected.skus.iter().find(|sku| sku.name == terms.name);
            sku.is_some_and(|sku| sku.total == units.total && sku.taken == units.taken())
        };
        self.content == expected.content
            && self.is_closed == expected.is_closed
            && self.units.len() == expected.skus.len()
            && self.terms.skus.iter().zip(&self.units).all(is_sku)
    }
}
