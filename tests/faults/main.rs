//! The fault harness: the real processes, killed, stopped, cut off and starved, while buyers buy; and a checker that
//! knows what each of them was told. `make test-faults` runs it as the CI does, `make soak` at length; `docs/faults.md`
//! says what it shows and what not.

mod args;
mod background;
mod checker;
mod eyes;
mod links;
mod load;
mod observer;
mod process;
mod proxy;
mod queues;
mod report;
mod round;
mod runner;
mod scenarios;
mod strike;
mod world;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::args::{Args, Column};
use crate::runner::Outcome;
use crate::scenarios::{SCENARIOS, Scenario};

fn main() -> ExitCode {
    let args = Args::read();
    let chosen: Vec<&'static Scenario> = SCENARIOS.iter().filter(|scenario| args.wants(scenario)).collect();
    if chosen.is_empty() && args.column != Column::Smoke {
        eprintln!(
            "there is no such scenario; there are {}",
            SCENARIOS.iter().map(|s| s.name).collect::<Vec<_>>().join(" ")
        );
        return ExitCode::FAILURE;
    }
    if let Err(error) = checker::ensure_awake() {
        eprintln!("{error:#}");
        return ExitCode::FAILURE;
    }
    let seed = args.seed();
    let end = Instant::now() + Duration::from_secs(args.minutes * 60);
    let mut outcomes: Vec<Outcome> = Vec::new();
    for (at, scenario) in chosen.iter().enumerate() {
        let count = args.count(scenario);
        let wanted: u64 = chosen[at..].iter().map(|later| args.work_ms(later)).sum();
        // What one leaves of its time is for those behind it.
        let left = end.saturating_duration_since(Instant::now());
        let time = left.mul_f64(args.work_ms(scenario) as f64 / wanted as f64);
        eprintln!("{} {}: {count}, from FAULT_SEED={seed}", scenario.number, scenario.name);
        let outcome = runner::run(scenario, count, seed, time);
        eprintln!("{}", report::line(&outcome, count));
        if let Some(failed) = &outcome.failed {
            eprintln!("VIOLATION in {} {}\n{failed:#}", scenario.number, scenario.name);
            eprintln!("repeat it with {}", args.repeat(scenario, failed));
        }
        outcomes.push(outcome);
    }
    if args.column != Column::Smoke {
        println!("{}", report::table(&outcomes));
    }
    if let Some(file) = &args.report {
        report::write(file, &outcomes);
    }
    let failed = outcomes.iter().any(|outcome| outcome.failed.is_some());
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
