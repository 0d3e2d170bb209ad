//! What became of the wishes to reserve.

use flash_metrics::{Counter, Page};
use hyper::StatusCode;

use super::problem::{Kind, Problem};
use super::reply::Reply;

/// What became of a wish that was granted: it made a reservation, or repeated a request that had made one.
const GRANTED: [&str; 2] = ["reserved", "replayed"];
static GRANTED_COUNTS: [Counter; GRANTED.len()] = [const { Counter::new() }; GRANTED.len()];
static REFUSED_COUNTS: [Counter; Kind::ALL.len()] = [const { Counter::new() }; Kind::ALL.len()];

/// A wish is answered.
pub(crate) fn answered(answer: &Result<Reply, Problem>) {
    match answer {
        Ok(reply) => GRANTED_COUNTS[usize::from(reply.status() != StatusCode::CREATED)].add(1),
        Err(problem) => REFUSED_COUNTS[problem.kind as usize].add(1),
    }
}

/// Writes all outcomes that there were.
pub(crate) fn write(page: &mut Page) {
    let refused = Kind::ALL.iter().map(|kind| kind.slug()).zip(&REFUSED_COUNTS).filter(|(_, count)| count.get() > 0);
    let outcomes = GRANTED.into_iter().zip(&GRANTED_COUNTS).chain(refused).map(|(name, count)| (name, count.get()));
    let help = "Wishes to reserve that this gateway answered, by what became of them.";
    page.counter_by("flash_reservations_total", help, "outcome", outcomes.collect());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_has_a_counter_of_its_own() {
        for (at, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, at, "{}", kind.slug());
        }
    }
}
