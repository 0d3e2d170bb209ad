//! A sale, as the gateway shows it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A sale's units, in all and of each SKU.
#[derive(Debug, Deserialize)]
pub(crate) struct Sale {
    #[serde(flatten)]
    pub(crate) stock: Stock,
    pub(crate) skus: Vec<Sku>,
    /// Units that one buyer may have.
    pub(crate) limit: u64,
}

/// One of its SKUs.
#[derive(Debug, Deserialize)]
pub(crate) struct Sku {
    pub(crate) sku: String,
}

/// Units, and what they are. An answer may have any numbers: no sum here may overflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stock {
    pub(crate) total: u64,
    pub(crate) available: u64,
    pub(crate) held: u64,
    pub(crate) confirmed: u64,
}

impl Stock {
    /// Units that somebody has.
    pub(crate) fn taken(&self) -> i128 {
        i128::from(self.held) + i128::from(self.confirmed)
    }

    /// Whether every unit is one of the three.
    pub(crate) fn is_whole(&self) -> bool {
        i128::from(self.total) == i128::from(self.available) + self.taken()
    }
}

impl fmt::Display for Stock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { total, available, held, confirmed } = self;
        write!(formatter, "{total} = {available} available + {held} held + {confirmed} confirmed")
    }
}
