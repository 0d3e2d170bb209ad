//! Before: a released reservation that Redis had forgotten was shown as `held`, `persisted: true`.

use flash_tests::proxy::Hold;

use super::gateway::{Gateway, Way};
use super::ledger::Ledger;
use super::sale::{PATH, create, lose};
use crate::support::wait;
use crate::support::world::World;

#[test]
fn what_postgresql_may_not_know_yet_is_not_shown_as_its_state() {
    let mut world = World::start();
    create(&world, "\"total\":5,\"hold_ms\":600000");
    let mut ledger = Ledger::default();
    let ada = ledger.reserve_patiently(&world, "ada");
    world.wait_for_empty_journal("drop");
    let path = format!("{PATH}/reservations/{}", ada.id().expect("an id"));
    world.kill_syncer();
    assert_eq!(world.http().send("DELETE", &path, &[], "").expect("an answer").status, 200);
    wait::until("the release in the queue", || (world.queued() == 1).then_some(()));
    world.kill_gateway();
    lose(&world);
    let gateway = Gateway::start(&world, Some((Way::Postgres, Hold::first(&["INSERT INTO recoveries"]))));
    let shown = wait::until("an answer", || {
        let answer = gateway.http().get(&path).ok()?;
        (answer.status != 503 || answer.problem() == "fenced").then_some(answer)
    });
    let is_false = shown.body["state"] == "held" && shown.body["persisted"] == true;
    assert!(!is_false, "it was released: {shown:?}");
    gateway.go_on();
    world.start_syncer();
    world.start_gateway();
    wait::until("the release", || {
        let answer = world.http().get(&path).expect("an answer");
        (answer.body["state"] == "released").then_some(())
    });
}
