//! Before: six buyers got 201 again, each under a new id, and their second orders were rejected.

use flash_tests::proxy::Hold;

use super::gateway::{Gateway, Way};
use super::ledger::Ledger;
use super::sale::{create, dump, forget_all_since, lose};
use crate::support::world::World;

#[test]
fn a_sale_that_lost_what_it_was_given_back_does_not_open() {
    let mut world = World::start_direct("r5");
    create(&world, "\"total\":10");
    let mut ledger = Ledger::default();
    ledger.sell(&world, (0..6).map(|buyer| format!("buyer-{buyer}")));
    world.wait_for_empty_journal("drop");
    world.kill_gateway();
    lose(&world);
    let gateway = Gateway::start(&world, Some((Way::Redis, Hold::first(&["FLASH.REBUILD"]))));
    gateway.wait_until_held(Way::Redis);
    let empty = dump(&world);
    gateway.redis.hold(Hold::first(&["FLASH.UNFENCE"]));
    gateway.wait_until_held(Way::Redis);
    forget_all_since(&world, &empty);
    gateway.go_on();
    world.start_gateway();
    ledger.check_repeats(&world);
    ledger.check(&world, 10);
    ledger.check_no_rejections(&world);
}
