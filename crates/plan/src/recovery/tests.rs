mod barrier;
mod opening;

use flash_wire::message::MessageReserved;
use flash_wire::{Content, Expected, ExpectedSku, NextEpoch, Terms};

use super::*;
use crate::Seen;
use crate::known::{InPostgres, InRedis, Known};

const TERM: u64 = 7;
const ATTEMPT: Attempt = Attempt { term: TERM, instance: 3 };
const NEXT: NextEpoch = NextEpoch { epoch: 3, after: 1_000 };

fn state(taken: u64) -> Expected {
    let skus = vec![ExpectedSku { name: "s".to_owned(), total: 10, taken }];
    Expected { content: Content { reservations: 0, digest: taken }, is_closed: false, skus }
}

/// Fenced by this attempt, in epoch 2, with the events up to 9, all of them acknowledged.
fn redis() -> InRedis {
    let terms = Terms { journal_events_max: Some(10), ..Terms::simple(10) };
    InRedis {
        epoch: 2,
        seq: 9,
        acked: 9,
        attempt: ATTEMPT,
        is_fenced: true,
        was_open: true,
        is_away: false,
        terms,
        state: state(0),
    }
}

fn postgres() -> InPostgres {
    let (has_rejections, has_unsettled) = (false, false);
    InPostgres {
        has_quarantined: false,
        epoch: 2,
        head: Some(9),
        term: TERM,
        has_rejections,
        has_unsettled,
        age_s: 1_000,
        state: state(0),
    }
}

fn known(redis: Option<InRedis>, postgres: Option<InPostgres>) -> Answer {
    Answer::Known(Box::new(Known { redis, postgres }))
}

/// What both have alike.
fn whole() -> Answer {
    known(Some(redis()), Some(postgres()))
}

/// The same before the attempt.
fn fenced() -> Answer {
    let before = InRedis { attempt: Attempt { term: TERM - 1, ..ATTEMPT }, ..redis() };
    known(Some(before), Some(InPostgres { term: TERM - 1, ..postgres() }))
}

/// Redis lacks an event.
fn behind() -> Answer {
    known(Some(redis()), Some(InPostgres { head: Some(10), ..postgres() }))
}

/// PostgreSQL has forgotten events.
fn forgotten() -> Answer {
    known(Some(redis()), Some(InPostgres { head: Some(5), ..postgres() }))
}

fn sealed(expected: Expected) -> Answer {
    Answer::Sealed { next: NEXT, expected }
}

fn page(ids: &[u64]) -> Vec<RebuiltReservation<'static>> {
    let one = |&id: &u64| RebuiltReservation {
        id,
        state: "confirmed".into(),
        made: MessageReserved { buyer: format!("buyer-{id}").into(), ..MessageReserved::default() },
        fingerprint: None,
    };
    ids.iter().map(one).collect()
}

/// The action's name, without what is in it.
fn name(action: &Action) -> String {
    let shown = format!("{action:?}");
    shown.split([' ', '(']).next().unwrap_or_default().to_owned()
}

fn next(recovery: &mut Recovery, now_ms: u64) -> String {
    name(&recovery.next(now_ms))
}

/// A recovery that has heard these answers at time 0, all of which it was to expect.
fn after(answers: &[Answer]) -> Recovery {
    let mut recovery = Recovery::new();
    for answer in answers {
        let action = next(&mut recovery, 0);
        assert!(!["Rest", "Over"].contains(&action.as_str()), "{action} before {answer:?}");
        recovery.learn(0, Ok(answer.clone()));
    }
    recovery
}

const TAKEN: Answer = Answer::Taken { term: TERM };
const PASSED: Answer = Answer::Passed { barrier: 5 };
const FENCED: Answer = Answer::Fenced { instance: ATTEMPT.instance };

/// Answers that lead to an attempt whose barrier has passed.
fn held(then: &[Answer]) -> Vec<Answer> {
    [&[fenced(), fenced(), TAKEN, FENCED, PASSED], then].concat()
}

