//! Before: GET said `held`, a confirm by balance was answered 200 and refunded later; no order, no rejection.

use super::ledger::{Ledger, check_audit};
use super::sale::{PATH, create};
use crate::support::wait;
use crate::support::world::World;

#[test]
fn a_discarded_reservation_is_a_rejection() {
    let world = World::start_direct("p7");
    world.sql("ALTER TABLE orders ADD CONSTRAINT no_eve CHECK (buyer <> 'eve')");
    create(&world, "\"total\":5,\"hold_ms\":600000");
    let mut ledger = Ledger::default();
    let held = ledger.reserve_patiently(&world, "eve");
    let path = format!("{PATH}/reservations/{}", held.id().expect("an id"));
    world.wait_for_empty_journal("drop");
    let discarded = wait::until("a discard", || {
        let answer = world.http().post("/v1/quarantine/1/discard", "").expect("an answer");
        (answer.status < 500).then_some(answer)
    });
    assert_eq!(discarded.body["outcome"], "discarded", "{discarded:?}");
    let seen = wait::until("an answer", || {
        let answer = world.http().get(&path).expect("an answer");
        (answer.status == 200).then_some(answer)
    });
    assert_eq!(seen.body["state"], "rejected", "{seen:?}");
    // Redis learns of it within a moment, as of every rejection.
    wait::until("a confirm that is refused", || {
        let answer = world.http().post(&format!("{path}/confirm"), "").expect("an answer");
        (answer.status >= 400 && answer.status < 500).then_some(())
    });
    ledger.check(&world, 5);
    check_audit(&world);
}
