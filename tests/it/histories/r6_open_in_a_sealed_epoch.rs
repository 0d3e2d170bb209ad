//! Before: the sale stayed open in its second epoch while PostgreSQL was in the third; each buyer got 201, and then a
//! rejection.

use flash_tests::proxy::Hold;

use super::gateway::{Gateway, Way};
use super::ledger::Ledger;
use super::sale::{KEY, create, lose};
use crate::support::redis::status;
use crate::support::wait;
use crate::support::world::World;

fn epoch(world: &World) -> i64 {
    status(&mut world.redis.connect(), KEY, "epoch")
}

#[test]
fn a_sale_is_not_open_in_an_epoch_that_another_gateway_seals() {
    let mut world = World::start_direct("r6");
    create(&world, "\"total\":20");
    let mut ledger = Ledger::default();
    ledger.sell(&world, ["ada".to_owned()]);
    world.wait_for_empty_journal("drop");
    world.kill_gateway();
    lose(&world);
    let first = Gateway::start(&world, Some((Way::Redis, Hold::first(&["FLASH.UNFENCE"]))));
    first.wait_until_held(Way::Redis);
    // It waits before it opens the second epoch; another finds that epoch whole, seals it, and waits before the third.
    let second = Gateway::start(&world, Some((Way::Redis, Hold::first(&["FLASH.UNFENCE"]))));
    second.wait_until_held(Way::Redis);
    first.go_on();
    // Whether it is open now or not: no answer may be false.
    ledger.reserve(&mut first.http(), "bob");
    second.go_on();
    world.start_gateway();
    ledger.sell(&world, (0..5).map(|buyer| format!("buyer-{buyer}")));
    ledger.check(&world, 20);
    ledger.check_no_rejections(&world);
    ledger.check_repeats(&world);
    wait::until("the newest epoch", || {
        let newest = world.rows("SELECT epoch FROM sales WHERE sale = 'drop'");
        (newest == [epoch(&world).to_string()]).then_some(())
    });
}
