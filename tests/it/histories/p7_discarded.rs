//! Before: GET said `held`, a confirm by balance was answered 200 and refunded later; no order, no rejection.

use super::ledger::{Ledger, check_audit};
use super::sale::{PATH, create};
use crate::support::wait;
use crate::support::world::World;

const ACCOUNT: &str = "{\"buyer\":\"eve\",\"balance\":9,\"currency\":\"EUR\"}";
/// Each way to confirm.
const CONFIRMS: [&str; 3] = ["{\"payment\":\"balance\"}", "{\"payment\":\"external\",\"reference\":\"a\"}", ""];

#[test]
fn a_discarded_reservation_is_a_rejection() {
    let world = World::start_direct("p7");
    world.sql("ALTER TABLE orders ADD CONSTRAINT no_eve CHECK (buyer <> 'eve')");
    let product = "{\"product\":\"shirt\",\"name\":\"A shirt\",\"price\":3,\"currency\":\"EUR\"}";
    for (path, body) in [("/v1/products", product), ("/v1/buyers", ACCOUNT)] {
        let answer = world.http().post(path, body).expect("an answer");
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    create(&world, "\"total\":5,\"hold_ms\":600000,\"product\":\"shirt\"");
    let mut ledger = Ledger::default();
    let held = ledger.reserve_patiently(&world, "eve");
    let path = format!("{PATH}/reservations/{}", held.id().expect("an id"));
    world.wait_for_empty_journal("drop");
    let discarded = wait::until("a discard", || {
        let answer = world.http().post("/v1/quarantine/1/discard", "").expect("an answer");
        (answer.status < 500).then_some(answer)
    });
    assert_eq!(discarded.body["outcome"], "discarded", "{discarded:?}");
    // The discard was answered: whatever comes after it, nothing is confirmed, and what is paid is due to be refunded.
    wait::until("confirms that are refused", || {
        let confirm = |body: &&str| world.http().post(&format!("{path}/confirm"), body).expect("an answer");
        let answers: Vec<_> = CONFIRMS.iter().map(confirm).collect();
        assert!(answers.iter().all(|answer| answer.status >= 400), "{answers:?}");
        answers.iter().all(|answer| answer.status < 500).then_some(())
    });
    assert_eq!(world.rows("SELECT state FROM payments"), ["refund_due"]);
    let seen = wait::until("an answer", || {
        let answer = world.http().get(&path).expect("an answer");
        (answer.status == 200).then_some(answer)
    });
    assert_eq!(seen.body["state"], "rejected", "{seen:?}");
    ledger.check(&world, 5);
    check_audit(&world);
}
