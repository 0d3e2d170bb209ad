//! What a recovery asks for, and what it hears of it.

use flash_wire::{Attempt, Expected, NextEpoch, RebuiltReservation, Refusal, Unfence};

use crate::known::{InRedis, Known};
use crate::verdict::Wanted;

/// The next thing to do for a sale. The caller carries it out and tells the outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action<'a> {
    /// Read STATUS from Redis, then the standing from PostgreSQL in one snapshot: [`Answer::Known`].
    Look,
    /// Begin a new attempt in PostgreSQL, if the newest one is still this, and no other gateway's lease runs:
    /// [`Answer::Taken`], [`Setback::Another`].
    Take {
        /// The newest attempt in PostgreSQL that was seen; 0: there was none.
        seen_term: u64,
        /// The newest attempt that Redis knew: the new one is above it, even where PostgreSQL has forgotten it.
        at_least: u64,
    },
    /// Renew the lease of the attempt: [`Answer::Done`], [`Setback::Superseded`].
    Renew {
        /// The attempt.
        term: u64,
    },
    /// `FENCE key TERM term`; in an empty key that plants a shell: [`Answer::Fenced`].
    Fence {
        /// The attempt.
        term: u64,
    },
    /// Publish a barrier from now on, and wait until it is in PostgreSQL: [`Answer::Passed`]. One barrier may serve
    /// any number of holds that were asked for before it is published. It serves no other attempt of the same sale.
    Barrier(Attempt),
    /// Nothing until then.
    Rest {
        /// When to ask again, by the caller's clock.
        until_ms: u64,
    },
    /// Send the WARM that would follow, with an instance that no value has. Redis changes nothing: [`Answer::Done`]
    /// if the refusal is FENCED; any other outcome says why the true one would fail (the memory limit, rights,
    /// terms).
    Rehearse {
        /// The attempt, and the value of which the instance must not be.
        attempt: Attempt,
        /// The epoch that would begin.
        next: NextEpoch,
        /// What the sale would have.
        expected: &'a Expected,
    },
    /// Seal the epoch in PostgreSQL and begin the next one, in one transaction: [`Answer::Sealed`], [`Answer::NotYet`],
    /// [`Answer::BarrierGone`], [`Setback::Superseded`].
    Seal {
        /// The attempt.
        term: u64,
        /// The barrier that has passed for it, and must be there still.
        barrier: u64,
        /// PostgreSQL's newest epoch.
        epoch: u64,
        /// How far it must be written.
        wanted: Wanted,
    },
    /// Read all active reservations of the fenced sale from Redis (FLASH.ACTIVE): [`Answer::Collected`].
    Collect(Attempt),
    /// Write into PostgreSQL what it has forgotten, seal, and begin the next epoch, in one transaction: as `Seal`.
    Restore {
        /// The attempt.
        term: u64,
        /// As for `Seal`.
        barrier: u64,
        /// The sale in Redis.
        redis: &'a InRedis,
        /// Its active reservations.
        reservations: &'a [RebuiltReservation<'static>],
    },
    /// `ACK key epoch seq`: [`Answer::Done`].
    Ack {
        /// Which life.
        epoch: u64,
        /// Its newest event.
        seq: u64,
    },
    /// `WARM key … EPOCH AFTER TERM INSTANCE`, with the terms from PostgreSQL and what is expected: [`Answer::Done`].
    Warm {
        /// The attempt, and the value that gives way.
        attempt: Attempt,
        /// The life that begins.
        next: NextEpoch,
        /// Its totals, and whether it is closed.
        expected: &'a Expected,
    },
    /// Read the next active orders from PostgreSQL, by ascending ids: [`Answer::Page`], empty at the end.
    ReadPage {
        /// The last id before them.
        after: u64,
    },
    /// `REBUILD key epoch TERM INSTANCE reservation …` for all of them: [`Answer::Done`].
    Rebuild {
        /// The attempt, and the value that is rebuilt.
        attempt: Attempt,
        /// Its life.
        epoch: u64,
        /// What it gets back.
        page: &'a [RebuiltReservation<'static>],
    },
    /// `UNFENCE key …`: [`Answer::Done`].
    Unfence(&'a Unfence),
    /// Redis counts the rejections of the epochs before this one no more: [`Answer::Done`].
    Settle {
        /// The epoch that is open in Redis.
        epoch: u64,
    },
    /// Give the lease up; the term stays: [`Answer::Done`].
    End {
        /// The attempt.
        term: u64,
    },
    /// Nothing any more: the sale is in no doubt.
    Over,
}

/// What an action has brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// What both servers have of the sale.
    Known(Box<Known>),
    /// An attempt has begun.
    Taken {
        /// Its number.
        term: u64,
    },
    /// The sale is fenced for the attempt.
    Fenced {
        /// The value in Redis.
        instance: u64,
    },
    /// The barrier is in PostgreSQL.
    Passed {
        /// Its number: no two barriers have the same.
        barrier: u64,
    },
    /// PostgreSQL does not have the barrier any more: it went back to an older state, which may lack what was queued
    /// before the barrier as well. Nothing was changed.
    BarrierGone,
    /// The epoch is sealed, and the next one begun.
    Sealed {
        /// Which.
        next: NextEpoch,
        /// What PostgreSQL had in the same transaction.
        expected: Expected,
    },
    /// The epoch is not written that far, or not the newest any more. Nothing was changed.
    NotYet,
    /// The active reservations of the sale in Redis.
    Collected(Vec<RebuiltReservation<'static>>),
    /// Active orders.
    Page(Vec<RebuiltReservation<'static>>),
    /// It was carried out.
    Done,
}

/// Why an action has brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setback {
    /// Redis refused it.
    Refused(Refusal),
    /// PostgreSQL knows of a later attempt.
    Superseded,
    /// Another gateway's lease runs.
    Another,
    /// No answer came: it was carried out, or will be, or never.
    Unknown,
    /// A server could not be reached, or does not take part now (it loads, the syncers are paused). Nothing was
    /// changed.
    Away,
    /// A server cannot do this for this sale. Nothing was changed.
    Failed,
}
