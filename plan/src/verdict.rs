//! What is to become of a sale that a recovery has fenced.

use crate::known::{InPostgres, InRedis, agree};

/// How far an epoch must be written to be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// To this seq and no further: the sale goes on as it is in Redis.
    Exactly(u64),
    /// As far as it is: the sale is rebuilt from that. Redis has numbers up to this one, which are not given again.
    Anywhere(u64),
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

/// What to do with a sale that is fenced by the caller, when everything that was queued at that time is in PostgreSQL. The
/// order of the questions matters: what is still on its way comes before what differs.
#[must_use]
pub fn verdict(redis: &InRedis, postgres: Option<&InPostgres>) -> Verdict {
    if !redis.has_journal && !redis.is_shell() {
        return Verdict::OpenAsItIs;
    }
    let Some(postgres) = postgres else { return Verdict::Wait };
    let head = postgres.head.unwrap_or(0);
    if redis.epoch > postgres.epoch || redis.epoch == postgres.epoch && redis.acked > head {
        return Verdict::Restore;
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
