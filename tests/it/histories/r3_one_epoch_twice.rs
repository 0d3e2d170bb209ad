//! Before: two buyers got 201 with the same id; PostgreSQL had the first; the second saw the first one's order.

use super::ledger::Ledger;
use super::queue::Queue;
use super::sale::{create, dump, forget_all_since, wait_until_it_sells};
use crate::support::world::World;

#[test]
fn an_epoch_that_redis_forgot_is_not_begun_again() {
    let mut world = World::start_without_syncer();
    create(&world, "\"total\":10");
    let queue = Queue::open(&world);
    let mut ledger = Ledger::default();
    world.start_syncer();
    ledger.sell(&world, ["ada".to_owned()]);
    world.wait_for_empty_journal("drop");
    let whole = dump(&world);
    // The sale is in doubt, whole, and begins its second life.
    forget_all_since(&world, &whole);
    let second = wait_until_it_sells(&world)["epoch"].clone();
    assert_ne!(second, 1);
    // What the first victim does in it stays on its way, and Redis forgets that life.
    world.kill_syncer();
    ledger.sell(&world, ["victim-1".to_owned()]);
    let late = queue.take("victim-1");
    world.start_syncer();
    forget_all_since(&world, &whole);
    ledger.sell(&world, ["victim-2".to_owned()]);
    queue.put(&late);
    ledger.check(&world, 10);
}
