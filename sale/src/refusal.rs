//! Refusals: answers that change nothing.

use crate::event::State;

/// Why a command changed nothing. A refusal is an answer with a stable code, not an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The same request again: the answer is the first reservation.
    Replayed {
        /// The reservation.
        id: u64,
        /// When its hold ends or ended, if it ever was one.
        expires_at_ms: Option<u64>,
        /// Where it stands now.
        state: State,
    },
    /// Not enough units available.
    SoldOut,
    /// The buyer would have more units than the limit allows, or too many reservations at once.
    LimitExceeded,
    /// The sale opens later.
    NotStarted {
        /// Unix milliseconds.
        opens_at_ms: u64,
    },
    /// The sale's window is over.
    Ended,
    /// An operator closed the sale.
    Closed,
    /// The sale's state is not known to be whole, or the caller speaks of another epoch.
    Fenced,
    /// The same request id with other items; an end that the reservation's state excludes; a restock that takes units
    /// that somebody has.
    Conflict,
    /// There is no such sale in Redis.
    NotWarmed,
    /// There is no such reservation, or it ended so long ago that it is forgotten.
    Unknown,
    /// The hold's pay window has run out.
    Expired,
    /// The journal holds as many unacknowledged events as it may.
    JournalFull,
    /// Another relay has the sale's lease.
    Leased {
        /// Unix milliseconds.
        until_ms: u64,
    },
}

impl Refusal {
    /// The stable code in replies.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Replayed { .. } => "REPLAYED",
            Self::SoldOut => "SOLD_OUT",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::NotStarted { .. } => "NOT_STARTED",
            Self::Ended => "ENDED",
            Self::Closed => "CLOSED",
            Self::Fenced => "FENCED",
            Self::Conflict => "CONFLICT",
            Self::NotWarmed => "NOT_WARMED",
            Self::Unknown => "UNKNOWN",
            Self::Expired => "EXPIRED",
            Self::JournalFull => "JOURNAL_FULL",
            Self::Leased { .. } => "LEASED",
        }
    }
}
