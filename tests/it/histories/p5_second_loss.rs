//! Before: 20 orders were refused as `late`, because the gateway that went on sealed without a barrier of its own.

use super::gateway::Gateway;
use super::ledger::Ledger;
use super::sale::{create, lose, wait_until_it_sells};
use crate::support::redis::run;
use crate::support::wait;
use crate::support::world::World;

/// Whether Redis takes what needs memory.
fn memory(world: &World, is_there: bool) {
    let bytes = if is_there { "0" } else { "1" };
    let _: redis::Value = run(&mut world.redis.connect(), &format!("CONFIG SET maxmemory {bytes}"));
}

#[test]
fn a_loss_while_a_doubt_rests_is_recovered_after_a_barrier_of_its_own() {
    let mut world = World::start();
    create(&world, "\"total\":30");
    let mut ledger = Ledger::default();
    ledger.sell(&world, ["ada".to_owned()]);
    world.wait_for_empty_journal("drop");
    let resting = Gateway::start(&world, None);
    resting.wait_until_ready();
    world.kill_gateway();
    // Nothing can be rebuilt: that doubt rests.
    memory(&world, false);
    lose(&world);
    wait::until("a rebuilding that failed", || {
        let errors: String = run(&mut world.redis.connect(), "INFO errorstats");
        errors.contains("errorstat_OOM").then_some(())
    });
    resting.pause();
    memory(&world, true);
    world.start_gateway();
    wait_until_it_sells(&world);
    world.wait_for_empty_journal("drop");
    // What is sold now waits in the queue, and then Redis loses the sale again.
    world.kill_syncer();
    ledger.sell(&world, (0..20).map(|buyer| format!("buyer-{buyer}")));
    world.stop_gateway();
    lose(&world);
    let sealed = world.rows("SELECT count(*) FROM epochs");
    resting.resume();
    resting.go_on();
    wait::within(Gateway::REST, || (world.rows("SELECT count(*) FROM epochs") != sealed).then_some(()));
    world.start_syncer();
    world.start_gateway();
    ledger.check_repeats(&world);
    ledger.check(&world, 30);
    ledger.check_no_rejections(&world);
}
