//! Before: new buyers got the ids of old ones, PostgreSQL skipped them as duplicates, and the audit said `whole`.

use serde_json::Value;

use super::ledger::Ledger;
use super::sale::{KEY, create};
use crate::support::redis::run;
use crate::support::world::World;

#[test]
fn a_sale_that_was_warmed_by_hand_after_a_loss_is_noticed() {
    let world = World::start_direct("r7");
    create(&world, "\"total\":10");
    let (mut old, mut ledger) = (Ledger::default(), Ledger::default());
    old.sell(&world, ["ada", "bob", "eve"].map(str::to_owned));
    world.wait_for_empty_journal("drop");
    // As the gateway warmed it.
    let redis = &mut world.redis.connect();
    for command in ["MULTI", &format!("DEL {KEY}"), &format!("FLASH.WARM {KEY} 10 LIMIT 1 JOURNAL 1000000"), "EXEC"] {
        let _: redis::Value = run(redis, command);
    }
    // Whether this one still gets in before anyone notices is a matter of time. If so, this buyer gets the number of
    // another, which Redis cannot know, and then a rejection.
    ledger.reserve(&mut world.http(), "victim-1");
    ledger.reserve_patiently(&world, "victim-2");
    ledger.check_each(&world, 10);
    old.check_repeats(&world);
    old.check_each(&world, 10);
    // The audit names the numbers that two buyers were given, if there are any, and nothing else.
    let (_, reports) = world.flash(&["audit"]);
    let findings = reports[0]["findings"].as_array().expect("findings");
    let is_told = |finding: &Value| ["shared_id", "rejected"].map(Value::from).contains(&finding["kind"]);
    assert!(findings.iter().all(is_told), "{findings:?}");
}
