//! How far the recovery of a sale is.

use flash_wire::{Attempt, Expected, NextEpoch, RebuiltReservation, Unfence};

use crate::known::{InPostgres, InRedis, agree};
use crate::verdict::Wanted;

/// Each state but the last asks for one action.
#[derive(Debug, Clone, Hash)]
pub(super) enum State {
    Looking,
    /// Whether what PostgreSQL had then makes the sale doubtful still.
    Doubting(Option<Box<InPostgres>>),
    /// PostgreSQL's newest term was this.
    Taking(u64),
    Fencing(u64),
    AwaitingBarrier(Attempt),
    Observing(Attempt),
    /// Events are on their way.
    Waiting(Attempt),
    /// The WARM that would follow the seal.
    Rehearsing(Seal, Rehearsal),
    Sealing(Seal),
    Collecting(Attempt),
    /// Whether what was collected is still what the sale has.
    Checking(Attempt, Vec<RebuiltReservation<'static>>),
    Restoring(Attempt, Box<InRedis>, Vec<RebuiltReservation<'static>>),
    Acking(Unfence),
    Warming(Rebuilding),
    Reading(Rebuilding, u64),
    GivingBack(Rebuilding, Vec<RebuiltReservation<'static>>),
    Unfencing(Unfence),
    Settling(u64),
    Ending(u64, After),
    Resting,
    Over,
}

/// An epoch that is to be sealed.
#[derive(Debug, Clone, Hash)]
pub(super) struct Seal {
    pub(super) attempt: Attempt,
    /// As it was seen.
    pub(super) redis: Box<InRedis>,
    /// PostgreSQL's newest.
    pub(super) epoch: u64,
    pub(super) wanted: Wanted,
}

/// What a warming would be, as far as is known before the seal.
#[derive(Debug, Clone, Hash)]
pub(super) struct Rehearsal {
    pub(super) next: NextEpoch,
    pub(super) expected: Expected,
}

/// A life that PostgreSQL has begun and Redis is to get.
#[derive(Debug, Clone, Hash)]
pub(super) struct Rebuilding {
    pub(super) attempt: Attempt,
    pub(super) next: NextEpoch,
    pub(super) expected: Expected,
}

/// What follows the end of an attempt.
#[derive(Debug, Clone, Copy, Hash)]
pub(super) enum After {
    Over,
    /// A new attempt, after so many milliseconds.
    Rest(u64),
}

/// A sale that was sealed to be rebuilt is rebuilt; one that was whole goes on, if it still is.
pub(super) fn sealed(seal: Seal, next: NextEpoch, expected: Expected) -> State {
    match seal.wanted {
        Wanted::Exactly(_) => begin(seal.attempt, &seal.redis, next, expected),
        Wanted::Anywhere(_) => State::Warming(Rebuilding { attempt: seal.attempt, next, expected }),
    }
}

/// Lets the sale go on as it is where it is what PostgreSQL has by now; else it is rebuilt, in the same epoch, which
/// no value has had yet.
pub(super) fn begin(attempt: Attempt, redis: &InRedis, next: NextEpoch, expected: Expected) -> State {
    if !agree(&redis.state, &expected) {
        return State::Warming(Rebuilding { attempt, next, expected });
    }
    let (epoch, seq) = (redis.epoch, redis.seq);
    State::Acking(Unfence { epoch, seq, next: Some(next), attempt: Some(attempt), expected: Some(expected) })
}

impl Rebuilding {
    /// Its first event is known to be there: it is the one that made this life.
    pub(super) fn unfence(self) -> Unfence {
        let Self { attempt, next, expected } = self;
        let (epoch, seq) = (next.epoch, next.after.saturating_add(1));
        Unfence { epoch, seq, next: None, attempt: Some(attempt), expected: Some(expected) }
    }
}
