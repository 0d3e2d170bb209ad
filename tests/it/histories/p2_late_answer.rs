//! Before: a queue that answered its consumer after 21.5 s was taken for frozen and deleted; Redis had lost the sale
//! meanwhile, so acknowledged orders were nowhere, and the audit said `whole`.

use flash_tests::proxy::{Direction, Hold};

use super::gateway::{proxy, through};
use super::ledger::Ledger;
use super::sale::{create, lose, wait_until_it_sells};
use crate::support::program::Program;
use crate::support::proxy::Proxy;
use crate::support::wait;
use crate::support::world::World;

/// What RabbitMQ answers to a consumer, `basic.consume-ok`: class 60, method 21.
const CONSUME_OK: &str = "\0\u{3c}\0\u{15}";
/// The heartbeats that a held connection does not hear are this far apart.
const RARE_HEARTBEAT: &str = "?heartbeat=60";
/// In the message by which a syncer probes a queue that has not answered its consumer for long.
const PROBE: &str = "probe";

#[test]
fn a_queue_that_answers_its_consumer_late_keeps_what_redis_has_lost() {
    let mut world = World::start_without_syncer();
    create(&world, "\"total\":9");
    let mut ledger = Ledger::default();
    wait::until("the sale in the queue", || (world.queued() > 0).then_some(()));
    for buyer in ["ada", "bob"] {
        let queued = world.queued();
        ledger.sell(&world, [buyer.to_owned()]);
        wait::until("the order in the queue", || (world.queued() > queued).then_some(()));
    }
    world.stop_gateway();
    lose(&world);
    let mut environment = world.environment();
    let amqp = &mut environment[1].1;
    let slow = proxy(amqp);
    let watched = Proxy::to(slow.address());
    watched.count(PROBE);
    let port = slow.address().port().to_string();
    *amqp = through(amqp, &slow).replace(&port, &watched.address.port().to_string()) + RARE_HEARTBEAT;
    slow.hold(Hold { direction: Direction::ToClient, ..Hold::first(&[CONSUME_OK]) });
    let _syncer = Program::start(&["-o", "json", "syncer"], &environment);
    wait::until("a consumer that waits for its answer", || slow.is_held().then_some(()));
    // A recovery waits for its barrier, which is in the same queue.
    world.start_gateway();
    wait::until("a syncer that probes the queue", || (watched.counted() > 0).then_some(()));
    slow.let_go();
    wait_until_it_sells(&world);
    ledger.check(&world, 9);
    ledger.check_no_rejections(&world);
    ledger.check_repeats(&world);
}
