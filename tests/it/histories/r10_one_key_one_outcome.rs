//! Before: another key with other data was answered 200 and its data dropped; after 32 newer reservations, or a
//! rebuilding, the repeat of an ended reservation's request bought again.

use super::sale::{PATH, create, lose};
use crate::support::http::Answer;
use crate::support::wait;
use crate::support::world::World;

/// More than a buyer's keys that Redis keeps.
const NEWER: usize = 40;

fn reserve(world: &World, key: &str, body: &str) -> Answer {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    wait::until("a yes or a no", || {
        let answer = world.http().send("POST", &format!("{PATH}/reservations"), &headers, body).expect("an answer");
        (answer.status < 500).then_some(answer)
    })
}

fn release(world: &World, made: &Answer) {
    let path = format!("{PATH}/reservations/{}", made.id().unwrap_or_else(|| panic!("{made:?}")));
    wait::until("a release", || {
        (world.http().send("DELETE", &path, &[], "").expect("an answer").status == 200).then_some(())
    });
}

#[test]
fn under_a_limit_of_one_another_key_gets_no_replay_of_what_it_did_not_ask_for() {
    let world = World::start_direct("r10_limit");
    create(&world, "\"total\":5,\"hold_ms\":600000");
    let made = reserve(&world, "k1", "{\"buyer\":\"ada\",\"data\":1}");
    assert_eq!(made.status, 201, "{made:?}");
    let other = reserve(&world, "k2", "{\"buyer\":\"ada\",\"data\":2}");
    assert!(other.status >= 400, "its data is in no reservation: {other:?}");
    release(&world, &made);
    let repeated = reserve(&world, "k1", "{\"buyer\":\"ada\",\"data\":1}");
    assert_eq!((repeated.status, repeated.id()), (200, made.id()), "{repeated:?}");
}

#[test]
fn a_key_has_one_outcome_for_as_long_as_its_sale_exists() {
    let world = World::start_direct("r10_keys");
    create(&world, "\"total\":500,\"limit\":100,\"hold_ms\":600000");
    let body = "{\"buyer\":\"ada\"}";
    let made = reserve(&world, "first", body);
    release(&world, &made);
    for newer in 0..NEWER {
        release(&world, &reserve(&world, &format!("newer-{newer}"), body));
    }
    let check = |when: &str| {
        let repeated = reserve(&world, "first", body);
        assert_eq!((repeated.status, repeated.id()), (200, made.id()), "{when}: {repeated:?}");
    };
    check("after newer ones");
    world.wait_for_empty_journal("drop");
    lose(&world);
    check("after a rebuilding");
}
