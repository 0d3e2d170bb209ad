//! Commands: what a buyer or an operator may ask of a sale.

use crate::details::Details;
use crate::items::Items;

/// What is asked of a sale. Whether it happens is for [`Sale::decide`](crate::Sale::decide) to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command<'a> {
    /// A reservation.
    Reserve(Reserve<'a>),
    /// The hold `id` was paid for.
    Confirm {
        /// The reservation.
        id: u64,
    },
    /// The hold `id` is given back.
    Release {
        /// The reservation.
        id: u64,
    },
    /// Units of a SKU are put on sale, or taken off it. Made by [`Sale::restock`](crate::Sale::restock).
    Restock {
        /// The SKU's place in the sale's terms, from 0.
        sku: u16,
        /// Units more, or less.
        delta: i64,
    },
    /// The operator lets a closed sale go on.
    Open,
    /// The operator stops the sale: every reservation is refused, whatever its window says. Holds may still be
    /// confirmed.
    Close,
}

/// A reservation as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserve<'a> {
    /// Who reserves.
    pub buyer: &'a str,
    /// What for.
    pub items: Items,
    /// What comes with it.
    pub details: Details<'a>,
    /// PostgreSQL does not know the request's id either: it is new, whatever the sale has forgotten.
    pub is_new: bool,
}
