//! What a recovery does next, by what it has seen of both servers. Pure. The gateway decides by `flash-plan`; the
//! decisions here can be made as they once were, mechanism by mechanism, which those of the plan cannot: bugs are
//! planted in them.

use crate::message::{Standing, Status};
use crate::model::{EPOCHS_APART_SEQS, Next};
use crate::rules::Rules;

/// The next thing to do for a fenced sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Decision {
    /// Events are on their way to PostgreSQL.
    Wait,
    /// Both have the same: the epoch is sealed, and the sale goes on as it is.
    Seal,
    /// The old way: an epoch that another attempt has begun is gone on with.
    GoOn(Next),
    /// PostgreSQL has lost what it acknowledged.
    Restore,
    /// Redis has lost something.
    Rebuild,
}

/// What a gateway thinks of the sale that it looked at: first at Redis, then at PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Doubt {
    No,
    /// It is fenced, gone, or of an older life. That may be over by now: Redis is to be looked at once more.
    Perhaps,
    Yes,
}

/// Whether the sale is in doubt.
pub(crate) fn doubt(status: Option<&Status>, standing: &Standing, rules: &Rules) -> Doubt {
    let Some(status) = status else { return Doubt::Perhaps };
    let is_lost = status.epoch > standing.epoch || status.epoch == standing.epoch && status.acked > standing.head;
    // If PostgreSQL is no further by now, both had this at once.
    let is_level = status.epoch == standing.epoch && status.seq == standing.head;
    let differs = rules.content_doubts && is_level && !standing.quarantined && status.content != standing.content;
    if standing.unsettled || differs || rules.terms && is_lost {
        return Doubt::Yes;
    }
    // What Redis made since it was looked at may be in PostgreSQL by now: that is for the second look.
    if is_over(Some(status), standing, rules) { Doubt::No } else { Doubt::Perhaps }
}

/// Whether a sale is open in the life that PostgreSQL knows, and has made all that PostgreSQL has of it.
pub(crate) fn is_over(status: Option<&Status>, standing: &Standing, rules: &Rules) -> bool {
    let is_older = |status: &Status| status.epoch < standing.epoch || status.term < standing.term;
    let is_behind =
        |status: &Status| rules.content_doubts && status.epoch == standing.epoch && status.seq < standing.head;
    let is_doubtful = |status: &Status| status.is_fenced || rules.terms && is_older(status) || is_behind(status);
    status.is_some_and(|status| !is_doubtful(status))
}

/// Decides on what Redis and PostgreSQL have, at a time after the barrier of this attempt.
pub(crate) fn decide(status: &Status, standing: &Standing, rules: &Rules) -> Decision {
    let is_same = status.epoch == standing.epoch;
    if status.epoch > standing.epoch || is_same && status.acked > standing.head {
        if !status.was_open {
            return Decision::Rebuild;
        }
        return Decision::Restore;
    }
    if is_same && standing.head < status.seq {
        return Decision::Wait;
    }
    if standing.unsettled {
        return Decision::Rebuild;
    }
    if is_same {
        let agrees = standing.head == status.seq && standing.early == 0 && status.content == standing.content;
        return if agrees { Decision::Seal } else { Decision::Rebuild };
    }
    let next = Next { epoch: standing.epoch, after: standing.head };
    let was_sealed_here = standing.sealed_at == Some(status.seq) && standing.head == status.seq + EPOCHS_APART_SEQS;
    if !rules.epochs_once && was_sealed_here && status.epoch > 0 { Decision::GoOn(next) } else { Decision::Rebuild }
}