/// The ways into each state, by the name of the action that the state asks for.
fn states() -> Vec<(&'static str, Vec<Answer>)> {
    let rebuilt = |then: &[Answer]| held(&[&[behind(), Answer::Done, sealed(state(1)), Answer::Done], then].concat());
    vec![
        ("Look", vec![]),
        ("Look", vec![fenced()]),
        ("Take", vec![fenced(), fenced()]),
        ("Fence", vec![fenced(), fenced(), TAKEN]),
        ("Barrier", vec![fenced(), fenced(), TAKEN, FENCED]),
        ("Look", held(&[])),
        ("Rehearse", held(&[behind()])),
        ("Seal", held(&[whole()])),
        ("Seal", held(&[behind(), Answer::Done])),
        ("Collect", held(&[forgotten()])),
        ("Look", held(&[forgotten(), Answer::Collected(page(&[]))])),
        ("Restore", held(&[forgotten(), Answer::Collected(page(&[])), forgotten()])),
        ("Ack", held(&[whole(), sealed(state(0))])),
        ("Unfence", held(&[whole(), sealed(state(0)), Answer::Done])),
        ("Warm", held(&[behind(), Answer::Done, sealed(state(1))])),
        ("ReadPage", rebuilt(&[])),
        ("Rebuild", rebuilt(&[Answer::Page(page(&[1, 2]))])),
        ("Unfence", rebuilt(&[Answer::Page(page(&[]))])),
        ("Settle", held(&[whole(), sealed(state(0)), Answer::Done, Answer::Done])),
        ("End", held(&[whole(), sealed(state(0)), Answer::Done, Answer::Done, Answer::Done])),
    ]
}

fn every_answer() -> Vec<Answer> {
    vec![
        whole(),
        behind(),
        forgotten(),
        known(None, None),
        TAKEN,
        FENCED,
        PASSED,
        Answer::BarrierGone,
        sealed(state(0)),
        sealed(state(1)),
        Answer::NotYet,
        Answer::Collected(page(&[])),
        Answer::Page(page(&[])),
        Answer::Page(page(&[3])),
        Answer::Done,
    ]
}

const EVERY_SETBACK: [Setback; 7] = [
    Setback::Refused(Refusal::Fenced),
    Setback::Refused(Refusal::Conflict),
    Setback::Superseded,
    Setback::Another,
    Setback::Unknown,
    Setback::Away,
    Setback::Failed,
];

#[test]
fn each_state_asks_for_its_action() {
    for (want, answers) in states() {
        assert_eq!(next(&mut after(&answers), 0), want, "{answers:?}");
    }
}

/// After whatever comes, nothing that changes a sale follows but in its place: only the answer to a seal leads to a
/// warming or an acknowledgement, and only these to the sale's opening.
#[test]
fn no_outcome_skips_a_step() {
    let may_follow = |before: &str, action: &str| match action {
        "Fence" => ["Take", "Look"].contains(&before),
        "Barrier" => ["Fence", "Barrier", "Seal", "Restore"].contains(&before),
        "Seal" => ["Look", "Rehearse"].contains(&before),
        "Restore" => before == "Look",
        "Ack" | "Warm" => ["Seal", "Restore"].contains(&before),
        "Rebuild" => before == "ReadPage",
        "Unfence" => ["Ack", "ReadPage", "Look"].contains(&before),
        "Settle" => ["Unfence", "Look"].contains(&before),
        _ => true,
    };
    for (before, answers) in states() {
        let outcomes = every_answer().into_iter().map(Ok).chain(EVERY_SETBACK.map(Err));
        for outcome in outcomes {
            let mut recovery = after(&answers);
            next(&mut recovery, 0);
            recovery.learn(0, outcome.clone());
            let action = next(&mut recovery, 0);
            assert!(may_follow(before, &action), "{before} {outcome:?} -> {action}");
        }
    }
}

