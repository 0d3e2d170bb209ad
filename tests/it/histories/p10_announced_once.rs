//! Before: an order that a seal made out of an early event was not announced.

use super::ledger::{Ledger, settle};
use super::queue::Queue;
use super::sale::{create, lose};
use crate::support::wait;
use crate::webhooks::{Receiver, add, start};

#[test]
fn an_order_that_a_recovery_makes_is_announced_once() {
    let receiver = Receiver::start(&[]);
    let mut world = start();
    add(&world, &receiver.url());
    create(&world, "\"total\":10");
    let queue = Queue::open(&world);
    let mut ledger = Ledger::default();
    ledger.sell(&world, ["ada".to_owned()]);
    world.wait_for_empty_journal("drop");
    world.kill_syncer();
    Ledger::default().sell(&world, ["lost".to_owned()]);
    let _lost = queue.take("lost");
    ledger.sell(&world, ["victim".to_owned()]);
    let victim = queue.take("victim");
    world.stop_gateway();
    world.start_syncer();
    queue.put(&victim);
    wait::until("the event that is early", || (world.rows("SELECT count(*) FROM early") == ["1"]).then_some(()));
    lose(&world);
    world.start_gateway_with(&["--webhooks-private"]);
    ledger.check_repeats(&world);
    // Once more, late: it is written, and was announced.
    queue.put(&victim);
    settle(&world);
    ledger.sell(&world, ["last".to_owned()]);
    let announced = |buyer: &str| {
        let of_buyer = |body: &str| body.contains(&format!("\"{buyer}\""));
        receiver.came().iter().filter(|delivery| of_buyer(&delivery.json().to_string())).count()
    };
    wait::until("the last announcement", || (announced("last") == 1).then_some(()));
    wait::until("an announcement of the victim's order", || (announced("victim") > 0).then_some(()));
    assert_eq!(announced("victim"), 1);
    ledger.check(&world, 10);
}
