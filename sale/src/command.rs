//! Commands: what a buyer may ask of a sale.

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
}

/// A reservation as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserve<'a> {
    /// Who reserves.
    pub buyer: &'a str,
    /// What for.
    pub items: Items,
    /// The id of this request: repeated, it gets the same reservation again.
    pub request: Option<&'a str>,
    /// What the buyer sends along.
    pub data: Option<&'a str>,
}
