//! Refusals: answers that change nothing.

use crate::event::State;

/// Why a command changed nothing. A refusal is an answer with a stable code, not an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    LimitExceeded {
        /// The reservation that takes the limit, where it is one alone.
        existing: Option<u64>,
    },
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
    /// No reservation has the request id, but the sale has forgotten ended ones: whether it is new, only PostgreSQL
    /// knows.
    KeyForgotten {
        /// The event that made it forget the newest of these.
        seq: u64,
    },
}

impl Refusal {
    /// Every stable code that replies use.
    pub const CODES: [&'static str; 14] = [
        "REPLAYED",
        "SOLD_OUT",
        "LIMIT_EXCEEDED",
        "NOT_STARTED",
        "ENDED",
        "CLOSED",
        "FENCED",
        "CONFLICT",
        "NOT_WARMED",
        "UNKNOWN",
        "EXPIRED",
        "JOURNAL_FULL",
        "LEASED",
        "KEY_FORGOTTEN",
    ];

    /// The place of this refusal's code in [`Refusal::CODES`], for those who count them.
    #[must_use]
    pub const fn place(self) -> usize {
        match self {
            Self::Replayed { .. } => 0,
            Self::SoldOut => 1,
            Self::LimitExceeded { .. } => 2,
            Self::NotStarted { .. } => 3,
            Self::Ended => 4,
            Self::Closed => 5,
            Self::Fenced => 6,
            Self::Conflict => 7,
            Self::NotWarmed => 8,
            Self::Unknown => 9,
            Self::Expired => 10,
            Self::JournalFull => 11,
            Self::Leased { .. } => 12,
            Self::KeyForgotten { .. } => 13,
        }
    }

    /// The stable code in replies.
    #[must_use]
    pub const fn code(self) -> &'static str {
        Self::CODES[self.place()]
    }
}
