use super::*;

#[test]
fn a_barrier_serves_the_value_that_was_fenced_before_it_and_no_other() {
    let mut recovery = after(&held(&[]));
    let other = Attempt { instance: 4, ..ATTEMPT };
    recovery.next(0);
    recovery.learn(0, Ok(known(Some(InRedis { attempt: other, ..redis() }), Some(postgres()))));
    assert_eq!(recovery.next(0), Action::Fence { term: TERM });
    recovery.learn(0, Ok(Answer::Fenced { instance: 4 }));
    assert_eq!(recovery.next(0), Action::Barrier(other));
}

/// What was queued before a barrier may be gone with it.
#[test]
fn a_seal_needs_its_barrier_and_gets_another_one_where_postgresql_has_lost_it() {
    let restores = [forgotten(), Answer::Collected(page(&[])), forgotten()];
    for answers in [held(&[whole()]), held(&[behind(), Answer::Done]), held(&restores)] {
        let mut recovery = after(&answers);
        let (Action::Seal { barrier, .. } | Action::Restore { barrier, .. }) = recovery.next(0) else {
            panic!("it neither seals nor restores: {answers:?}");
        };
        assert_eq!(barrier, 5);
        recovery.learn(0, Ok(Answer::BarrierGone));
        assert_eq!(recovery.next(0), Action::Barrier(ATTEMPT));
        recovery.learn(0, Ok(Answer::Passed { barrier: 6 }));
        assert_eq!(next(&mut recovery, 0), "Look", "both may have changed");
        recovery.learn(0, Ok(whole()));
        assert!(matches!(recovery.next(0), Action::Seal { barrier: 6, .. }));
    }
}
