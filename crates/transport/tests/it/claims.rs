//! The claims. Each gets an unused transport of its own.

use std::collections::BTreeSet;

use flash_transport::{
    BATCH_BYTES_MAX, BATCH_MESSAGES_MAX, Error, Outgoing, Publisher, Source, TIME_MS_MAX, TraceParent, Transport,
    WINDOW_BYTES_MAX, WINDOW_MESSAGES_MAX,
};
use flash_wire::{Barrier, Envelope};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::time::timeout;

use crate::fixture::{A_MOMENT, DEADLINE, batches, message, number, publish_until_confirmed, settle, window};

pub(crate) async fn messages_and_barriers_come_in_the_order_in_which_they_were_published<T: Transport>(transport: T) {
    let mut source = batches(&transport).await;
    let mut window = window(&transport).await;
    let mut want = Vec::new();
    for at in 0..300 {
        let id = format!("b-{at}");
        let barrier = Outgoing::barrier(&Barrier::new(&id).unwrap());
        let outgoing = if at % 7 == 3 { barrier } else { message(at, 1) };
        window.publish(at, &outgoing).await.unwrap();
        want.push(outgoing.body);
    }
    let mut got = Vec::new();
    while got.len() < want.len() {
        let batch = timeout(DEADLINE, source.next_batch()).await.expect("a batch in time").unwrap();
        got.extend(batch.bodies);
        source.commit(batch.token).await.unwrap();
    }
    assert_eq!(got, want);
    assert!(matches!(Envelope::decode(&got[3]), Ok(Envelope::Barrier(barrier)) if barrier.id() == "b-3"));
    assert_eq!(settle::<T>(&mut window).await, ((0..300).collect(), BTreeSet::new()));
}

pub(crate) async fn a_message_has_the_moment_that_it_was_published_with<T: Transport>(transport: T) {
    let mut source = batches(&transport).await;
    let mut window = window(&transport).await;
    let want = [Some(0), None, Some(1_796_000_000_000), Some(TIME_MS_MAX)];
    for (at, published_at_ms) in (0..).zip(want) {
        window.publish(at, &Outgoing { published_at_ms, ..message(at, 1) }).await.unwrap();
    }
    let (mut numbers, mut got) = (Vec::new(), Vec::new());
    while numbers.len() < want.len() {
        let batch = timeout(DEADLINE, source.next_batch()).await.expect("a batch in time").unwrap();
        numbers.extend(batch.bodies.iter().map(|body| number(body)));
        got.extend(batch.published_at_ms);
        source.commit(batch.token).await.unwrap();
    }
    assert_eq!((numbers, got), (vec![0, 1, 2, 3], want.to_vec()));
}

