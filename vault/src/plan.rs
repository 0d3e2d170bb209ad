//! Which events of a sale's epoch may be applied now, and which wait for a gap to close. Pure: no database here.

use flash_wire::message::MessageChange;

use crate::step::Step;

/// What to do with the events at hand.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The head once `run` is applied.
    pub(crate) head: u64,
    /// Consecutive events, the first right behind the old head.
    pub(crate) run: Vec<Step<'a>>,
    /// Events beyond a gap.
    pub(crate) early: Vec<Step<'a>>,
    /// Events of which the number is written, or is another's here.
    pub(crate) passed: Vec<Step<'a>>,
}

/// Plans events that come in any order, any of them twice: each stands in one of the lists. Of two with one number, the
/// first counts.
pub(crate) fn plan(head: u64, mut steps: Vec<Step<'_>>) -> Plan<'_> {
    steps.sort_by_key(|step| step.event.seq);
    let run = Vec::with_capacity(steps.len());
    let mut plan = Plan { head: start(head, &steps), run, early: Vec::new(), passed: Vec::new() };
    for step in steps {
        let seq = step.event.seq;
        let is_kept = plan.early.last().is_some_and(|early| early.event.seq == seq);
        if seq <= plan.head || is_kept {
            plan.passed.push(step);
        } else if seq == plan.head + 1 {
            plan.head = seq;
            plan.run.push(step);
        } else {
            plan.early.push(step);
        }
    }
    plan
}

/// An epoch begins with its warming, and a later epoch's numbers do not begin at 1.
fn start(head: u64, steps: &[Step]) -> u64 {
    let warmed = || steps.iter().find(|step| matches!(step.event.change, MessageChange::Warmed(_)));
    match (head, warmed()) {
        (0, Some(warmed)) => warmed.event.seq - 1,
        _ => head,
    }
}

#[cfg(test)]
mod tests {
    use flash_wire::message::{MessageEvent, MessageSku, MessageTerms};

    use super::*;

    fn check(head: u64, seqs: &[u64], warmed: Option<u64>, want: (u64, &[u64], &[u64])) {
        let terms = MessageTerms {
            skus: vec![MessageSku { sku: "a".to_owned(), total: 1 }],
            limit: 1,
            hold_ms: None,
            opens_at_ms: None,
            closes_at_ms: None,
            journal_events_max: None,
        };
        let event = |&seq: &u64| {
            let warmed = warmed == Some(seq);
            let change = if warmed { MessageChange::Warmed(terms.clone()) } else { MessageChange::Confirmed { id: 1 } };
            MessageEvent { seq, at_ms: 1, change }
        };
        let events: Vec<_> = seqs.iter().map(event).collect();
        let step = |event| Step { sale: "drop", epoch: 1, published_at_ms: None, event };
        let plan = plan(head, events.iter().map(step).collect());
        assert_eq!(plan.run.len() + plan.early.len() + plan.passed.len(), events.len(), "nothing is dropped");
        let seqs = |steps: &[Step]| steps.iter().map(|step| step.event.seq).collect::<Vec<_>>();
        assert_eq!((plan.head, seqs(&plan.run).as_slice(), seqs(&plan.early).as_slice()), want);
    }

    #[test]
    fn what_is_consecutive_runs_and_the_rest_waits() {
        check(0, &[1, 2, 3], None, (3, &[1, 2, 3], &[]));
        check(0, &[3, 1, 2, 2, 1], None, (3, &[1, 2, 3], &[]));
        check(2, &[1, 2, 3, 5, 6], None, (3, &[3], &[5, 6]));
        check(5, &[1, 5], None, (5, &[], &[]));
        check(0, &[], None, (0, &[], &[]));
    }

    #[test]
    fn an_epoch_begins_where_it_was_warmed() {
        check(0, &[7, 8], Some(7), (8, &[7, 8], &[]));
        check(0, &[5, 6, 8], Some(6), (6, &[6], &[8]));
        check(3, &[7, 8], Some(7), (3, &[], &[7, 8]));
    }

    #[test]
    fn what_is_far_ahead_waits_like_the_rest() {
        check(1, &[2, 900_000], None, (2, &[2], &[900_000]));
    }
}
