//! Where the recovery of a sale stands.

use flash_wire::{NextEpoch, RebuiltReservation};

use super::action::Opening;
use crate::expected::Expected;
use crate::known::{Hold, InRedis};
use crate::verdict::Wanted;

/// Each state but the last asks for one action.
#[derive(Debug)]
pub(super) enum State {
    Looking,
    Taking,
    Fencing(u64),
    AwaitingBarrier(Hold),
    Observing(Hold),
    /// Events are on their way.
    Waiting(Hold),
    /// The WARM that would follow the seal.
    Rehearsing(Seal, Rehearsal),
    Sealing(Seal),
    Collecting(Hold),
    /// Whether what was collected is still what the sale has.
    Checking(Hold, Vec<RebuiltReservation<'static>>),
    Restoring(Hold, Box<InRedis>, Vec<RebuiltReservation<'static>>),
    Acking(Opening),
    Warming(Rebuilding),
    Reading(Rebuilding, u64),
    GivingBack(Rebuilding, Vec<RebuiltReservation<'static>>),
    Unfencing(Opening),
    Settling(u64),
    Ending(u64, After),
    Resting,
    Over,
}

/// An epoch that is to be sealed.
#[derive(Debug)]
pub(super) struct Seal {
    pub(super) hold: Hold,
    /// As it was seen.
    pub(super) redis: Box<InRedis>,
    /// PostgreSQL's newest.
    pub(super) epoch: u64,
    pub(super) wanted: Wanted,
}

/// What a warming would be, as far as is known before the seal.
#[derive(Debug)]
pub(super) struct Rehearsal {
    pub(super) next: NextEpoch,
    pub(super) expected: Expected,
}

/// A life that PostgreSQL has begun and Redis is to get.
#[derive(Debug)]
pub(super) struct Rebuilding {
    pub(super) hold: Hold,
    pub(super) next: NextEpoch,
    pub(super) expected: Expected,
}

/// What follows the end of an attempt.
#[derive(Debug, Clone, Copy)]
pub(super) enum After {
    Over,
    /// A new attempt, after so many milliseconds.
    Rest(u64),
}
