//! Before: events that were more than 100,000 beyond a gap were acknowledged and dropped; Redis lost the sale, and they
//! were nowhere, and the audit said `whole`.

use redis::{Pipeline, Value};

use super::ledger::check_audit;
use super::queue::Queue;
use super::sale::{KEY, create, lose, wait_until_it_sells};
use crate::support::wait;
use crate::support::world::World;

/// Reservations after the message that is lost: more than were kept once.
const FOLLOWING: usize = 101_000;
/// Commands that are sent at once.
const AT_ONCE: usize = 1_000;

/// The buyers of these numbers reserve.
fn reserve(redis: &mut redis::Connection, numbers: impl Iterator<Item = usize>) {
    let mut pipeline = Pipeline::new();
    for number in numbers {
        pipeline.cmd("FLASH.RESERVE").arg(KEY).arg(format!("buyer-{number}"));
    }
    let replies: Vec<Value> = pipeline.query(redis).expect("Redis takes them");
    assert!(replies.iter().all(|reply| matches!(reply, Value::Array(_))), "{:?}", replies.first());
}

#[test]
fn everything_that_is_taken_from_the_queue_is_kept_however_far_beyond_a_gap() {
    let mut world = World::start_without_syncer();
    create(&world, "\"total\":200000");
    world.stop_gateway();
    // Nothing is published twice meanwhile.
    world.start_gateway_with(&["--sweep-after-ms", "3600000"]);
    world.start_syncer();
    world.wait_for_empty_journal("drop");
    world.kill_syncer();
    let (queue, redis) = (Queue::open(&world), &mut world.redis.connect());
    reserve(redis, 0..1);
    let _lost = queue.take("buyer-0");
    world.start_syncer();
    for first in (1..=FOLLOWING).step_by(AT_ONCE) {
        reserve(redis, first..first + AT_ONCE);
    }
    let kept = || world.rows("SELECT count(*) FROM early")[0].parse::<usize>().expect("a number");
    wait::until("events beyond the gap", || (kept() > FOLLOWING - 2 * AT_ONCE).then_some(()));
    world.stop_gateway();
    wait::until("an empty queue", || (world.queued() == 0).then_some(()));
    lose(&world);
    world.start_gateway();
    wait_until_it_sells(&world);
    let missing = format!(
        "SELECT count(*) FROM generate_series(3, {FOLLOWING} + 1) AS given (id)
         WHERE NOT EXISTS (SELECT FROM orders WHERE sale = 'drop' AND orders.id = given.id)
         AND NOT EXISTS (SELECT FROM rejections WHERE sale = 'drop' AND rejections.id = given.id)"
    );
    assert_eq!(world.rows(&missing), ["0"], "acknowledged reservations are nowhere");
    check_audit(&world);
}
