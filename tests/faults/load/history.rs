//! What was asked, and what came back.

use std::time::Duration;

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Which sale of the round.
    pub(crate) sale: usize,
    pub(crate) buyer: String,
    /// The Idempotency-Key of the reservation that this is about; no two wishes share one.
    pub(crate) key: String,
    pub(crate) ask: Ask,
    /// When it was sent and when its outcome was known, since the load began.
    pub(crate) from: Duration,
    pub(crate) to: Duration,
    pub(crate) answer: Answer,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Units of the SKUs at these places.
    Reserve(Vec<(usize, u64)>),
    Confirm(u64),
    Release(u64),
}

/// What is known of its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It was done, now or by an earlier request (`replayed`).
    Ok { id: u64, state: State, replayed: bool },
    /// It was not done, because of this problem.
    Refused(String),
    /// It was done, or will be, or neither.
    Unknown(String),
}

/// A reservation's state, as answers and rows name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Held,
    Confirmed,
    Released,
    Expired,
}

impl State {
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "held" => Some(Self::Held),
            "confirmed" => Some(Self::Confirmed),
            "released" => Some(Self::Released),
            "expired" => Some(Self::Expired),
            _ => None,
        }
    }

    /// Whether its units are taken.
    pub(crate) const fn is_active(self) -> bool {
        matches!(self, Self::Held | Self::Confirmed)
    }
}

impl Answer {
    pub(crate) const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}