/// `want`: what follows in each of the states, in the order of [`states`], for each setback of a kind.
#[test]
fn a_setback_ends_the_attempt_and_never_repeats_what_may_have_been_done() {
    for (before, answers) in states() {
        for setback in EVERY_SETBACK {
            let mut recovery = after(&answers);
            next(&mut recovery, 0);
            recovery.learn(0, Err(setback));
            let ends = matches!(setback, Setback::Superseded | Setback::Another);
            let has_lease = answers.contains(&TAKEN);
            let want = match before {
                "Barrier" if !ends => "Barrier",
                "Fence" if setback == Setback::Refused(Refusal::Fenced) => "Take",
                "Settle" => "End",
                "End" => "Over",
                _ if setback == Setback::Superseded || !has_lease => "Rest",
                _ => "End",
            };
            assert_eq!(next(&mut recovery, 0), want, "{before} {setback:?} after {answers:?}");
        }
    }
}

#[test]
fn an_attempt_that_failed_begins_anew_with_a_look_and_another_term() {
    let mut recovery = after(&held(&[behind(), Answer::Done, sealed(state(1))]));
    assert_eq!(next(&mut recovery, 0), "Warm");
    recovery.learn(0, Err(Setback::Unknown));
    assert_eq!(recovery.next(0), Action::End { term: TERM });
    recovery.learn(0, Ok(Answer::Done));
    assert_eq!(recovery.next(1), Action::Rest { until_ms: REST_MS });
    for _ in 0..2 {
        assert_eq!(recovery.next(REST_MS), Action::Look);
        recovery.learn(REST_MS, Ok(whole()));
    }
    assert_eq!(recovery.next(REST_MS), Action::Take { seen_term: TERM, at_least: TERM });
}

#[test]
fn setbacks_of_a_sale_make_it_rest_ever_longer_and_those_of_servers_do_not() {
    let rests = |setback, count| {
        let (mut recovery, mut now_ms, mut rests) = (Recovery::new(), 0, Vec::new());
        for _ in 0..count {
            assert_eq!(recovery.next(now_ms), Action::Look);
            recovery.learn(now_ms, Err(setback));
            let Action::Rest { until_ms } = recovery.next(now_ms) else { panic!("it does not rest") };
            rests.push(until_ms - now_ms);
            now_ms = until_ms;
        }
        rests
    };
    assert_eq!(rests(Setback::Failed, 8), [250, 500, 1_000, 2_000, 4_000, 8_000, REST_MS_MAX, REST_MS_MAX]);
    assert_eq!(rests(Setback::Away, 3), [RETRY_MS; 3]);
    assert_eq!(rests(Setback::Another, 3), [AWAY_MS; 3]);
}

#[test]
fn a_lease_is_renewed_before_the_next_step_once_it_may_run_out() {
    let mut recovery = after(&held(&[whole()]));
    assert_eq!(next(&mut recovery, RENEW_AFTER_MS - 1), "Seal");
    assert_eq!(recovery.next(RENEW_AFTER_MS), Action::Renew { term: TERM });
    recovery.learn(RENEW_AFTER_MS + 500, Ok(Answer::Done));
    assert_eq!(next(&mut recovery, RENEW_AFTER_MS + 500), "Seal");
    assert_eq!(next(&mut recovery, 2 * RENEW_AFTER_MS), "Renew", "it runs from when it was asked for");
    recovery.learn(2 * RENEW_AFTER_MS, Err(Setback::Superseded));
    assert_eq!(next(&mut recovery, 2 * RENEW_AFTER_MS), "Rest");
}

#[test]
fn a_later_term_ends_the_attempt() {
    let later = Attempt { term: TERM + 1, ..ATTEMPT };
    for known in [
        known(Some(InRedis { attempt: later, ..redis() }), Some(postgres())),
        known(Some(redis()), Some(InPostgres { term: TERM + 1, ..postgres() })),
    ] {
        assert_eq!(next(&mut after(&held(&[known])), 0), "Rest");
    }
}

#[test]
fn terms_that_postgresql_has_forgotten_are_passed_over() {
    let gone = known(None, Some(postgres()));
    let mut recovery = after(&[gone.clone(), gone]);
    for term in 1..=u64::from(OUTBIDS_MAX) {
        assert_eq!(next(&mut recovery, 0), "Take");
        recovery.learn(0, Ok(Answer::Taken { term }));
        assert_eq!(recovery.next(0), Action::Fence { term });
        recovery.learn(0, Err(Setback::Refused(Refusal::Fenced)));
    }
    recovery.next(0);
    recovery.learn(0, Ok(Answer::Taken { term: 9_999 }));
    recovery.next(0);
    recovery.learn(0, Err(Setback::Refused(Refusal::Fenced)));
    assert_eq!(next(&mut recovery, 0), "End", "it has an end");
}

