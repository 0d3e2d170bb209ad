//! What is to become of a sale that a recovery has fenced.

use crate::known::{InPostgres, InRedis, agree};

/// How far an epoch must be written to be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// To this seq and no further, and no event waits after it: the sale goes on as it is in Redis.
    Exactly(u64),
    /// As far as it is: the sale is rebuilt from that. Neither the epoch nor the numbers that Redis has are given
    /// again.
    Anywhere(Seen),
}

/// What a decision to rebuild a sale was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seen {
    /// The epoch in Redis. PostgreSQL seals it too if it does not know it.
    pub epoch: u64,
    /// Redis has numbers up to this one.
    pub seq: u64,
    /// PostgreSQL's newest epoch was written up to here. If it is not any more, PostgreSQL has forgotten something
    /// since.
    pub head: u64,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Look again soon: events are on their way to PostgreSQL.
    Wait,
    /// It has no journal, so only Redis knows of it: it goes on as it is.
    OpenAsItIs,
    /// Both have the same: seal its epoch, and let it go on in the next one.
    Seal,
    /// PostgreSQL has forgotten what it acknowledged: write it there again, from Redis.
    Restore,
    /// Redis lacks what PostgreSQL has, or has what PostgreSQL refused: rebuild it from PostgreSQL.
    Rebuild,
}

/// What to do with a sale that is fenced by the caller, when everything that was queued at that time is in
/// PostgreSQL. The order of the questions matters: what is still on its way comes before what differs.
#[must_use]
pub fn verdict(redis: &InRedis, postgres: Option<&InPostgres>) -> Verdict {
    if !redis.has_journal() && !redis.is_shell() {
        return Verdict::OpenAsItIs;
    }
    let Some(postgres) = postgres else {
        return if redis.acked > 0 && redis.was_open { Verdict::Restore } else { Verdict::Wait };
    };
    let head = postgres.head.unwrap_or(0);
    if redis.epoch > postgres.epoch || redis.epoch == postgres.epoch && redis.acked > head {
        // What was never open may be a rebuilding that broke off: to write from it would end orders that it lacks.
        return if redis.was_open { Verdict::Restore } else { Verdict::Rebuild };
    }
    if redis.epoch < postgres.epoch {
        return Verdict::Rebuild;
    }
    if head < redis.seq {
        return Verdict::Wait;
    }
    let is_whole = head == redis.seq && !postgres.has_rejections && agree(&redis.state, &postgres.state);
    if is_whole { Verdict::Seal } else { Verdict::Rebuild }
}

#[cfg(test)]
mod tests {
    use flash_wire::{Attempt, Content, Expected, ExpectedSku, Terms};

    use super::*;

    fn state(taken: u64) -> Expected {
        let skus = vec![ExpectedSku { name: "s".to_owned(), total: 10, taken }];
        Expected { content: Content { reservations: taken, digest: taken }, is_closed: false, skus }
    }

    fn redis(epoch: u64, seq: u64) -> InRedis {
        let terms = Terms { journal_events_max: Some(10), ..Terms::simple(10) };
        let attempt = Attempt { term: 1, instance: 1 };
        InRedis {
            epoch,
            seq,
            acked: 0,
            attempt,
            is_fenced: true,
            was_open: true,
            is_away: false,
            terms,
            state: state(4),
        }
    }

    fn postgres(epoch: u64, head: Option<u64>) -> InPostgres {
        let (has_rejections, has_unsettled) = (false, false);
        InPostgres {
            has_quarantined: false,
            epoch,
            head,
            term: 1,
            has_rejections,
            has_unsettled,
            age_s: 1_000,
            state: state(4),
        }
    }

    fn check(redis: &InRedis, postgres: Option<&InPostgres>, want: Verdict) {
        assert_eq!(verdict(redis, postgres), want, "{redis:?} {postgres:?}");
    }

    #[test]
    fn events_on_their_way_are_waited_for() {
        check(&redis(1, 5), None, Verdict::Wait);
        check(&redis(1, 5), Some(&postgres(1, None)), Verdict::Wait);
        check(&redis(1, 5), Some(&postgres(1, Some(4))), Verdict::Wait);
        check(&redis(1, 5), Some(&InPostgres { has_rejections: true, ..postgres(1, Some(4)) }), Verdict::Wait);
    }

    #[test]
    fn a_sale_that_is_alike_on_both_sides_is_sealed() {
        check(&redis(1, 5), Some(&postgres(1, Some(5))), Verdict::Seal);
        let mut turned = (redis(1, 5), postgres(1, Some(5)));
        let other = ExpectedSku { name: "t".to_owned(), total: 1, taken: 0 };
        turned.0.state.skus.insert(0, other.clone());
        turned.1.state.skus.push(other);
        check(&turned.0, Some(&turned.1), Verdict::Seal);
    }

    #[test]
    fn whatever_differs_is_rebuilt() {
        check(&redis(1, 5), Some(&postgres(1, Some(6))), Verdict::Rebuild);
        check(&redis(1, 5), Some(&postgres(2, Some(5))), Verdict::Rebuild);
        check(&redis(0, 0), Some(&postgres(1, Some(5))), Verdict::Rebuild);
        let with = |state: Expected| InPostgres { state, ..postgres(1, Some(5)) };
        let skus = |total| vec![ExpectedSku { name: "s".to_owned(), total, taken: 4 }];
        check(&redis(1, 5), Some(&with(Expected { skus: skus(11), ..state(4) })), Verdict::Rebuild);
        check(&redis(1, 5), Some(&with(Expected { skus: Vec::new(), ..state(4) })), Verdict::Rebuild);
        check(&redis(1, 5), Some(&with(Expected { is_closed: true, ..state(4) })), Verdict::Rebuild);
        let content = Content { reservations: 4, digest: 5 };
        check(&redis(1, 5), Some(&with(Expected { content, ..state(4) })), Verdict::Rebuild);
        check(&redis(1, 5), Some(&InPostgres { has_rejections: true, ..postgres(1, Some(5)) }), Verdict::Rebuild);
    }

    #[test]
    fn what_postgresql_has_forgotten_is_restored() {
        check(&redis(2, 5), Some(&postgres(1, Some(9))), Verdict::Restore);
        check(&InRedis { acked: 5, ..redis(1, 5) }, Some(&postgres(1, Some(4))), Verdict::Restore);
        check(&InRedis { acked: 5, ..redis(1, 5) }, None, Verdict::Restore);
        check(&InRedis { acked: 4, ..redis(1, 5) }, Some(&postgres(1, Some(4))), Verdict::Wait);
    }

    #[test]
    fn a_life_that_was_never_open_is_no_source() {
        let partial = |epoch, acked| InRedis { acked, was_open: false, ..redis(epoch, 5) };
        check(&partial(2, 5), Some(&postgres(1, Some(9))), Verdict::Rebuild);
        check(&partial(1, 5), Some(&postgres(1, Some(4))), Verdict::Rebuild);
        check(&partial(1, 5), None, Verdict::Wait);
        check(&partial(1, 4), Some(&postgres(1, Some(4))), Verdict::Wait);
        check(&partial(1, 5), Some(&postgres(1, Some(5))), Verdict::Seal);
    }

    #[test]
    fn a_sale_without_a_journal_goes_on_as_it_is() {
        let alone = InRedis { terms: Terms::simple(10), ..redis(1, 5) };
        check(&alone, None, Verdict::OpenAsItIs);
        check(&alone, Some(&postgres(2, Some(9))), Verdict::OpenAsItIs);
    }
}
