//! Which sales are in doubt.

use std::fmt;

use crate::known::{InPostgres, InRedis, state_digest};

/// What of a sale in Redis is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedisMark {
    /// Which life of the sale; 0: a shell.
    pub epoch: u64,
    /// The newest attempt that has fenced it; none: not known (READY does not say it).
    pub term: Option<u64>,
    /// The newest event's seq.
    pub seq: u64,
    /// PostgreSQL has said that it has everything up to here.
    pub acked: u64,
    /// What it has, as [`state_digest`] says it; none: not known (READY does not say it).
    pub state: Option<u64>,
    /// Whether it decides nothing.
    pub is_fenced: bool,
    /// Whether its events come to PostgreSQL.
    pub has_journal: bool,
}

/// What of a sale in PostgreSQL is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostgresMark {
    /// The newest epoch.
    pub epoch: u64,
    /// The newest recovery attempt.
    pub term: u64,
    /// How far the newest epoch is written; none: not known here.
    pub head: Option<u64>,
    /// What it has, as [`state_digest`] says it; none: not known here, or events up to the head wait in the quarantine.
    pub state: Option<u64>,
    /// Whether it has refused what Redis still counts as sold.
    pub has_rejections: bool,
}

/// Why a sale is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is fenced.
    Fenced,
    /// PostgreSQL knows it, and Redis does not have it.
    Missing,
    /// Redis has an earlier life than PostgreSQL: each new reservation would be refused as late.
    EarlierLife,
    /// A recovery attempt has begun in PostgreSQL that Redis has not heard of, or has forgotten.
    EarlierTerm,
    /// PostgreSQL has forgotten what it had: it has less than it acknowledged, or does not know this life or term.
    PostgresBehind,
    /// PostgreSQL has refused reservations that Redis counts as sold.
    Rejections,
    /// Both are at the same event, and have other reservations, other totals, or one is closed: one has another
    /// history.
    Differs,
    /// Redis has fewer events than PostgreSQL.
    RedisBehind,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fenced => "it is fenced",
            Self::Missing => "Redis does not have it",
            Self::EarlierLife => "Redis has an earlier life of it than PostgreSQL",
            Self::EarlierTerm => "a recovery has begun that Redis does not know of",
            Self::PostgresBehind => "PostgreSQL has less than it acknowledged",
            Self::Differs => "Redis has other reservations or totals than PostgreSQL at the same event",
            Self::RedisBehind => "Redis has fewer events than PostgreSQL",
            Self::Rejections => "PostgreSQL has refused reservations that Redis counts as sold",
        })
    }
}

/// Why a sale needs a recovery, if it does. Redis must have been asked before PostgreSQL.
#[must_use]
pub fn doubt(redis: Option<RedisMark>, postgres: Option<PostgresMark>) -> Option<Why> {
    let Some(redis) = redis else { return postgres.map(|_| Why::Missing) };
    if redis.is_fenced {
        return Some(Why::Fenced);
    }
    if !redis.has_journal {
        return None;
    }
    let Some(postgres) = postgres else { return (redis.acked > 0).then_some(Why::PostgresBehind) };
    let is_ahead = redis.epoch > postgres.epoch
        || redis.term.is_some_and(|term| term > postgres.term)
        || redis.epoch == postgres.epoch && postgres.head.is_some_and(|head| redis.acked > head);
    if redis.epoch < postgres.epoch {
        Some(Why::EarlierLife)
    } else if is_ahead {
        Some(Why::PostgresBehind)
    } else if redis.term.is_some_and(|term| term < postgres.term) {
        Some(Why::EarlierTerm)
    } else if postgres.has_rejections {
        Some(Why::Rejections)
    } else {
        differs(redis, postgres).then_some(Why::Differs)
    }
}

/// What an epoch has is made of its events: the same number of events makes the same state.
fn differs(redis: RedisMark, postgres: PostgresMark) -> bool {
    let are_other = redis.state.zip(postgres.state).is_some_and(|(redis, postgres)| redis != postgres);
    redis.epoch == postgres.epoch && postgres.head == Some(redis.seq) && are_other
}

/// Whether Redis has forgotten events, or a life that was made by hand has begun to count anew. PostgreSQL must have
/// been asked before Redis; otherwise it is a suspicion.
#[must_use]
pub fn is_redis_behind(redis: RedisMark, postgres: PostgresMark) -> bool {
    let is_below = postgres.head.is_some_and(|head| redis.seq < head);
    redis.has_journal && redis.epoch == postgres.epoch && is_below
}

impl From<&InRedis> for RedisMark {
    fn from(redis: &InRedis) -> Self {
        let &InRedis { epoch, seq, acked, attempt, is_fenced, .. } = redis;
        let (state, has_journal) = (Some(state_digest(&redis.state)), redis.has_journal());
        Self { epoch, term: Some(attempt.term), seq, acked, state, is_fenced, has_journal }
    }
}

