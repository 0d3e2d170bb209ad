//! Before: `pause` said paused while a syncer was blocked in a batch, whose order was written afterwards.

use std::time::Duration;

use super::ledger::Ledger;
use super::sale::create;
use crate::support::redis::run;
use crate::support::wait;
use crate::support::world::World;

/// Longer than a batch takes that nothing blocks.
const WRITTEN: Duration = Duration::from_secs(3);

#[test]
fn after_a_pause_nothing_is_written() {
    let world = World::start();
    create(&world, "\"total\":5");
    let mut ledger = Ledger::default();
    ledger.sell(&world, ["ada".to_owned()]);
    world.wait_for_empty_journal("drop");
    world.sql(
        "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SELECT FROM skus WHERE sale = 'drop' FOR UPDATE",
    );
    ledger.sell(&world, ["bob".to_owned()]);
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))";
    wait::until("a batch that is blocked", || (world.rows(waiting) != ["0"]).then_some(()));
    let (code, printed) = world.flash(&["syncer", "pause", "--timeout-s", "5"]);
    world.sql("COMMIT");
    let is_written = wait::within(WRITTEN, || (world.orders("drop") == 2).then_some(())).is_some();
    assert!(code != 0 || !is_written, "`pause` ended with {code}, and an order was written then: {printed:?}");
    assert_eq!(world.flash(&["syncer", "resume"]).0, 0);
    ledger.check(&world, 5);
}

/// No journal tells of it any more: only the queue has it.
#[test]
fn a_drain_waits_for_what_redis_has_forgotten() {
    let mut world = World::start_without_syncer();
    create(&world, "\"total\":9");
    wait::until("the sale in the queue", || (world.queued() > 0).then_some(()));
    let queued = world.queued();
    Ledger::default().sell(&world, ["ada".to_owned()]);
    wait::until("the order in the queue", || (world.queued() > queued).then_some(()));
    world.stop_gateway();
    let _: redis::Value = run(&mut world.redis.connect(), "FLUSHALL");
    let (code, printed) = world.flash(&["syncer", "drain", "--timeout-s", "3"]);
    let orders = world.orders("drop");
    assert!(code != 0 || orders == 1, "`drain` ended with {code} when {orders} of 1 orders were there: {printed:?}");
    world.start_syncer();
    assert_eq!(world.flash(&["syncer", "resume"]).0, 0);
    world.wait_for_orders("drop", 1);
}

#[test]
fn a_drain_waits_for_what_a_stopped_syncer_has_in_hand() {
    let world = World::start_without_syncer();
    let stopped = world.start_flash(&["syncer"]);
    create(&world, "\"total\":9");
    let mut ledger = Ledger::default();
    ledger.sell(&world, ["ada".to_owned()]);
    world.wait_for_empty_journal("drop");
    let another = world.start_flash(&["syncer"]);
    wait::until("two syncers", || (world.rows("SELECT count(*) FROM syncers") == ["2"]).then_some(()));
    stopped.pause();
    ledger.sell(&world, (0..5).map(|buyer| format!("buyer-{buyer}")));
    wait::until("messages in its hand", || {
        let sent = world.http().get("/v1/relay").expect("an answer");
        (sent.status == 200 && world.queued() == 0).then_some(())
    });
    let (code, printed) = world.flash(&["syncer", "drain", "--timeout-s", "20"]);
    let orders = world.orders("drop");
    stopped.resume();
    assert!(code != 0 || orders == 6, "`drain` ended with {code} when {orders} of 6 orders were there: {printed:?}");
    assert_eq!(world.flash(&["syncer", "resume"]).0, 0);
    ledger.check(&world, 9);
    drop(another);
}
