//! Before: the confirm that was counted as lost made the order `confirmed` in PostgreSQL while Redis held it, let it
//! expire and sold its unit again: `oversold`.

use super::ledger::{Ledger, settle};
use super::queue::Queue;
use super::sale::{PATH, create, lose, wait_until_it_sells};
use crate::support::wait;
use crate::support::world::World;

#[test]
fn a_confirm_that_was_counted_as_lost_changes_nothing_when_it_comes() {
    let mut world = World::start();
    create(&world, "\"total\":2,\"hold_ms\":600000");
    let queue = Queue::open(&world);
    let mut ledger = Ledger::default();
    let ada = ledger.reserve_patiently(&world, "ada");
    world.wait_for_empty_journal("drop");
    world.kill_syncer();
    let path = format!("{PATH}/reservations/{}", ada.id().expect("an id"));
    assert_eq!(world.http().post(&format!("{path}/confirm"), "").expect("an answer").status, 200);
    let confirm = queue.take("confirmed");
    ledger.sell(&world, ["bob".to_owned()]);
    world.stop_gateway();
    lose(&world);
    world.start_syncer();
    world.start_gateway();
    wait_until_it_sells(&world);
    settle(&world);
    queue.put(&confirm);
    wait::until("an empty queue", || (world.queued() == 0).then_some(()));
    ledger.sell(&world, []);
    for quarantined in world.rows("SELECT id FROM quarantine WHERE seq IS NOT NULL AND replayed_at IS NULL") {
        let answer = world.http().post(&format!("/v1/quarantine/{quarantined}/replay"), "").expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let released = world.http().send("DELETE", &path, &[], "").expect("an answer");
    if released.status == 200 {
        ledger.sell(&world, ["cleo".to_owned()]);
    }
    ledger.check(&world, 2);
    ledger.check_no_rejections(&world);
}
