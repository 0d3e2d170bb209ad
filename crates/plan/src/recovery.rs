//! The recovery of one sale as a state machine: it says what to do next, and draws the conclusion from what came of it.
//!
//! A sale in doubt is fenced, or gone, or differs from PostgreSQL. An attempt takes a term and fences the sale with
//! it; a barrier then shows that everything that was queued before is in PostgreSQL; what both have decides how the
//! sale goes on, always in an epoch that has never been used. Whatever goes wrong, the attempt is over and the next
//! one looks anew: no outcome is assumed, and no epoch is begun twice.

mod action;
mod limits;
mod looks;
mod state;
#[cfg(test)]
mod tests;

use flash_wire::{Attempt, RebuiltReservation, Refusal, Unfence};

pub use self::action::{Action, Answer, Setback};
pub use self::limits::*;
use self::state::{After, Rebuilding, Rehearsal, Seal, State, begin, sealed};
use crate::verdict::Wanted;

/// The recovery of one sale, from the doubt to its end.
#[derive(Debug, Clone, Hash)]
pub struct Recovery {
    state: State,
    lease: Option<Lease>,
    /// Whether the action that was asked for is a renewal of the lease.
    renews: bool,
    /// When the action was asked for: the lease runs from there at least.
    asked_ms: u64,
    /// While it rests or waits: until when.
    rests_until_ms: u64,
    /// How long it rests after the next setback of its own.
    rest_ms: u64,
    /// The newest term that Redis knew at the look.
    seen_term: u64,
    /// The newest barrier that has passed.
    barrier: u64,
    /// Terms that this attempt has passed over.
    outbids: u32,
    /// Redis or PostgreSQL has refused to let the sale go on as it is: it must be rebuilt.
    is_refused: bool,
}

/// Reservations, by ascending ids.
type Page = Vec<RebuiltReservation<'static>>;

#[derive(Debug, Clone, Copy, Hash)]
struct Lease {
    term: u64,
    since_ms: u64,
}

impl Default for Recovery {
    fn default() -> Self {
        Self::new()
    }
}

