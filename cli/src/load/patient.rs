//! A buyer who does what the API says: repeats a request that was answered 503 or 504.

use std::sync::Arc;

use anyhow::Result;
use flash_sim::Sell;

use super::buyer::{Answered, Buyer};
use super::endpoint::Endpoint;
use super::outcome::Outcome;
use super::patience::{Heard, Repeats, until_answered};
use super::told::Told;
use super::wish::Wish;

/// Sends one buyer after another.
pub(super) struct Patient {
    buyer: Buyer,
    told: Arc<Told>,
}

/// What became of one buyer's wish in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Visit {
    pub(crate) outcome: Outcome,
    pub(crate) repeats: Repeats,
    /// The buyer learnt of the unit by a repeat after 504: the first request made it, or one of another day.
    pub(crate) is_learnt: bool,
}

impl Patient {
    pub(super) async fn connect(endpoint: Endpoint, wish: Arc<Wish>, told: Arc<Told>) -> Result<Self> {
        Ok(Self { buyer: Buyer::connect(endpoint, wish).await?, told })
    }
}

/// What the answer means that came in the end, after so many repeats.
fn visit(told: &Told, answered: Answered, repeats: Repeats) -> Visit {
    let Answered { outcome, reservation, .. } = answered;
    let is_doubtful = outcome == Outcome::Replayed && repeats.unknown > 0;
    let has_unit = is_doubtful || outcome == Outcome::Reserved;
    match reservation {
        Some(id) if has_unit && told.is_first(&id) => {
            Visit { outcome: Outcome::Reserved, repeats, is_learnt: is_doubtful }
        }
        Some(_) => Visit { outcome: Outcome::Replayed, repeats, is_learnt: false },
        None => Visit { outcome, repeats, is_learnt: false },
    }
}

impl Sell for Patient {
    type Answer = Visit;

    async fn sell(&mut self, buyer: u64) -> Result<Visit> {
        match until_answered(&mut self.buyer, buyer, is_repeated).await? {
            (Heard::Answer(answered), repeats) => Ok(visit(&self.told, answered, repeats)),
            (Heard::Nothing(error), _) => Err(error),
        }
    }
}

fn is_repeated(heard: &Heard) -> bool {
    matches!(heard.outcome(), Some(Outcome::Unavailable | Outcome::Unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visits(heard: &[(Outcome, &str, u64)]) -> Vec<(Outcome, bool)> {
        let told = Told::default();
        let visit = |&(outcome, id, unknown): &(Outcome, &str, u64)| {
            let reservation = (!id.is_empty()).then(|| id.to_owned());
            let answered = Answered { outcome, reservation, retry_after_s: None };
            let visit = visit(&told, answered, Repeats { unknown, ..Repeats::default() });
            (visit.outcome, visit.is_learnt)
        };
        heard.iter().map(visit).collect()
    }

    #[test]
    fn a_unit_counts_once_whichever_answer_told_of_it_first() {
        use Outcome::{Replayed, Reserved, SoldOut, Unknown};
        let heard = [
            (Reserved, "1", 0),
            (Replayed, "1", 1),
            (Replayed, "2", 0),
            (Replayed, "2", 1),
            (Replayed, "2", 3),
            (SoldOut, "", 1),
            (Unknown, "", 9),
        ];
        let want = [
            (Reserved, false),
            (Replayed, false),
            (Replayed, false),
            (Reserved, true),
            (Replayed, false),
            (SoldOut, false),
            (Unknown, false),
        ];
        assert_eq!(visits(&heard), want);
    }
}
