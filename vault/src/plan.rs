//! Which events of a sale's epoch may be applied now, and which wait for a gap to close. Pure: no database here.

use flash_wire::message::{MessageChange, MessageEvent};

use crate::early::EARLY_REACH_MAX;

/// What to do with the events at hand.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The head once `run` is applied.
    pub(crate) head: u64,
    /// Consecutive events, the first right behind the old head.
    pub(crate) run: Vec<&'a MessageEvent<'a>>,
    /// Events beyond a gap.
    pub(crate) early: Vec<&'a MessageEvent<'a>>,
}

/// Plans events that come in any order, any of them twice. What is written already, and what lies so far ahead that the
/// relay will have sent it again before its turn comes, stands in neither list.
pub(crate) fn plan<'a>(head: u64, mut events: Vec<&'a MessageEvent<'a>>) -> Plan<'a> {
    events.sort_by_key(|event| event.seq);
    events.dedup_by_key(|event| event.seq);
    let mut plan = Plan { head: start(head, &events), run: Vec::with_capacity(events.len()), early: Vec::new() };
    for event in events {
        if event.seq == plan.head + 1 {
            plan.head = event.seq;
            plan.run.push(event);
        } else if event.seq > plan.head && event.seq - plan.head <= EARLY_REACH_MAX {
            plan.early.push(event);
        }
    }
    plan
}

/// An epoch begins with its warming, and a later epoch's numbers do not begin at 1.
fn start(head: u64, events: &[&MessageEvent]) -> u64 {
    let warmed = || events.iter().find(|event| matches!(event.change, MessageChange::Warmed(_)));
    match (head, warmed()) {
        (0, Some(warmed)) => warmed.seq - 1,
        _ => head,
    }
}

#[cfg(test)]
mod tests {
    use flash_wire::message::{MessageSku, MessageTerms};

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
        let plan = plan(head, events.iter().collect());
        let seqs = |events: &[&MessageEvent]| events.iter().map(|event| event.seq).collect::<Vec<_>>();
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
    fn what_is_far_ahead_is_not_kept() {
        check(1, &[2, EARLY_REACH_MAX + 2, EARLY_REACH_MAX + 3], None, (2, &[2], &[EARLY_REACH_MAX + 2]));
    }
}
