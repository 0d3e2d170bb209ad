//! Before: 20 orders for 15 units; the audit said `whole`. (Stopped on its way to Redis, where the message came late,
//! or at its question for the units that are sold.)

use flash_tests::proxy::Hold;

use super::gateway::{Gateway, Way};
use super::ledger::Ledger;
use super::sale::{create, lose, operate_patiently, wait_until_it_sells};
use crate::support::world::World;

/// What a recovery says to Redis after it has warmed the sale.
const AFTER_WARM: [&str; 3] = ["FLASH.RESTOCK", "FLASH.REBUILD", "FLASH.UNFENCE"];

/// 10 units, 5 more, and a loss. Gateway A has begun the next life and is stopped at `hold` for longer than its lease;
/// gateway B brings the sale back and sells all of it; A goes on.
fn check_stopped_at(name: &str, way: Way, hold: Hold) {
    let mut world = World::start_direct(name);
    create(&world, "\"total\":10");
    let mut ledger = Ledger::default();
    ledger.sell(&world, ["ada".to_owned()]);
    operate_patiently(&world, "restock", "{\"delta\":5}");
    world.wait_for_empty_journal("drop");
    world.kill_gateway();
    lose(&world);
    let stopped = Gateway::start(&world, Some((way, hold)));
    stopped.wait_until_held(way);
    world.start_gateway();
    assert_eq!(wait_until_it_sells(&world)["total"], 15);
    ledger.sell(&world, (1..15).map(|buyer| format!("buyer-{buyer}")));
    stopped.go_on();
    for late in 0..5 {
        let answer = ledger.reserve_patiently(&world, &format!("late-{late}"));
        assert_eq!(answer.problem(), "sold-out", "{way:?}: 15 units are sold: {answer:?}");
    }
    ledger.check(&world, 15);
    assert_eq!(wait_until_it_sells(&world)["total"], 15, "{way:?}");
    ledger.check_no_rejections(&world);
    ledger.check_repeats(&world);
}

#[test]
fn a_gateway_that_was_stopped_in_a_rebuilding_changes_no_total_of_a_later_life() {
    check_stopped_at("r1_redis", Way::Redis, Hold::first(&AFTER_WARM));
}

/// What it asks PostgreSQL for on its way: the terms, and who has what.
const QUESTIONS: [&str; 2] = ["SELECT sku, warmed_total FROM skus", "FROM orders WHERE sale = $1 AND id > $2"];

#[test]
fn a_gateway_that_was_stopped_on_its_way_to_postgresql_changes_no_total_of_a_later_life() {
    for (at, question) in QUESTIONS.into_iter().enumerate() {
        let hold = Hold::first(&[question]).after("INSERT INTO recoveries");
        check_stopped_at(&format!("r1_postgres_{at}"), Way::Postgres, hold);
    }
}
