//! `cargo run --release -p flash-explore -- [--seed s] [--minutes n | --schedules n]`: random schedules, one per seed.
//!
//! - `--schedules n`: so many seeds, however long they take.
//! - `--own`: with the decisions that are kept here, rather than those of `flash-plan`.
//! - `--planted NAME`: without the mechanisms that prevent a bug.
//! - `--replays`: every small history of the quarantine.
//! - `--exhaustive`: every order of two recoveries' messages, within `--faults`, `--sales`, `--given-up` and `--attempts`,
//!   up to `--states` different states.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use flash_explore::{
    Bounds, Broken, Explored, Fault, Found, PLANTED, Planted, Rules, explain, explore, explore_replays, run,
    run_planted, tell,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).map(String::as_str)
    };
    let minutes: f64 = value("--minutes").and_then(|value| value.parse().ok()).unwrap_or(1.0);
    let first: u64 = value("--seed").and_then(|value| value.parse().ok()).unwrap_or(1);
    let planted = value("--planted");
    let bug = planted.and_then(|name| PLANTED.iter().find(|planted| planted.name == name));
    if let Some(planted) = bug {
        if matches!(planted.found, Found::Replays) {
            return exhaust(|| explore_replays(planted.rules));
        }
        return find(first, Duration::from_secs_f64(minutes * 60.0), planted);
    }
    let rules = if arguments.iter().any(|argument| argument == "--own") { Rules::ALL } else { Rules::PLANNED };
    if arguments.iter().any(|argument| argument == "--replays") {
        return exhaust(|| explore_replays(rules));
    }
    if arguments.iter().any(|argument| argument == "--exhaustive") {
        let bound = |name: &str, usual: u8| value(name).and_then(|value| value.parse().ok()).unwrap_or(usual);
        let bounds = Bounds {
            faults: bound("--faults", Bounds::CI.faults),
            sales: bound("--sales", Bounds::CI.sales),
            given_up: bound("--given-up", Bounds::CI.given_up),
            attempts: bound("--attempts", Bounds::CI.attempts),
            states: value("--states").and_then(|value| value.parse().ok()).unwrap_or(Bounds::CI.states),
        };
        return exhaust(|| explore(rules, bounds));
    }
    let schedules: Option<u64> = value("--schedules").and_then(|value| value.parse().ok());
    let time = schedules.map_or(Duration::from_secs_f64(minutes * 60.0), |_| Duration::MAX);
    random(first, schedules.unwrap_or(u64::MAX), time, rules)
}

/// Runs seeds, one after the other, until the time is over, so many have run, or one fails.
fn random(first: u64, schedules: u64, time: Duration, rules: Rules) -> ExitCode {
    let (began, mut steps, mut seed) = (Instant::now(), 0, first);
    while began.elapsed() < time && seed - first < schedules {
        let outcome = run(seed, rules);
        steps += outcome.steps;
        if outcome.broken.is_some() {
            report(seed, rules, &[]);
            summary(first, seed, steps, began.elapsed());
            return ExitCode::FAILURE;
        }
        seed += 1;
    }
    summary(first, seed - 1, steps, began.elapsed());
    ExitCode::SUCCESS
}

/// Explores every order of some moves. Whether nothing was left out and nothing broken.
fn exhaust(explore: impl FnOnce() -> Explored) -> ExitCode {
    let began = Instant::now();
    let explored = explore();
    let (seconds, complete) = (began.elapsed().as_secs_f64(), explored.is_complete);
    println!(
        "{} states, {} moves, the longest history {} moves, {} healed, complete: {complete}; {seconds:.1} s",
        explored.states, explored.moves, explored.depth, explored.healed
    );
    let Some((broken, history)) = explored.broken else { return ExitCode::from(u8::from(!complete)) };
    println!("{broken:?}, after {} moves:", history.len());
    history.iter().for_each(|one| println!("  {one}"));
    ExitCode::FAILURE
}

/// Runs seeds until the planted bug is found, or the time is over.
fn find(first: u64, time: Duration, planted: &Planted) -> ExitCode {
    let (began, mut steps, mut seed) = (Instant::now(), 0, first);
    let mut others: BTreeMap<Broken, u64> = BTreeMap::new();
    while began.elapsed() < time {
        let outcome = run_planted(seed, planted);
        steps += outcome.steps;
        if let Some(broken) = outcome.broken.filter(|broken| *broken != planted.breaks) {
            *others.entry(broken).or_default() += 1;
        }
        if outcome.broken == Some(planted.breaks) {
            report(seed, planted.rules, planted.faults);
            summary(first, seed, steps, began.elapsed());
            return ExitCode::SUCCESS;
        }
        seed += 1;
    }
    println!("{}, {}: not found; schedules with other violations: {others:?}", planted.name, planted.what);
    summary(first, seed - 1, steps, began.elapsed());
    ExitCode::FAILURE
}

fn report(seed: u64, rules: Rules, faults: &[Fault]) {
    let Some(failure) = explain(seed, rules, faults) else { return };
    println!("seed {seed}: {:?}, after {} steps:", failure.broken, failure.schedule.len());
    for line in tell(&failure, rules) {
        println!("  {line}");
    }
}

fn summary(first: u64, last: u64, steps: u64, took: Duration) {
    let rate = steps as f64 / took.as_secs_f64();
    println!("{steps} steps in {} schedules, seeds {first} to {last}; {rate:.0} steps a second", last - first + 1);
}
