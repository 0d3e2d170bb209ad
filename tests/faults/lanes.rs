//! Scenarios side by side: a round mostly waits, so two of them hardly slow each other down.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::args::Args;
use crate::report;
use crate::runner::{self, Outcome};
use crate::scenarios::Scenario;

/// What is still to be run.
struct Queue<'a> {
    args: &'a Args,
    seed: u64,
    end: Instant,
    left: Mutex<Vec<&'static Scenario>>,
}

/// Runs scenarios within the time that there is; what came of them, in their order.
pub(crate) fn run(args: &Args, scenarios: &[&'static Scenario]) -> Vec<Outcome> {
    let mut left = scenarios.to_vec();
    // The longest first, so that the lanes end together.
    left.sort_by_key(|scenario| args.work_ms(scenario));
    let end = Instant::now() + Duration::from_secs(args.minutes * 60);
    let queue = Queue { args, seed: args.seed(), end, left: Mutex::new(left) };
    let mut outcomes: Vec<Outcome> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..args.lanes).map(|_| scope.spawn(|| queue.run_lane())).collect();
        lanes.into_iter().flat_map(|lane| lane.join().expect("a lane does not panic")).collect()
    });
    outcomes.sort_by_key(|outcome| scenarios.iter().position(|scenario| std::ptr::eq(*scenario, outcome.scenario)));
    outcomes
}

impl Queue<'_> {
    fn run_lane(&self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        while let Some((scenario, time)) = self.next() {
            outcomes.push(self.run_one(scenario, time));
        }
        outcomes
    }

    /// The next scenario, and its time: what one leaves of its own is for those behind it.
    fn next(&self) -> Option<(&'static Scenario, Duration)> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted: u64 = left.iter().map(|scenario| self.args.work_ms(scenario)).sum();
        let scenario = left.pop()?;
        let time = self.end.saturating_duration_since(Instant::now());
        let share = self.args.work_ms(scenario) as f64 * f64::from(self.args.lanes) / wanted as f64;
        Some((scenario, time.mul_f64(share.min(1.0))))
    }

    fn run_one(&self, scenario: &'static Scenario, time: Duration) -> Outcome {
        let count = self.args.count(scenario);
        eprintln!("{} {}: {count}, from FAULT_SEED={}", scenario.number, scenario.name, self.seed);
        let outcome = runner::run(scenario, count, self.seed, time);
        eprintln!("{}", report::line(&outcome, count));
        if let Some(failed) = &outcome.failed {
            eprintln!("VIOLATION in {} {}\n{failed:#}", scenario.number, scenario.name);
            eprintln!("repeat it with {}", self.args.repeat(scenario, failed));
        }
        outcome
    }
}
