//! A former run, and what is worse than it was then.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use flash_sim::Crowd;

use super::report::{Asked, Latency, Line};
use crate::args;
use crate::figures::{as_f64, rounded};
use crate::load::Outcome;

/// Whose latencies are compared: those of answers that decide.
const COMPARED: [Outcome; 3] = [Outcome::Reserved, Outcome::Replayed, Outcome::SoldOut];
/// Those that decide nothing, and leave the buyer to ask again.
const FAILED: [Outcome; 3] = [Outcome::Unavailable, Outcome::Unknown, Outcome::Error];
/// Of fewer requests, a p99 is that of one of them.
const REQUESTS_MIN: u64 = 100;
/// A machine's other work makes as much of a difference, whatever the tolerance.
const LATENCY_SLACK_MS: f64 = 1.0;
/// The same for requests that failed, of a hundred.
const FAILED_SLACK_PERCENT: f64 = 0.1;

/// Reads what `-o json` printed.
pub(super) fn read(file: &Path) -> Result<Line> {
    let named = || file.display().to_string();
    let text = fs::read_to_string(file).with_context(named)?;
    serde_json::from_str(&text).with_context(|| format!("{} is not a result of `flash bench -o json`", named()))
}

/// Whether it can be compared at all: said before anything is sent.
pub(super) fn check_load(baseline: &Line, args: &args::Bench, crowd: &Crowd) -> Result<()> {
    let Asked { buyers, repeat_percent, concurrency, rate } = baseline.asked;
    if baseline.asked == Asked::new(args, crowd) {
        return Ok(());
    }
    bail!(
        "the baseline is of another load: --buyers {buyers} --repeat-percent {repeat_percent} \
         --concurrency {concurrency} --rate {rate}"
    )
}

/// What is worse now, by more than so many per cent.
pub(super) fn worse(now: &Line, then: &Line, tolerance_percent: u64) -> Vec<String> {
    let tolerance = as_f64(tolerance_percent) / 100.0;
    let mut worse = Vec::new();
    if now.requests_per_s < then.requests_per_s * (1.0 - tolerance) {
        worse.push(format!("{} requests/s instead of {}", now.requests_per_s, then.requests_per_s));
    }
    let (failed, before) = (failed_percent(now), failed_percent(then));
    if failed > before * (1.0 + tolerance) + FAILED_SLACK_PERCENT {
        worse.push(format!("{} % of 503, 504 and errors instead of {} %", rounded(failed), rounded(before)));
    }
    for outcome in COMPARED {
        let of = |line: &Line| line.outcomes.get(&outcome).copied().filter(|of| of.requests >= REQUESTS_MIN);
        match (of(now), of(then)) {
            (Some(now), Some(then)) => worse.extend(slower(outcome, now, then, tolerance)),
            (None, Some(then)) => {
                worse.push(format!("{}: too few to compare with {}", outcome.name(), then.requests));
            }
            (_, None) => {}
        }
    }
    if now.generator_saturated && !then.generator_saturated {
        worse.push("the generator is saturated, and was not".to_owned());
    }
    worse
}

fn slower(outcome: Outcome, now: Latency, then: Latency, tolerance: f64) -> impl Iterator<Item = String> {
    let figures = [("p50", now.p50_ms, then.p50_ms), ("p99", now.p99_ms, then.p99_ms)];
    let is_slower = move |now: f64, then: f64| now > then * (1.0 + tolerance) && now > then + LATENCY_SLACK_MS;
    let slower = figures.into_iter().filter(move |(_, now, then)| is_slower(*now, *then));
    slower.map(move |(figure, now, then)| format!("{}: {figure} {now} ms instead of {then} ms", outcome.name()))
}

