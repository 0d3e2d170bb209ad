//! How far an epoch is written.

/// How far an epoch of a sale has been written: every event up to `seq` is in PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Head {
    /// The sale.
    pub sale: String,
    /// Which life of it.
    pub epoch: u64,
    /// The highest seq without a gap below it.
    pub seq: u64,
}
