//! How a sale goes on once its epoch is sealed, and what is waited for before that.

use super::*;

#[test]
fn a_sale_that_differs_once_it_is_sealed_is_rebuilt_in_the_same_epoch() {
    let mut recovery = after(&held(&[whole(), sealed(state(1))]));
    assert_eq!(recovery.next(0), Action::Warm { attempt: ATTEMPT, next: NEXT, expected: &state(1) });
}

#[test]
fn a_sale_that_redis_refuses_to_open_as_it_is_is_rebuilt_next_time() {
    let mut recovery = after(&held(&[whole(), sealed(state(0)), Answer::Done]));
    assert_eq!(next(&mut recovery, 0), "Unfence");
    recovery.learn(0, Err(Setback::Refused(Refusal::Conflict)));
    recovery.next(0);
    recovery.learn(0, Ok(Answer::Done));
    for answer in held(&[whole()]) {
        recovery.next(REST_MS);
        recovery.learn(REST_MS, Ok(answer));
    }
    assert_eq!(next(&mut recovery, REST_MS), "Rehearse");
}

/// Events that Redis has lost wait there beyond a gap: no look shows them, and no waiting brings them.
#[test]
fn a_sale_that_postgresql_knows_more_of_is_rebuilt() {
    let mut recovery = after(&held(&[whole(), Answer::NotYet]));
    assert_eq!(recovery.next(0), Action::Rest { until_ms: WAIT_STEP_MS });
    recovery.next(WAIT_STEP_MS);
    recovery.learn(WAIT_STEP_MS, Ok(whole()));
    assert_eq!(next(&mut recovery, WAIT_STEP_MS), "Rehearse");
}

/// PostgreSQL has forgotten an epoch that Redis was warmed in, and never opened.
#[test]
fn a_rebuilding_begins_after_everything_that_either_side_has_seen() {
    let warmed = InRedis { epoch: 4, seq: 700, acked: 700, was_open: false, ..redis() };
    let mut recovery = after(&held(&[known(Some(warmed), Some(postgres()))]));
    let next = NextEpoch { epoch: 5, after: 700 };
    assert_eq!(recovery.next(0), Action::Rehearse { attempt: ATTEMPT, next, expected: &state(0) });
    recovery.learn(0, Ok(Answer::Done));
    let wanted = Wanted::Anywhere(Seen { epoch: 4, seq: 700, head: 9 });
    assert_eq!(recovery.next(0), Action::Seal { term: TERM, barrier: 5, epoch: 2, wanted });
}

#[test]
fn what_redis_has_is_written_only_while_it_has_it() {
    let collected = [forgotten(), Answer::Collected(page(&[]))];
    let elsewhere = known(Some(InRedis { attempt: Attempt { instance: 9, ..ATTEMPT }, ..redis() }), Some(postgres()));
    assert_eq!(next(&mut after(&held(&[&collected[..], &[elsewhere]].concat())), 0), "Fence");
    let fewer = [forgotten(), Answer::Collected(page(&[1])), forgotten()];
    assert_eq!(next(&mut after(&held(&fewer)), 0), "Rest");
}

#[test]
fn pages_that_do_not_go_on_end_a_rebuilding() {
    let rebuilt = [behind(), Answer::Done, sealed(state(1)), Answer::Done];
    let pages = [Answer::Page(page(&[1, 2])), Answer::Done, Answer::Page(page(&[2]))];
    assert_eq!(next(&mut after(&held(&[&rebuilt[..], &pages].concat())), 0), "End");
}

#[test]
fn a_sale_without_a_journal_opens_in_its_epoch() {
    let alone = InRedis { terms: Terms::simple(10), ..redis() };
    let mut recovery = after(&held(&[known(Some(alone), None)]));
    let want = Unfence { epoch: 2, seq: 9, next: None, attempt: Some(ATTEMPT), expected: None };
    assert_eq!(recovery.next(0), Action::Unfence(&want));
    recovery.learn(0, Ok(Answer::Done));
    assert_eq!(next(&mut recovery, 0), "End");
}

#[test]
fn events_on_their_way_are_waited_for_under_the_same_fence() {
    let mut recovery =
        after(&held(&[known(Some(InRedis { acked: 5, ..redis() }), Some(InPostgres { head: Some(5), ..postgres() }))]));
    assert_eq!(recovery.next(0), Action::Rest { until_ms: WAIT_STEP_MS });
    assert_eq!(recovery.next(WAIT_STEP_MS), Action::Look);
    recovery.learn(WAIT_STEP_MS, Ok(whole()));
    assert_eq!(next(&mut recovery, WAIT_STEP_MS), "Seal");
}