fn failed_percent(line: &Line) -> f64 {
    let failed = FAILED.iter().filter_map(|outcome| line.outcomes.get(outcome)).map(|of| of.requests).sum();
    as_f64(failed) * 100.0 / as_f64(line.requests.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::verdict::Verdict;
    use crate::load::{Repeats, Stock};

    const STOCK: Stock = Stock { total: 1_000, available: 0, held: 0, confirmed: 1_000 };

    fn line(outcomes: &[(Outcome, u64, f64, f64)], requests_per_s: f64, generator_saturated: bool) -> Line {
        let latency = |&(outcome, requests, p50_ms, p99_ms)| {
            (outcome, Latency { requests, p50_ms, p99_ms, p999_ms: p99_ms, max_ms: p99_ms })
        };
        Line {
            sale: "drop".to_owned(),
            asked: Asked { buyers: 10_000, repeat_percent: 0, concurrency: 8, rate: 1_000 },
            seed: 7,
            requests: 10_000,
            requests_per_s,
            timely_percent: 100.0,
            generator_busy_percent: 10.0,
            generator_saturated,
            repeats: Repeats::default(),
            outcomes: outcomes.iter().map(latency).collect(),
            first_error: None,
            before: STOCK,
            after: Some(STOCK),
            verdict: Verdict::Exact,
            faults: Vec::new(),
            worse: Vec::new(),
        }
    }

    /// By 25 per cent, beside 1,000 requests a second: 1,000 × 201 at 10 and 20 ms, and 9,000 × 409 at 2 and 4 ms.
    fn check(outcomes: &[(Outcome, u64, f64, f64)], requests_per_s: f64, want: &[&str]) {
        let then = [(Outcome::Reserved, 1_000, 10.0, 20.0), (Outcome::SoldOut, 9_000, 2.0, 4.0)];
        let worse = worse(&line(outcomes, requests_per_s, false), &line(&then, 1_000.0, false), 25);
        assert_eq!(worse, want, "{outcomes:?} at {requests_per_s}");
    }

    #[test]
    fn what_is_worse_by_more_than_the_tolerance_is_named_with_both_figures() {
        use Outcome::{Error, Reserved, SoldOut, Unavailable, Unknown};
        check(&[(Reserved, 1_000, 10.0, 20.0), (SoldOut, 9_000, 2.0, 4.0)], 1_000.0, &[]);
        check(&[(Reserved, 1_000, 12.5, 25.0), (SoldOut, 9_000, 2.5, 5.0)], 750.0, &[]);
        check(&[(Reserved, 1_000, 1.0, 2.0), (SoldOut, 9_000, 2.9, 5.0)], 2_000.0, &[]);
        let slower = ["201 reserved: p50 12.6 ms instead of 10 ms", "409 sold out: p99 5.1 ms instead of 4 ms"];
        check(&[(Reserved, 1_000, 12.6, 25.0), (SoldOut, 9_000, 2.0, 5.1)], 1_000.0, &slower);
        let fewer = ["749 requests/s instead of 1000", "409 sold out: too few to compare with 9000"];
        check(&[(Reserved, 1_000, 10.0, 20.0), (SoldOut, 99, 2.0, 4.0)], 749.0, &fewer);
        let failed = |unavailable| {
            [
                (Reserved, 1_000, 10.0, 20.0),
                (SoldOut, 8_990, 2.0, 4.0),
                (Unavailable, unavailable, 900.0, 900.0),
                (Unknown, 3, 900.0, 900.0),
                (Error, 3, 900.0, 900.0),
            ]
        };
        check(&failed(4), 1_000.0, &[]);
        check(&failed(5), 1_000.0, &["0.11 % of 503, 504 and errors instead of 0 %"]);
    }

    #[test]
    fn a_saturated_generator_proves_nothing() {
        let run = |saturated| line(&[], 1_000.0, saturated);
        assert_eq!(worse(&run(true), &run(false), 25), ["the generator is saturated, and was not"]);
        assert_eq!(worse(&run(false), &run(true), 25), Vec::<String>::new());
    }

    #[test]
    fn what_is_printed_is_read_again() {
        let printed = serde_json::to_string(&line(&[(Outcome::Reserved, 1_000, 10.0, 20.0)], 999.5, false)).unwrap();
        let file = std::env::temp_dir().join(format!("flash-baseline-{}", std::process::id()));
        fs::write(&file, &printed).expect("writable");
        let again = read(&file).expect("it was printed so");
        assert_eq!(serde_json::to_string(&again).unwrap(), printed);
        fs::write(&file, "{}").expect("writable");
        assert!(read(&file).unwrap_err().to_string().ends_with("is not a result of `flash bench -o json`"));
        fs::remove_file(&file).expect("written above");
    }
}
