//! The protocol keeps its promises under random and under all short histories, and every planted bug is found.

use flash_explore::{Bounds, PLANTED, Rules, explain, explore, run, run_planted, tell};

/// Schedules of a test, about a thousand steps each.
const SCHEDULES: u64 = 3_000;

fn check(rules: Rules) {
    for seed in 1..=SCHEDULES {
        if run(seed, rules).broken.is_none() {
            continue;
        }
        let failure = explain(seed, rules, &[]).expect("what failed fails again");
        let told = tell(&failure, rules).join("\n  ");
        panic!("seed {seed}: {:?}\n  {told}", failure.broken);
    }
}

#[test]
fn the_decisions_of_the_plan_keep_every_promise() {
    check(Rules::PLANNED);
}

#[test]
fn the_decisions_that_are_kept_here_keep_every_promise() {
    check(Rules::ALL);
}

#[test]
fn every_planted_bug_is_found() {
    for planted in &PLANTED {
        let found = planted.seeds.clone().find(|seed| run_planted(*seed, planted).broken.is_some());
        assert!(found.is_some(), "{}, {}: not found by the seeds {:?}", planted.name, planted.what, planted.seeds);
    }
}

#[test]
fn no_order_of_two_recoveries_breaks_a_promise() {
    let bounds = Bounds { faults: 0, sales: 0, given_up: 1, ..Bounds::CI };
    let explored = explore(Rules::ALL, bounds);
    assert!(explored.is_complete && explored.broken.is_none(), "{explored:?}");
}

#[test]
fn the_same_seed_is_the_same_schedule() {
    let steps = |seed| run(seed, Rules::PLANNED).steps;
    assert!((1..50).all(|seed| steps(seed) == steps(seed)));
}
