//! What comes of ending the life of a sale.

use flash_wire::{Expected, NextEpoch};

/// How far after the end of an epoch the next one begins. Redis may have given these numbers to reservations that it
/// lost before anyone saw them, but that it had answered: they are not given to other buyers. A million is what Redis
/// could make in the two seconds that `appendfsync everysec` may lose, several times over.
pub const EPOCHS_APART_SEQS: u64 = 1 << 20;

/// What came of a seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealed {
    /// The epoch is over, and the next one begun: by this term, and by no other.
    Next {
        /// The next epoch.
        next: NextEpoch,
        /// What PostgreSQL has at that moment, and Redis must have when it opens.
        expected: Expected,
    },
    /// Another recovery was begun. Nothing was changed.
    Superseded,
    /// The barrier is not there, or not any more: PostgreSQL went back to an older state. What was queued before it may
    /// be missing too, or still come. Nothing was changed.
    BarrierGone,
    /// The sale is not as it was expected to be: in another epoch, or not written as far. Nothing was changed.
    NotYet,
}
