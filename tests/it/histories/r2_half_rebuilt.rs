//! Before: the sale of 600 sold units opened with 344 of them for sale again; new buyers got 201, and then a rejection.

use flash_tests::proxy::Hold;

use super::gateway::{Gateway, Way};
use super::ledger::Ledger;
use super::sale::{create, lose};
use crate::support::world::World;

/// More than two commands carry at once.
const SOLD: usize = 600;

#[test]
fn a_half_rebuilt_sale_is_not_taken_for_whole() {
    let mut world = World::start_direct("r2");
    create(&world, &format!("\"total\":{SOLD}"));
    let mut ledger = Ledger::default();
    ledger.sell(&world, (0..SOLD).map(|buyer| format!("buyer-{buyer}")));
    world.wait_for_empty_journal("drop");
    world.kill_gateway();
    lose(&world);
    // One dies after the first of the reservations, the next ones before they make the sale anew.
    let warm = || Hold::first(&["FLASH.WARM"]);
    for stop in [Hold::first(&["FLASH.REBUILD"]).skip(1), warm(), warm().skip(1)] {
        let gateway = Gateway::start(&world, Some((Way::Redis, stop)));
        gateway.wait_until_held(Way::Redis);
        gateway.kill();
    }
    world.start_gateway();
    let answer = ledger.reserve_patiently(&world, "one-too-many");
    assert_eq!(answer.problem(), "sold-out", "all {SOLD} units are sold: {answer:?}");
    ledger.check(&world, SOLD as u64);
    assert_eq!(ledger.len(), SOLD);
    ledger.check_no_rejections(&world);
}
