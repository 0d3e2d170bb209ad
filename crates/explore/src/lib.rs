//! A deterministic simulator of one sale and everything around it: gateways with relay, recovery and sweep, syncers,
//! buyers and an operator as small machines; Redis as the real `flash-sale` crate under a thin shell; PostgreSQL and
//! the broker as models. Every message is a step that may come late, never, or with its answer lost, and every server
//! may forget.
//!
//! After each step the promises are checked (`witness`), and after the last fault everything must heal.

#![forbid(unsafe_code)]

mod actors;
mod broker;
pub mod conformance;
mod decide;
mod describe;
mod exhaustive;
mod faults;
mod hashed;
mod message;
mod model;
mod planted;
mod postgres;
mod random;
mod redis;
mod remains;
mod rules;
mod shrink;
mod step;
mod witness;
mod world;

pub use exhaustive::{Bounds, Explored, explore, explore_replays};
pub use planted::{Found, PLANTED, Planted};
pub use random::Outcome;
pub use rules::Rules;
pub use step::{Fault, Step};
pub use witness::Broken;

/// A schedule that breaks a promise.
#[derive(Debug, Clone)]
pub struct Failure {
    /// It belongs to the world of this seed.
    pub seed: u64,
    /// The promise.
    pub broken: Broken,
    /// The steps, without those that it does not need.
    pub schedule: Vec<Step>,
}

/// Runs the schedule of a seed.
#[must_use]
pub fn run(seed: u64, rules: Rules) -> Outcome {
    random::run(seed, rules, &[], |_| {})
}

/// Runs the schedule of a seed without a planted bug's mechanisms, and with the faults that lead to it.
#[must_use]
pub fn run_planted(seed: u64, planted: &Planted) -> Outcome {
    random::run(seed, planted.rules, planted.faults, |_| {})
}

/// Runs the same schedule with all mechanisms.
#[must_use]
pub fn run_unplanted(seed: u64, planted: &Planted) -> Outcome {
    random::run(seed, Rules::ALL, planted.faults, |_| {})
}

/// Runs a seed that fails again, with these faults only, should there be any, and finds a shorter schedule that fails
/// alike.
#[must_use]
pub fn explain(seed: u64, rules: Rules, faults: &[Fault]) -> Option<Failure> {
    let mut schedule = Vec::new();
    let broken = random::run(seed, rules, faults, |step| schedule.push(step)).broken?;
    let schedule = shrink::shrink(seed, rules, schedule, broken);
    Some(Failure { seed, broken, schedule })
}

/// Lines that are shown of a healing.
const HEALING_LINES_MAX: usize = 12;

/// What a schedule does, step by step, in words.
#[must_use]
pub fn tell(failure: &Failure, rules: Rules) -> Vec<String> {
    let mut world = random::world_of(failure.seed, rules);
    let mut told = Vec::new();
    for step in &failure.schedule {
        told.push(world.describe(*step));
        if world.step(*step).is_err() {
            return told;
        }
    }
    told.push("no more faults, everyone works in turn; at the end:".to_owned());
    let mut last = std::collections::VecDeque::new();
    let _ = random::heal(&mut world, |world, step| {
        let is_answered = matches!(step, Step::Carry { .. } | Step::Late { .. });
        if is_answered && !world.is_a_look(step) && last.len() == HEALING_LINES_MAX {
            last.pop_front();
        }
        if is_answered && !world.is_a_look(step) {
            last.push_back(world.describe_call(step));
        }
    });
    told.extend(last);
    told
}
