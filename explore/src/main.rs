//! `cargo run --release -p flash-explore -- --minutes n --seed s [--planted NAME]`.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use flash_explore::{PLANTED, Rules, explain, explore, run, tell};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).map(String::as_str)
    };
    let minutes: f64 = value("--minutes").and_then(|value| value.parse().ok()).unwrap_or(1.0);
    let first: u64 = value("--seed").and_then(|value| value.parse().ok()).unwrap_or(1);
    let planted = value("--planted");
    let rules = planted.and_then(|name| PLANTED.iter().find(|planted| planted.name == name));
    let rules = rules.map_or(Rules::ALL, |planted| planted.rules);
    let rules = if planted == Some("PLANNED") { Rules::PLANNED } else { rules };
    if arguments.iter().any(|argument| argument == "--exhaustive") {
        return exhaust(rules);
    }
    random(first, Duration::from_secs_f64(minutes * 60.0), rules)
}

/// Runs seeds, one after the other, until the time is over or one fails.
fn random(first: u64, time: Duration, rules: Rules) -> ExitCode {
    let (began, mut steps, mut seed) = (Instant::now(), 0, first);
    while began.elapsed() < time {
        let outcome = run(seed, rules);
        steps += outcome.steps;
        if outcome.broken.is_some() {
            report(seed, rules);
            summary(first, seed, steps, began.elapsed());
            return ExitCode::FAILURE;
        }
        seed += 1;
    }
    summary(first, seed - 1, steps, began.elapsed());
    ExitCode::SUCCESS
}

/// States that are kept at once, at most: half a gigabyte of marks.
const STATES_MAX: u64 = 20_000_000;

/// Explores every order of two recoveries' messages.
fn exhaust(rules: Rules) -> ExitCode {
    let began = Instant::now();
    let explored = explore(rules, STATES_MAX);
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

fn report(seed: u64, rules: Rules) {
    let Some(failure) = explain(seed, rules) else { return };
    println!("seed {seed}: {:?}, after {} steps:", failure.broken, failure.schedule.len());
    for line in tell(&failure, rules) {
        println!("  {line}");
    }
}

fn summary(first: u64, last: u64, steps: u64, took: Duration) {
    let rate = steps as f64 / took.as_secs_f64();
    println!("{steps} steps in {} schedules, seeds {first} to {last}; {rate:.0} steps a second", last - first + 1);
}