impl Recovery {
    /// The recovery of a sale that may be in doubt.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: State::Looking,
            lease: None,
            renews: false,
            asked_ms: 0,
            rests_until_ms: 0,
            rest_ms: REST_MS,
            seen_term: 0,
            barrier: 0,
            outbids: 0,
            is_refused: false,
        }
    }

    /// What to do now. `now_ms`: milliseconds by a clock of the caller's that never goes back. It may be asked again
    /// before [`Recovery::learn`]: only the last action counts.
    pub fn next(&mut self, now_ms: u64) -> Action<'_> {
        self.asked_ms = now_ms;
        self.wake(now_ms);
        self.renews = false;
        if let Some(Lease { term, since_ms }) = self.lease
            && now_ms.saturating_sub(since_ms) >= RENEW_AFTER_MS
            && !matches!(self.state, State::Ending(..))
        {
            self.renews = true;
            return Action::Renew { term };
        }
        self.action()
    }

    /// Draws the conclusion from what came of the action that [`Recovery::next`] gave. An answer that does not belong
    /// to that action ends the attempt.
    pub fn learn(&mut self, now_ms: u64, outcome: Result<Answer, Setback>) {
        if std::mem::take(&mut self.renews) {
            self.renewed(now_ms, &outcome);
            return;
        }
        let state = std::mem::replace(&mut self.state, State::Over);
        self.state = match outcome {
            Ok(answer) => self.succeeded(now_ms, state, answer),
            Err(setback) => self.failed(now_ms, state, setback),
        };
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    fn wake(&mut self, now_ms: u64) {
        if now_ms < self.rests_until_ms {
            return;
        }
        match self.state {
            State::Waiting(attempt) => self.state = State::Observing(attempt),
            State::Resting => self.state = State::Looking,
            _ => {}
        }
    }

    fn action(&self) -> Action<'_> {
        match &self.state {
            State::Looking | State::Doubting(_) | State::Observing(_) | State::Checking(..) => Action::Look,
            State::Taking(seen_term) => Action::Take { seen_term: *seen_term, at_least: self.seen_term },
            State::Fencing(term) => Action::Fence { term: *term },
            State::AwaitingBarrier(attempt) => Action::Barrier(*attempt),
            State::Waiting(_) | State::Resting => Action::Rest { until_ms: self.rests_until_ms },
            State::Rehearsing(seal, Rehearsal { next, expected }) => {
                Action::Rehearse { attempt: seal.attempt, next: *next, expected }
            }
            State::Sealing(Seal { attempt, epoch, wanted, .. }) => {
                Action::Seal { term: attempt.term, barrier: self.barrier, epoch: *epoch, wanted: *wanted }
            }
            State::Collecting(attempt) => Action::Collect(*attempt),
            State::Restoring(attempt, redis, reservations) => {
                Action::Restore { term: attempt.term, barrier: self.barrier, redis, reservations }
            }
            State::Acking(Unfence { epoch, seq, .. }) => Action::Ack { epoch: *epoch, seq: *seq },
            State::Warming(Rebuilding { attempt, next, expected }) => {
                Action::Warm { attempt: *attempt, next: *next, expected }
            }
            State::Reading(_, after) => Action::ReadPage { after: *after },
            State::GivingBack(Rebuilding { attempt, next, .. }, page) => {
                Action::Rebuild { attempt: *attempt, epoch: next.epoch, page }
            }
            State::Unfencing(unfence) => Action::Unfence(unfence),
            State::Settling(epoch) => Action::Settle { epoch: *epoch },
            State::Ending(term, _) => Action::End { term: *term },
            State::Over => Action::Over,
        }
    }

    fn renewed(&mut self, now_ms: u64, outcome: &Result<Answer, Setback>) {
        match (&mut self.lease, outcome) {
            (Some(lease), Ok(Answer::Done)) => lease.since_ms = self.asked_ms,
            (_, Err(setback)) => self.state = self.give_up(now_ms, *setback),
            (_, Ok(_)) => self.state = self.give_up(now_ms, Setback::Unknown),
        }
    }

    /// Each state with the answer to its action. Any other answer is a fault of the caller's: what it means is unknown.
    fn succeeded(&mut self, now_ms: u64, state: State, answer: Answer) -> State {
        match (state, answer) {
            (State::Looking, Answer::Known(known)) => self.looked(now_ms, &known),
            (State::Doubting(postgres), Answer::Known(known)) => self.doubted(now_ms, postgres.as_deref(), &known),
            (State::Taking(_), Answer::Taken { term }) => self.taken(now_ms, term),
            (State::Fencing(term), Answer::Fenced { instance }) => State::AwaitingBarrier(Attempt { term, instance }),
            (State::AwaitingBarrier(attempt), Answer::Passed { barrier }) => {
                self.barrier = barrier;
                State::Observing(attempt)
            }
            (State::Observing(attempt), Answer::Known(known)) => self.observed(now_ms, attempt, *known),
            (State::Rehearsing(seal, _), Answer::Done) => State::Sealing(seal),
            (State::Sealing(seal), Answer::Sealed { next, expected }) => sealed(seal, next, expected),
            (State::Collecting(attempt), Answer::Collected(reservations)) => State::Checking(attempt, reservations),
            (State::Checking(attempt, reservations), Answer::Known(known)) => {
                self.checked(now_ms, attempt, reservations, *known)
            }
            (State::Restoring(attempt, redis, _), Answer::Sealed { next, expected }) => {
                begin(attempt, &redis, next, expected)
            }
            (State::Sealing(Seal { attempt, wanted, .. }), Answer::NotYet) => {
                // PostgreSQL knows of more than Redis has: no waiting brings that to Redis.
                self.is_refused |= matches!(wanted, Wanted::Exactly(_));
                self.wait(now_ms, attempt)
            }
            (State::Restoring(attempt, ..), Answer::NotYet) => self.wait(now_ms, attempt),
            // The fence is there: another barrier is as good.
            (State::Sealing(Seal { attempt, .. }) | State::Restoring(attempt, ..), Answer::BarrierGone) => {
                State::AwaitingBarrier(attempt)
            }
            (State::Acking(unfence), Answer::Done) => State::Unfencing(unfence),
            (State::Warming(rebuilding), Answer::Done) => State::Reading(rebuilding, 0),
            (State::Reading(rebuilding, after), Answer::Page(page)) => self.read(now_ms, rebuilding, after, page),
            (State::GivingBack(rebuilding, page), Answer::Done) => {
                State::Reading(rebuilding, page.last().map_or(0, |last| last.id))
            }
            (State::Unfencing(unfence), Answer::Done) if unfence.expected.is_some() => {
                State::Settling(unfence.next.map_or(unfence.epoch, |next| next.epoch))
            }
            (State::Unfencing(_) | State::Settling(_), Answer::Done) => self.finish(),
            (State::Ending(_, after), Answer::Done) => self.ended(now_ms, after),
            (
                State::Looking
                | State::Doubting(_)
                | State::Taking(_)
                | State::Fencing(_)
                | State::AwaitingBarrier(_)
                | State::Observing(_)
                | State::Waiting(_)
                | State::Rehearsing(..)
                | State::Sealing(_)
                | State::Collecting(_)
                | State::Checking(..)
                | State::Restoring(..)
                | State::Acking(_)
                | State::Warming(_)
                | State::Reading(..)
                | State::GivingBack(..)
                | State::Unfencing(_)
                | State::Settling(_)
                | State::Ending(..)
                | State::Resting
                | State::Over,
                _,
            ) => self.give_up(now_ms, Setback::Unknown),
        }
    }

    fn failed(&mut self, now_ms: u64, state: State, setback: Setback) -> State {
        let goes_on = matches!(&state, State::Acking(unfence) | State::Unfencing(unfence) if unfence.next.is_some());
        self.is_refused |= goes_on && matches!(setback, Setback::Refused(_));
        match state {
            State::Fencing(term) if setback == Setback::Refused(Refusal::Fenced) => self.outbid(now_ms, term),
            // The fence is there, whatever became of the barrier: another barrier is as good.
            State::AwaitingBarrier(attempt) if !matches!(setback, Setback::Superseded | Setback::Another) => {
                State::AwaitingBarrier(attempt)
            }
            // The sale is open. Rejections that are not settled bring another recovery.
            State::Settling(_) => self.finish(),
            // The lease runs out by itself.
            State::Ending(_, after) => self.ended(now_ms, after),
            State::Over => State::Over,
            State::Looking
            | State::Doubting(_)
            | State::Taking(_)
            | State::Fencing(_)
            | State::AwaitingBarrier(_)
            | State::Observing(_)
            | State::Waiting(_)
            | State::Rehearsing(..)
            | State::Sealing(_)
            | State::Collecting(_)
            | State::Checking(..)
            | State::Restoring(..)
            | State::Acking(_)
            | State::Warming(_)
            | State::Reading(..)
            | State::GivingBack(..)
            | State::Unfencing(_)
            | State::Resting => self.give_up(now_ms, setback),
        }
    }

    /// An attempt has begun. A term that Redis has seen already is another attempt's, which PostgreSQL has forgotten.
    fn taken(&mut self, now_ms: u64, term: u64) -> State {
        if term <= self.seen_term {
            return self.outbid(now_ms, term);
        }
        self.lease = Some(Lease { term, since_ms: self.asked_ms });
        State::Fencing(term)
    }

    /// Redis knows a later term. Where another gateway has it, its lease keeps us away; else PostgreSQL has forgotten
    /// terms.
    fn outbid(&mut self, now_ms: u64, term: u64) -> State {
        self.outbids += 1;
        if self.outbids > OUTBIDS_MAX {
            self.outbids = 0;
            return self.give_up(now_ms, Setback::Failed);
        }
        self.lease = None;
        State::Taking(term)
    }

    /// What is read must go on, or a rebuilding would have no end.
    fn read(&mut self, now_ms: u64, rebuilding: Rebuilding, after: u64, page: Page) -> State {
        match page.last().map(|last| last.id) {
            None => State::Unfencing(rebuilding.unfence()),
            Some(last) if last > after => State::GivingBack(rebuilding, page),
            Some(_) => self.give_up(now_ms, Setback::Failed),
        }
    }

    fn wait(&mut self, now_ms: u64, attempt: Attempt) -> State {
        self.rests_until_ms = now_ms.saturating_add(WAIT_STEP_MS);
        State::Waiting(attempt)
    }

    /// The attempt is over, and another one begins after a rest.
    fn give_up(&mut self, now_ms: u64, setback: Setback) -> State {
        let rest_ms = match setback {
            Setback::Away => RETRY_MS,
            Setback::Another | Setback::Superseded => AWAY_MS,
            Setback::Refused(_) | Setback::Unknown | Setback::Failed => {
                let rest_ms = self.rest_ms;
                self.rest_ms = rest_ms.saturating_mul(2).min(REST_MS_MAX);
                rest_ms
            }
        };
        match self.lease.filter(|_| setback != Setback::Superseded) {
            Some(lease) => State::Ending(lease.term, After::Rest(rest_ms)),
            None => self.rest(now_ms, rest_ms),
        }
    }

    fn finish(&mut self) -> State {
        self.lease.map_or(State::Over, |lease| State::Ending(lease.term, After::Over))
    }

    fn ended(&mut self, now_ms: u64, after: After) -> State {
        match after {
            After::Over => {
                self.lease = None;
                State::Over
            }
            After::Rest(rest_ms) => self.rest(now_ms, rest_ms),
        }
    }

    fn rest(&mut self, now_ms: u64, rest_ms: u64) -> State {
        self.lease = None;
        self.rests_until_ms = now_ms.saturating_add(rest_ms);
        State::Resting
    }
}
