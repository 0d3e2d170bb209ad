//! Before: an early event that came between the look at the early ones and the seal's lock stayed early in a sealed
//! epoch: no order, no rejection, and the audit said `whole`.

use flash_tests::proxy::Hold;

use super::gateway::{Gateway, Way};
use super::ledger::Ledger;
use super::queue::Queue;
use super::sale::{create, lose};
use crate::support::wait;
use crate::support::world::World;

/// What a seal says as it locks the epochs.
const LOCKS: [&str; 2] = ["INSERT INTO epochs (sale, epoch, head) VALUES", "sealed_at FROM epochs"];

#[test]
fn an_early_event_that_comes_while_its_epoch_is_sealed_becomes_an_order_or_a_rejection() {
    let mut world = World::start();
    create(&world, "\"total\":10");
    let queue = Queue::open(&world);
    let mut ledger = Ledger::default();
    ledger.sell(&world, ["ada".to_owned()]);
    world.wait_for_empty_journal("drop");
    world.kill_syncer();
    // The first of two events is lost in the broker, the second one is late.
    Ledger::default().sell(&world, ["lost".to_owned()]);
    let _lost = queue.take("lost");
    ledger.sell(&world, ["victim".to_owned()]);
    let late = queue.take("victim");
    world.kill_gateway();
    lose(&world);
    world.start_syncer();
    let gateway = Gateway::start(&world, Some((Way::Postgres, Hold::first(&LOCKS))));
    gateway.wait_until_held(Way::Postgres);
    queue.put(&late);
    wait::until("the event that is early", || (world.rows("SELECT count(*) FROM early") == ["1"]).then_some(()));
    gateway.go_on();
    world.start_gateway();
    ledger.check(&world, 10);
    assert_eq!(world.rows("SELECT count(*) FROM early"), ["0"]);
}
