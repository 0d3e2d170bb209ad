//! What a run sells.

use crate::strategy::Strategy;

/// How much is sold, and how.
#[derive(Debug, Clone)]
pub struct Sale {
    /// The way to sell it.
    pub strategy: Strategy,
    /// An id that no other run has had.
    pub id: String,
    /// Units on sale.
    pub units: u64,
    /// Requests that are under way at once; each has a connection to PostgreSQL.
    pub concurrency: u64,
}
