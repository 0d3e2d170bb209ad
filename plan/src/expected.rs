//! The state that PostgreSQL has of a sale.

/// The active reservations of a sale: how many, and their digest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Content {
    /// Held and confirmed ones.
    pub reservations: u64,
    /// The XOR of their elements.
    pub digest: u64,
}

/// The state that PostgreSQL has of a sale. One that differs from it does not go on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// The active reservations.
    pub content: Content,
    /// Whether an operator has stopped the sale.
    pub is_closed: bool,
    /// Every SKU of the sale, in any order.
    pub skus: Vec<ExpectedSku>,
}

/// The units of one SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedSku {
    /// Its name.
    pub name: String,
    /// Units on sale.
    pub total: u64,
    /// Units in holds, and units sold.
    pub taken: u64,
}