impl From<&InPostgres> for PostgresMark {
    fn from(postgres: &InPostgres) -> Self {
        let &InPostgres { epoch, head, term, has_rejections, has_quarantined, .. } = postgres;
        let state = (!has_quarantined).then(|| state_digest(&postgres.state));
        Self { epoch, term, head: Some(head.unwrap_or(0)), state, has_rejections }
    }
}

#[cfg(test)]
mod tests {
    use flash_wire::{Content, Expected, ExpectedSku};

    use super::*;

    const STATE: Option<u64> = Some(3);
    const OPEN: RedisMark =
        RedisMark { epoch: 2, term: Some(5), seq: 9, acked: 9, state: STATE, is_fenced: false, has_journal: true };
    const WHOLE: PostgresMark = PostgresMark { epoch: 2, term: 5, head: Some(9), state: STATE, has_rejections: false };

    fn check(redis: RedisMark, postgres: PostgresMark, want: Option<Why>) {
        assert_eq!(doubt(Some(redis), Some(postgres)), want, "{redis:?} {postgres:?}");
    }

    #[test]
    fn a_sale_that_both_know_alike_is_in_no_doubt() {
        check(OPEN, WHOLE, None);
        check(OPEN, PostgresMark { head: Some(12), ..WHOLE }, None);
        check(RedisMark { term: None, ..OPEN }, PostgresMark { head: None, ..WHOLE }, None);
        let unknown_yet = RedisMark { acked: 0, ..OPEN };
        assert_eq!((doubt(Some(unknown_yet), None), doubt(None, None)), (None, None));
    }

    #[test]
    fn each_difference_is_a_doubt() {
        check(RedisMark { is_fenced: true, ..OPEN }, WHOLE, Some(Why::Fenced));
        check(RedisMark { epoch: 1, ..OPEN }, WHOLE, Some(Why::EarlierLife));
        check(RedisMark { epoch: 1, term: Some(6), ..OPEN }, WHOLE, Some(Why::EarlierLife));
        check(RedisMark { epoch: 3, ..OPEN }, WHOLE, Some(Why::PostgresBehind));
        check(RedisMark { term: Some(6), ..OPEN }, WHOLE, Some(Why::PostgresBehind));
        check(RedisMark { acked: 10, ..OPEN }, WHOLE, Some(Why::PostgresBehind));
        check(RedisMark { term: Some(4), ..OPEN }, WHOLE, Some(Why::EarlierTerm));
        check(OPEN, PostgresMark { has_rejections: true, ..WHOLE }, Some(Why::Rejections));
        assert_eq!(doubt(None, Some(WHOLE)), Some(Why::Missing));
        assert_eq!(doubt(Some(OPEN), None), Some(Why::PostgresBehind), "it has acknowledged what it does not know");
    }

    #[test]
    fn a_life_that_was_made_by_hand_has_other_reservations_or_fewer_events() {
        let other = RedisMark { state: Some(4), ..OPEN };
        check(other, WHOLE, Some(Why::Differs));
        check(RedisMark { seq: 10, ..other }, WHOLE, None);
        check(other, PostgresMark { state: None, ..WHOLE }, None);
        check(other, PostgresMark { has_rejections: true, ..WHOLE }, Some(Why::Rejections));
        check(RedisMark { has_journal: false, ..other }, WHOLE, None);
        let fewer = RedisMark { seq: 8, acked: 0, ..OPEN };
        assert!(is_redis_behind(fewer, WHOLE) && !is_redis_behind(OPEN, WHOLE));
        assert!(!is_redis_behind(RedisMark { epoch: 3, ..fewer }, WHOLE));
    }

    #[test]
    fn a_state_is_reservations_totals_and_the_closed_flag() {
        let sku = |name: &str, total| ExpectedSku { name: name.to_owned(), total, taken: 2 };
        let state = |digest, is_closed, skus: [(&str, u64); 2]| {
            let skus = skus.into_iter().map(|(name, total)| sku(name, total)).collect();
            state_digest(&Expected { content: Content { reservations: 2, digest }, is_closed, skus })
        };
        let one = state(7, false, [("a", 5), ("b", 6)]);
        assert_eq!(one, state(7, false, [("b", 6), ("a", 5)]), "whatever their order");
        for other in [
            state(8, false, [("a", 5), ("b", 6)]),
            state(7, true, [("a", 5), ("b", 6)]),
            state(7, false, [("a", 6), ("b", 5)]),
            state(7, false, [("a", 5), ("c", 6)]),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn of_a_sale_without_a_journal_only_its_fence_counts() {
        let alone = RedisMark { has_journal: false, ..OPEN };
        check(RedisMark { epoch: 1, ..alone }, WHOLE, None);
        check(RedisMark { is_fenced: true, ..alone }, WHOLE, Some(Why::Fenced));
    }
}
