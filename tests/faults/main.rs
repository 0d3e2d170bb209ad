//! The fault harness: the real processes, killed, stopped, cut off and starved, while buyers buy; and a checker that
//! knows each answer. `make test-faults` runs it as the CI does, `make soak` at length;
//! `docs/explanation/faults.md` says what it shows and what not.

mod args;
mod checker;
mod clocks;
mod eyes;
mod lanes;
mod links;
mod load;
mod observer;
mod process;
mod queues;
mod report;
mod round;
mod runner;
mod scenarios;
mod strike;
mod world;

use std::process::ExitCode;

use crate::args::{Args, Column};
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
    let outcomes = lanes::run(&args, &chosen);
    if args.column != Column::Smoke {
        println!("{}", report::table(&outcomes));
    }
    if let Some(file) = &args.report {
        report::write(file, &outcomes);
    }
    let failed = outcomes.iter().any(|outcome| !outcome.failed.is_empty());
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
