//! The protocol keeps its promises under random and under all short histories, and every planted bug is found.

use flash_explore::{
    Bounds, Fault, Found, PLANTED, Planted, Rules, explain, explore, explore_replays, run, run_planted, run_unplanted,
    tell,
};

/// Schedules of a test, about a thousand steps each.
const SCHEDULES: u64 = 5_000;

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
fn the_decisions_that_bugs_are_planted_in_keep_every_promise() {
    check(Rules::ALL);
}

/// By the violation that the bug is known for, in a schedule that breaks nothing with all mechanisms.
#[test]
fn every_planted_bug_is_found() {
    for planted in &PLANTED {
        let Planted { name, what, breaks, found, .. } = planted;
        let is_found = match found {
            Found::Seeds(seeds) => seeds.clone().any(|seed| {
                run_planted(seed, planted).broken == Some(*breaks) && run_unplanted(seed, planted).broken.is_none()
            }),
            Found::Replays => explore_replays(planted.rules).broken.is_some_and(|(broken, _)| broken == *breaks),
        };
        assert!(is_found, "{name}, {what}: {breaks:?} is not found by {found:?}");
    }
}

#[test]
fn no_small_history_of_the_quarantine_breaks_a_promise() {
    for rules in [Rules::ALL, Rules::PLANNED] {
        let explored = explore_replays(rules);
        assert!(explored.is_complete && explored.broken.is_none(), "{explored:?}");
    }
}

/// A relay publishes after the barrier what Redis lost before: neither the buyer's answer nor the syncer's delivery
/// makes that a promise again.
#[test]
fn what_only_a_relay_has_at_a_loss_is_lost() {
    use Fault::{CatchUp, Delay, Persist, Restart};
    let faults = &[Persist, Persist, Restart, Delay(0), CatchUp];
    assert!(explain(36_150, Rules::ALL, faults).is_none());
}

/// With every message carried out, late, answered in vain or never, one such mishap in each history: about 170,000
/// states.
#[test]
fn no_order_of_two_recoveries_breaks_a_promise() {
    let explored = explore(Rules::PLANNED, Bounds::CI);
    assert!(explored.is_complete && explored.broken.is_none(), "{explored:?}");
}

#[test]
fn the_same_seed_is_the_same_schedule() {
    let steps = |seed| run(seed, Rules::PLANNED).steps;
    assert!((1..50).all(|seed| steps(seed) == steps(seed)));
}
