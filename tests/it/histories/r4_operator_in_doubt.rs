//! Before: both were answered 200, the recovery brought back 10 units and an open sale, and ten orders came of it.

use flash_tests::proxy::Hold;

use super::gateway::{Gateway, Way};
use super::ledger::Ledger;
use super::sale::{create, dump, forget_all_since, operate, wait_until_it_sells};
use crate::support::redis::status;
use crate::support::wait;
use crate::support::world::World;

#[test]
fn what_an_operator_changes_in_a_sale_in_doubt_is_refused_or_kept() {
    let mut world = World::start_direct("r4");
    create(&world, "\"total\":10");
    let mut ledger = Ledger::default();
    world.wait_for_empty_journal("drop");
    let forgetful = dump(&world);
    ledger.sell(&world, (0..3).map(|buyer| format!("buyer-{buyer}")));
    world.wait_for_empty_journal("drop");
    world.kill_gateway();
    let gateway = Gateway::start(&world, None);
    gateway.wait_until_ready();
    gateway.postgres.hold(Hold::first(&["INSERT INTO recoveries"]));
    forget_all_since(&world, &forgetful);
    gateway.wait_until_held(Way::Postgres);
    let before: i64 = status(&mut world.redis.connect(), "flash:drop", "seq");
    let restock = operate(&mut gateway.http(), "restock", "{\"delta\":-5}");
    let close = operate(&mut gateway.http(), "close", "");
    for (command, answer) in [("restock", &restock), ("close", &close)] {
        let is_known = answer.status == 200 || answer.status == 503;
        assert!(is_known, "{command}: {answer:?}");
    }
    if restock.status != 200 && close.status != 200 {
        let after: i64 = status(&mut world.redis.connect(), "flash:drop", "seq");
        assert_eq!(after, before, "what is refused changes nothing");
    }
    gateway.postgres.let_go();
    world.start_gateway();
    let total = if restock.status == 200 { 5 } else { 10 };
    let sale = wait_until_it_sells(&world);
    let phase = if close.status == 200 { "closed" } else { "open" };
    assert_eq!((&sale["total"], &sale["phase"]), (&total.into(), &phase.into()), "{restock:?} {close:?}: {sale}");
    wait::until("an open sale", || {
        let opened = operate(&mut world.http(), "open", "");
        (opened.status == 200).then_some(())
    });
    for buyer in 3..12 {
        ledger.reserve_patiently(&world, &format!("buyer-{buyer}"));
    }
    ledger.check(&world, total);
    ledger.check_no_rejections(&world);
}
