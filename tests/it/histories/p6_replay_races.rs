//! Before: the order stayed `held` for ever although it was confirmed and paid.

use flash_tests::proxy::Hold;

use super::gateway::{Gateway, Way};
use super::ledger::check_audit;
use super::sale::{PATH, create};
use crate::support::http::Http;
use crate::support::wait;
use crate::support::world::World;

/// Where a replay locks its message, and then what it asks before it locks the sale's epochs.
const LOCKS: &str = "FROM quarantine\n    WHERE id = $1 AND replayed_at IS NULL AND discarded_at IS NULL FOR";
const ASKS: &str = "SELECT epoch FROM sales WHERE sale = $1";

#[test]
fn a_replay_does_not_undo_what_happened_while_it_waited() {
    check("p6_message", Hold::first(&[LOCKS]));
    check("p6_epochs", Hold::first(&[ASKS]).after(LOCKS));
}

/// A replay is stopped there; meanwhile the buyer confirms.
fn check(name: &str, hold: Hold) {
    let world = World::start_direct(name);
    world.sql("ALTER TABLE orders ADD CONSTRAINT no_eve CHECK (buyer <> 'eve')");
    create(&world, "\"total\":5,\"hold_ms\":600000");
    let held = world.http().post(&format!("{PATH}/reservations"), "{\"buyer\":\"eve\"}").expect("an answer");
    let (id, number) = (held.id().expect("an id").to_owned(), held.number().expect("a number"));
    world.wait_for_empty_journal("drop");
    world.sql("ALTER TABLE orders DROP CONSTRAINT no_eve");
    let gateway = Gateway::start(&world, None);
    gateway.wait_until_ready();
    gateway.postgres.hold(hold);
    let address = gateway.address;
    let replay = std::thread::spawn(move || {
        Http::connect(address).and_then(|mut http| http.post("/v1/quarantine/1/replay", "")).map(|answer| answer.status)
    });
    gateway.wait_until_held(Way::Postgres);
    let confirmed = world.http().post(&format!("{PATH}/reservations/{id}/confirm"), "").expect("an answer");
    assert_eq!(confirmed.status, 200, "{confirmed:?}");
    world.wait_for_empty_journal("drop");
    gateway.postgres.let_go();
    // It may have been answered that its outcome is unknown.
    let _ = replay.join().expect("no panic");
    wait::until("an order", || world.order_state("drop", number));
    wait::until("a message that waits no more", || {
        let waiting = "SELECT count(*) FROM quarantine WHERE replayed_at IS NULL AND discarded_at IS NULL";
        if world.rows(waiting) != ["0"] {
            let _ = world.http().post("/v1/quarantine/1/replay", "");
        }
        (world.rows(waiting) == ["0"]).then_some(())
    });
    assert_eq!(world.order_state("drop", number).as_deref(), Some("confirmed"));
    check_audit(&world);
}
