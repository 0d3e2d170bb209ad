//! What a look at both servers means, before an attempt and during one.

use flash_wire::{Attempt, NextEpoch, Unfence};

use super::limits::{AWAY_MS, CREATION_GRACE_S};
use super::state::{Rehearsal, Seal, State};
use super::{Page, Recovery, Setback};
use crate::doubt::{Why, doubt, is_redis_behind};
use crate::known::{InPostgres, InRedis, Known, content_of};
use crate::verdict::{Seen, Verdict, Wanted, verdict};

impl Recovery {
    /// Whether the sale is in doubt at all.
    pub(super) fn looked(&mut self, now_ms: u64, Known { redis, postgres }: &Known) -> State {
        let why = doubt(redis.as_ref().map(Into::into), postgres.as_ref().map(Into::into));
        self.seen_term = redis.as_ref().map_or(0, |redis| redis.attempt.term);
        let is_only_a_fence = redis.as_ref().is_some_and(InRedis::is_shell);
        let is_away = redis.as_ref().is_some_and(|redis| redis.is_away && redis.has_journal());
        match (why, postgres) {
            (None, Some(postgres)) if is_behind(redis.as_ref(), Some(postgres)) => {
                State::Doubting(Some(Box::new(postgres.clone())))
            }
            (None, Some(postgres)) if postgres.has_unsettled => State::Settling(postgres.epoch),
            (None, _) => State::Over,
            (Some(Why::Missing), Some(postgres)) if is_being_created(postgres) => self.rest(now_ms, AWAY_MS),
            // To replace another sale's state would destroy events that only it has. A person must move or delete it.
            (Some(_), _) if is_away => self.give_up(now_ms, Setback::Failed),
            (Some(_), None) if is_only_a_fence => self.give_up(now_ms, Setback::Failed),
            (Some(Why::PostgresBehind | Why::Rejections | Why::Differs), postgres) => taking(postgres.as_ref()),
            // Another attempt may have ended between the two looks at the servers.
            (Some(_), postgres) => State::Doubting(postgres.clone().map(Box::new)),
        }
    }

    /// Redis after PostgreSQL: if the sale is in doubt still, no attempt has ended between, as long as PostgreSQL's
    /// term is the one that was seen. Otherwise a sale is found again that is in doubt.
    pub(super) fn doubted(&mut self, now_ms: u64, postgres: Option<&InPostgres>, known: &Known) -> State {
        self.seen_term = known.redis.as_ref().map_or(0, |redis| redis.attempt.term);
        let is_away = known.redis.as_ref().is_some_and(|redis| redis.is_away && redis.has_journal());
        match doubt(known.redis.as_ref().map(Into::into), postgres.map(Into::into)) {
            Some(_) if is_away => self.give_up(now_ms, Setback::Failed),
            // Events may have been acknowledged or refused since.
            Some(Why::PostgresBehind | Why::Rejections) => State::Over,
            None if !is_behind(known.redis.as_ref(), postgres) => State::Over,
            _ => taking(postgres),
        }
    }

    /// The sale after its barrier, if it is still the one that was fenced.
    pub(super) fn observed(&mut self, now_ms: u64, attempt: Attempt, known: Known) -> State {
        let Known { redis, postgres } = known;
        let redis = match self.still_fenced(now_ms, attempt, redis, postgres.as_ref()) {
            Ok(redis) => redis,
            Err(state) => return *state,
        };
        let verdict = match verdict(&redis, postgres.as_ref()) {
            Verdict::Seal if self.is_refused => Verdict::Rebuild,
            verdict => verdict,
        };
        match (verdict, postgres) {
            (Verdict::OpenAsItIs, _) => {
                let (epoch, seq) = (redis.epoch, redis.seq);
                State::Unfencing(Unfence { epoch, seq, next: None, attempt: Some(attempt), expected: None })
            }
            (Verdict::Restore, _) => State::Collecting(attempt),
            (Verdict::Seal, Some(InPostgres { epoch, .. })) => {
                let wanted = Wanted::Exactly(redis.seq);
                State::Sealing(Seal { attempt, redis: Box::new(redis), epoch, wanted })
            }
            (Verdict::Rebuild, Some(InPostgres { epoch, head, state, .. })) => {
                let after = head.unwrap_or(0).max(redis.seq);
                let next = NextEpoch { epoch: epoch.max(redis.epoch).saturating_add(1), after };
                let seen = Seen { epoch: redis.epoch, seq: redis.seq, head: head.unwrap_or(0) };
                let wanted = Wanted::Anywhere(seen);
                let seal = Seal { attempt, redis: Box::new(redis), epoch, wanted };
                State::Rehearsing(seal, Rehearsal { next, expected: state })
            }
            (Verdict::Wait | Verdict::Seal | Verdict::Rebuild, _) => self.wait(now_ms, attempt),
        }
    }

    /// What was collected is written to PostgreSQL only if the sale is still the one that it was collected from.
    pub(super) fn checked(
        &mut self,
        now_ms: u64,
        attempt: Attempt,
        reservations: Page,
        Known { redis, postgres }: Known,
    ) -> State {
        match self.still_fenced(now_ms, attempt, redis, postgres.as_ref()) {
            Ok(redis) if redis.state.content == content_of(&reservations) => {
                State::Restoring(attempt, Box::new(redis), reservations)
            }
            Ok(_) => self.wait(now_ms, attempt),
            Err(state) => *state,
        }
    }

    /// The sale in Redis, if this attempt holds it; else what to do instead.
    fn still_fenced(
        &mut self,
        now_ms: u64,
        attempt: Attempt,
        redis: Option<InRedis>,
        postgres: Option<&InPostgres>,
    ) -> Result<InRedis, Box<State>> {
        let newest = redis.as_ref().map_or(0, |redis| redis.attempt.term);
        if newest.max(postgres.map_or(0, |postgres| postgres.term)) > attempt.term {
            return Err(Box::new(self.give_up(now_ms, Setback::Superseded)));
        }
        match redis {
            Some(redis) if redis.is_away && redis.has_journal() => Err(Box::new(self.give_up(now_ms, Setback::Failed))),
            Some(redis) if redis.attempt == attempt && redis.is_fenced => Ok(redis),
            // Somebody else has opened it: nothing that was seen counts.
            Some(redis) if redis.attempt == attempt => Err(Box::new(self.give_up(now_ms, Setback::Unknown))),
            // Another value, or none: its fence, and a barrier after that, are still to come.
            Some(_) | None => Err(Box::new(State::Fencing(attempt.term))),
        }
    }
}

fn is_behind(redis: Option<&InRedis>, postgres: Option<&InPostgres>) -> bool {
    redis.zip(postgres).is_some_and(|(redis, postgres)| is_redis_behind(redis.into(), postgres.into()))
}

fn taking(postgres: Option<&InPostgres>) -> State {
    State::Taking(postgres.map_or(0, |postgres| postgres.term))
}

/// The request that creates it is about to warm it.
fn is_being_created(postgres: &InPostgres) -> bool {
    postgres.head.unwrap_or(0) == 0 && postgres.age_s < CREATION_GRACE_S
}
