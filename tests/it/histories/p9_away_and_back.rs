//! Before: epoch 1 was open again beside PostgreSQL's epoch 2, sold what was sold, and each 201 became a rejection.

use redis::Value;

use super::ledger::{Ledger, settle};
use super::sale::{KEY, create, wait_until_it_sells};
use crate::support::redis::run;
use crate::support::world::World;

/// Takes the sale away and brings it back over the one that was recovered meanwhile.
fn check(name: &str, away: &[&str], back: &[&str]) {
    let world = World::start_direct(name);
    create(&world, "\"total\":5");
    let mut ledger = Ledger::default();
    ledger.sell(&world, ["ada".to_owned()]);
    world.wait_for_empty_journal("drop");
    let redis = &mut world.redis.connect();
    for command in away {
        let _: Value = run(redis, command);
    }
    ledger.sell(&world, (1..5).map(|buyer| format!("buyer-{buyer}")));
    assert_ne!(wait_until_it_sells(&world)["epoch"], 1);
    world.wait_for_empty_journal("drop");
    for command in back {
        let _: Value = run(redis, command);
    }
    let mut http = world.http();
    for late in 0..50 {
        let answer = ledger.reserve(&mut http, &format!("late-{late}"));
        let is_refused = answer.status >= 500 || answer.problem() == "sold-out";
        assert!(is_refused, "{name}: all five units are sold: {answer:?}");
    }
    settle(&world);
    ledger.check(&world, 5);
    ledger.check_no_rejections(&world);
    ledger.check_repeats(&world);
}

#[test]
fn a_sale_that_was_renamed_and_renamed_back_sells_nothing_twice() {
    check("p9_rename", &[&format!("RENAME {KEY} elsewhere")], &[&format!("RENAME elsewhere {KEY}")]);
}

#[test]
fn a_sale_that_was_moved_and_moved_back_sells_nothing_twice() {
    let moved = format!("MOVE {KEY} 1");
    let back = ["SELECT 1", &format!("RENAME {KEY} elsewhere"), "MOVE elsewhere 0", "SELECT 0"];
    let over = format!("RENAME elsewhere {KEY}");
    check("p9_move", &[&moved], &[&back[..], &[&over]].concat());
}