/// PostgreSQL gives it a second time, and the attempt that had it first may still be at work.
#[test]
fn a_term_that_redis_has_seen_is_another_attempt_s() {
    let mut recovery = after(&[fenced(), fenced(), Answer::Taken { term: TERM - 1 }]);
    assert_eq!(recovery.next(0), Action::Take { seen_term: TERM - 1, at_least: TERM - 1 });
    recovery.learn(0, Ok(TAKEN));
    assert_eq!(recovery.next(0), Action::Fence { term: TERM });
}

/// Redis is asked before PostgreSQL: a recovery may open the sale between.
#[test]
fn a_sale_that_another_attempt_has_opened_meanwhile_is_left_alone() {
    let opened = known(Some(InRedis { is_fenced: false, ..redis() }), Some(postgres()));
    for before in [known(None, Some(postgres())), known(Some(redis()), Some(postgres()))] {
        assert_eq!(next(&mut after(&[before, opened.clone()]), 0), "Over");
    }
    let later = known(Some(redis()), Some(InPostgres { term: TERM + 5, ..postgres() }));
    let mut recovery = after(&[fenced(), later]);
    assert_eq!(
        recovery.next(0),
        Action::Take { seen_term: TERM - 1, at_least: TERM },
        "the take fails if another attempt has begun"
    );
}

/// PostgreSQL was asked first then: a sale that sells has more by now, not less.
#[test]
fn a_sale_with_fewer_events_than_postgresql_had_before_is_in_doubt() {
    let open = |seq| InRedis { is_fenced: false, seq, acked: 5, ..redis() };
    let look = |seq| known(Some(open(seq)), Some(postgres()));
    assert_eq!(after(&[look(8), look(8)]).next(0), Action::Take { seen_term: TERM, at_least: TERM });
    assert_eq!(next(&mut after(&[look(8), look(9)]), 0), "Over");
    let other = InRedis { state: state(1), ..open(9) };
    assert_eq!(
        after(&[known(Some(other), Some(postgres()))]).next(0),
        Action::Take { seen_term: TERM, at_least: TERM }
    );
}

#[test]
fn a_sale_in_no_doubt_is_left_alone() {
    let open = InRedis { is_fenced: false, ..redis() };
    for (redis, postgres) in [(Some(open.clone()), Some(postgres())), (Some(open), None), (None, None)] {
        let redis = redis.map(|redis| InRedis { acked: postgres.as_ref().map_or(0, |_| 9), ..redis });
        assert_eq!(next(&mut after(&[known(redis, postgres)]), 0), "Over");
    }
}

#[test]
fn a_sale_that_is_being_created_is_left_to_its_request() {
    let new = |head, age_s| known(None, Some(InPostgres { head, age_s, ..postgres() }));
    for head in [None, Some(0)] {
        assert_eq!(next(&mut after(&[new(head, CREATION_GRACE_S - 1)]), 0), "Rest");
        assert_eq!(next(&mut after(&[new(head, CREATION_GRACE_S)]), 0), "Look");
    }
    assert_eq!(next(&mut after(&[new(Some(1), 0), new(Some(1), 0)]), 0), "Take");
}

#[test]
fn rejections_of_a_life_that_is_over_are_settled() {
    let open = InRedis { is_fenced: false, ..redis() };
    let mut recovery = after(&[known(Some(open), Some(InPostgres { has_unsettled: true, ..postgres() }))]);
    assert_eq!(recovery.next(0), Action::Settle { epoch: 2 });
    recovery.learn(0, Ok(Answer::Done));
    assert!(recovery.is_over());
}

#[test]
fn a_sale_of_another_key_is_not_replaced() {
    let away = || known(Some(InRedis { is_away: true, ..redis() }), Some(postgres()));
    assert_eq!(next(&mut after(&[away()]), 0), "Rest");
    assert_eq!(next(&mut after(&held(&[away()])), 0), "End");
}