pub(crate) async fn a_message_has_the_trace_that_it_was_published_with<T: Transport>(transport: T) {
    let mut source = batches(&transport).await;
    let mut window = window(&transport).await;
    let trace = TraceParent::parse(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").expect("by the rules");
    for at in 0..3 {
        let trace = Some(trace).filter(|_| at == 1);
        window.publish(at, &Outgoing { trace, ..message(at, 1) }).await.unwrap();
    }
    let (mut messages, mut traces) = (0, Vec::new());
    while messages < 3 {
        let batch = timeout(DEADLINE, source.next_batch()).await.expect("a batch in time").unwrap();
        messages += batch.bodies.len();
        traces.extend(batch.traces);
        source.commit(batch.token).await.unwrap();
    }
    assert_eq!(traces, [trace]);
}

pub(crate) async fn a_commit_holds_for_all_before_it_and_what_is_behind_comes_again_or_is_unknown<T: Transport>(
    transport: T,
) {
    let mut source = transport.source("first").await.unwrap();
    let mut window = window(&transport).await;
    for at in 0..10 {
        window.publish(at, &message(at, 1)).await.unwrap();
    }
    let mut tokens = Vec::new();
    for at in 0..8 {
        let received = timeout(DEADLINE, source.receive()).await.expect("a message in time").unwrap();
        assert_eq!(number(&received.body), at);
        tokens.push(received.token);
    }
    source.commit(tokens[2]).await.unwrap();
    source.commit(tokens[5]).await.unwrap();
    // Closed, not dropped: RabbitMQ may lose the newest commits of a connection that is cut, and sends those messages
    // again.
    source.close().await;
    let mut second = batches(&transport).await;
    let (confirmed, unknown) = settle::<T>(&mut window).await;
    assert!((0..6).all(|at| confirmed.contains(&at)), "{unknown:?} were committed");
    let mut again = BTreeSet::new();
    while (6..10).any(|at| !unknown.contains(&at) && !again.contains(&at)) {
        let batch = timeout(DEADLINE, second.next_batch()).await.expect("the rest in time").unwrap();
        again.extend(batch.bodies.iter().map(|body| number(body)));
        second.commit(batch.token).await.unwrap();
    }
    assert!(again.iter().all(|at| *at >= 6), "{again:?} holds what was committed");
}

pub(crate) async fn nothing_that_is_confirmed_is_lost_however_often_the_syncer_dies_in_mid_batch<T: Transport>(
    transport: T,
) {
    let seed = rand::random();
    println!("seed {seed}");
    let mut rng = SmallRng::seed_from_u64(seed);
    let relay = tokio::spawn({
        let transport = transport.clone();
        async move { publish_until_confirmed(&transport, 0..2_000).await }
    });
    let mut committed = BTreeSet::new();
    let mut deaths = 0;
    while committed.len() < 2_000 {
        let mut source = batches(&transport).await;
        for _ in 0..rng.random_range(0..3) {
            let batch = timeout(DEADLINE, source.next_batch()).await.expect("a batch in time").unwrap();
            source.commit(batch.token).await.unwrap();
            committed.extend(batch.bodies.iter().map(|body| number(body)));
            if committed.len() == 2_000 {
                break;
            }
        }
        // It dies with a batch in hand, or before it has one.
        let _ = timeout(A_MOMENT, source.next_batch()).await;
        deaths += 1;
    }
    assert!(deaths > 1);
    // What a relay that lost its source sends again is taken as well, until it is content.
    let drained = async {
        loop {
            let mut source = batches(&transport).await;
            while let Ok(batch) = source.next_batch().await {
                source.commit(batch.token).await.unwrap();
            }
        }
    };
    tokio::select! {
        ended = timeout(DEADLINE, relay) => ended.expect("confirmed in time").unwrap(),
        () = drained => {}
    }
}

pub(crate) async fn nothing_is_lost_however_often_the_relay_dies<T: Transport>(transport: T) {
    let mut source = batches(&transport).await;
    let mut committed = BTreeSet::new();
    for round in 0..5 {
        let mut window = window(&transport).await;
        for at in round * 20..(round + 1) * 20 {
            window.publish(at, &message(at, 1)).await.unwrap();
        }
        let mut confirmed = 0;
        // It dies with some in flight, and the next one sends them again.
        while confirmed < 5 {
            tokio::select! {
                (_, outcome) = window.settled() => confirmed += u64::from(outcome.is_confirmed()),
                batch = source.next_batch() => {
                    let batch = batch.unwrap();
                    source.commit(batch.token).await.unwrap();
                    committed.extend(batch.bodies.iter().map(|body| number(body)));
                }
            }
        }
        drop(window);
        let again = publish_until_confirmed(&transport, round * 20..(round + 1) * 20);
        let taken = async {
            loop {
                let batch = source.next_batch().await.unwrap();
                source.commit(batch.token).await.unwrap();
                committed.extend(batch.bodies.iter().map(|body| number(body)));
            }
        };
        tokio::select! {
            () = again => {}
            () = taken => {}
        }
    }
    while committed.len() < 100 {
        let batch = timeout(DEADLINE, source.next_batch()).await.expect("the rest in time").unwrap();
        source.commit(batch.token).await.unwrap();
        committed.extend(batch.bodies.iter().map(|body| number(body)));
    }
}

pub(crate) async fn a_paused_source_gives_nothing_and_loses_nothing<T: Transport>(transport: T) {
    let mut source = batches(&transport).await;
    let mut window = window(&transport).await;
    for at in 0..10 {
        window.publish(at, &message(at, 1)).await.unwrap();
    }
    // In hand, and not committed: it is given back.
    let batch = timeout(DEADLINE, source.next_batch()).await.expect("a batch in time").unwrap();
    assert_eq!(number(&batch.bodies[0]), 0);
    source.set_paused(true).await.unwrap();
    source.set_paused(true).await.unwrap();
    for at in 10..20 {
        window.publish(at, &message(at, 1)).await.unwrap();
    }
    assert!(timeout(A_MOMENT, source.next_batch()).await.is_err(), "it gives something");
    assert!(source.is_paused() && window.publisher().is_connected());
    source.set_paused(false).await.unwrap();
    let (mut open, mut got): (BTreeSet<u64>, _) = ((0..20).collect(), BTreeSet::new());
    while !open.is_subset(&got) {
        tokio::select! {
            // Whose outcome is unknown is the relay's to send again.
            (cargo, outcome) = window.settled(), if !window.is_idle() => {
                if !outcome.is_confirmed() {
                    open.remove(&cargo.unwrap());
                }
            }
            batch = timeout(DEADLINE, source.next_batch()) => {
                let batch = batch.expect("the rest in time").unwrap();
                got.extend(batch.bodies.iter().map(|body| number(body)));
                source.commit(batch.token).await.unwrap();
            }
        }
    }
    assert!((10..20).all(|at| open.contains(&at)), "only what was in hand may be unknown: {open:?}");
}

/// What a barrier relies on.
pub(crate) async fn what_was_in_hand_comes_again_before_what_is_published_later<T: Transport>(transport: T) {
    for pauses in [false, true] {
        let mut source = batches(&transport).await;
        let mut early = window(&transport).await;
        for at in 0..10 {
            early.publish(at, &message(at, 1)).await.unwrap();
        }
        let in_hand = timeout(DEADLINE, source.next_batch()).await.expect("a batch in time").unwrap();
        assert_eq!(number(&in_hand.bodies[0]), 0);
        if pauses {
            source.set_paused(true).await.unwrap();
            source.set_paused(false).await.unwrap();
        } else {
            drop(source);
            source = batches(&transport).await;
        }
        let mut late = window(&transport).await;
        late.publish(10, &message(10, 1)).await.unwrap();
        let mut got = BTreeSet::new();
        while !got.contains(&10) {
            let batch = timeout(DEADLINE, source.next_batch()).await.expect("the rest in time").unwrap();
            got.extend(batch.bodies.iter().map(|body| number(body)));
            source.commit(batch.token).await.unwrap();
        }
        assert_eq!(got, (0..=10).collect(), "it was overtaken, with a pause: {pauses}");
    }
}

pub(crate) async fn what_was_given_back_cannot_be_committed<T: Transport>(transport: T) {
    let mut source = batches(&transport).await;
    let mut window = window(&transport).await;
    window.publish(1, &message(1, 1)).await.unwrap();
    let batch = timeout(DEADLINE, source.next_batch()).await.expect("a batch in time").unwrap();
    source.set_paused(true).await.unwrap();
    assert!(matches!(source.commit(batch.token).await, Err(Error::Away(_))));
    source.set_paused(false).await.unwrap();
    assert!(matches!(source.commit(batch.token).await, Err(Error::Away(_))));
}

pub(crate) async fn a_batch_that_was_not_waited_for_is_whole_the_next_time<T: Transport>(transport: T) {
    let mut source = batches(&transport).await;
    let relay = tokio::spawn({
        let transport = transport.clone();
        async move { publish_until_confirmed(&transport, 0..200).await }
    });
    let mut got = Vec::new();
    while got.len() < 200 {
        // Given up at every await, as often as it takes.
        let next = async {
            tokio::select! {
                biased;
                batch = source.next_batch() => Some(batch.unwrap()),
                () = tokio::task::yield_now() => None,
            }
        };
        if let Some(batch) = next.await {
            got.extend(batch.bodies.iter().map(|body| number(body)));
            source.commit(batch.token).await.unwrap();
        }
    }
    assert_eq!(got, (0..200).collect::<Vec<_>>());
    timeout(DEADLINE, relay).await.expect("confirmed in time").unwrap();
}

pub(crate) async fn a_batch_is_bounded_in_messages_and_bytes<T: Transport>(transport: T) {
    let mut source = batches(&transport).await;
    let mut window = window(&transport).await;
    for at in 0..WINDOW_MESSAGES_MAX as u64 {
        window.publish(at, &message(at, 1)).await.unwrap();
    }
    let mut taken = 0;
    while taken < WINDOW_MESSAGES_MAX {
        let batch = timeout(DEADLINE, source.next_batch()).await.expect("a batch in time").unwrap();
        assert!((1..=BATCH_MESSAGES_MAX).contains(&batch.bodies.len()), "{}", batch.bodies.len());
        taken += batch.bodies.len();
        source.commit(batch.token).await.unwrap();
    }
    settle::<T>(&mut window).await;
    for at in 0..20 {
        window.publish(at, &message(at, BATCH_BYTES_MAX / 4)).await.unwrap();
    }
    let mut taken = 0;
    while taken < 20 {
        let batch = timeout(DEADLINE, source.next_batch()).await.expect("a batch in time").unwrap();
        assert!((1..=4).contains(&batch.bodies.len()), "{}", batch.bodies.len());
        taken += batch.bodies.len();
        source.commit(batch.token).await.unwrap();
    }
}

pub(crate) async fn the_window_is_bounded_in_messages_and_bytes<T: Transport>(transport: T) {
    for (bytes, want) in [(1, WINDOW_MESSAGES_MAX), (WINDOW_BYTES_MAX / 8, 8)] {
        let mut source = batches(&transport).await;
        source.set_paused(true).await.unwrap();
        let mut window = window(&transport).await;
        let mut count = 0;
        while window.has_room() {
            window.publish(count, &message(count, bytes)).await.unwrap();
            count += 1;
        }
        assert_eq!(count, want as u64, "of {bytes} bytes");
    }
}
