//! What is printed: a row for each strategy as soon as it is done.

use flash_sim::{Crowd, Outcome, Verdict};
use serde::Serialize;

use crate::args::Output;
use crate::output;

/// The columns: what stands above each, and how wide it is at least.
const COLUMNS: [(&str, usize); 14] = [
    ("strategy", 16),
    ("requests", 8),
    ("sold", 7),
    ("oversold", 8),
    ("undersold", 9),
    ("errors", 6),
    ("retries", 7),
    ("requests/s", 10),
    ("p50 ms", 8),
    ("p99 ms", 8),
    ("p99.9 ms", 8),
    ("max ms", 8),
    ("CPU us", 8),
    ("verdict", 0),
];

/// What one strategy came to.
#[derive(Debug, Serialize)]
struct Line {
    strategy: &'static str,
    requests: u64,
    sold: u64,
    orders: u64,
    oversold: u64,
    undersold: u64,
    duplicates: u64,
    sold_out: u64,
    again: u64,
    errors: u64,
    retries: u64,
    timely_percent: f64,
    requests_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    max_ms: f64,
    /// Of each server, for each request.
    cpu_us_per_request: Vec<(&'static str, f64)>,
    seed: u64,
    verdict: &'static str,
}

/// Prints them.
pub(crate) struct Report {
    output: Output,
    seed: u64,
}

impl Report {
    pub(crate) fn begin(output: Output, crowd: &Crowd) -> Self {
        if output == Output::Table {
            print(COLUMNS.map(|(title, _)| title.to_owned()));
        }
        Self { output, seed: crowd.seed }
    }

    pub(crate) fn row(&self, outcome: &Outcome) {
        let line = Line::of(outcome, self.seed);
        match self.output {
            Output::Json => output::json(&line),
            Output::Table => print(line.cells()),
        }
    }

    /// What a reader should know who sees the table alone.
    pub(crate) fn end(&self, outcomes: &[Outcome]) {
        if self.output == Output::Json {
            return;
        }
        output::text(&format!("\nseed {}: `--seed {}` brings the same buyers at the same times.\n", self.seed, self.seed));
        for outcome in outcomes.iter().filter(|outcome| outcome.verdict() != Verdict::Exact) {
            let (name, tally) = (outcome.strategy.name(), &outcome.tally);
            output::text(&format!(
                "{name}: of {} units {} were promised; PostgreSQL has {} orders, {} of them of a buyer who has another.\n",
                outcome.units, tally.sold, outcome.orders, outcome.duplicates
            ));
        }
        if let Some(busy) = outcomes.iter().find(|outcome| percent(outcome.tally.timely, outcome.tally.requests) < 95.0) {
            output::text(&format!(
                "{}: requests came late because all connections were waiting; latency counts from when they were to come.\n",
                busy.strategy.name()
            ));
        }
    }
}

impl Line {
    fn of(outcome: &Outcome, seed: u64) -> Self {
        let tally = &outcome.tally;
        let ms = |quantile| rounded(to_f64(tally.latency_us.value_at_quantile(quantile)) / 1_000.0);
        let requests = to_f64(tally.requests.max(1));
        let cpu = outcome.cpu.iter().map(|(name, time)| (*name, rounded(time.as_secs_f64() * 1e6 / requests)));
        Self {
            strategy: outcome.strategy.name(),
            requests: tally.requests,
            sold: tally.sold,
            orders: outcome.orders,
            oversold: outcome.oversold(),
            undersold: outcome.undersold(),
            duplicates: outcome.duplicates,
            sold_out: tally.sold_out,
            again: tally.again,
            errors: tally.failed,
            retries: tally.retries,
            timely_percent: percent(tally.timely, tally.requests),
            requests_per_s: rounded(to_f64(tally.requests) / outcome.took.as_secs_f64().max(f64::MIN_POSITIVE)),
            p50_ms: ms(0.5),
            p99_ms: ms(0.99),
            p999_ms: ms(0.999),
            max_ms: rounded(to_f64(tally.latency_us.max()) / 1_000.0),
            cpu_us_per_request: cpu.collect(),
            seed,
            verdict: outcome.verdict().name(),
        }
    }

    fn cells(&self) -> [String; COLUMNS.len()] {
        let cpu: f64 = self.cpu_us_per_request.iter().map(|(_, us)| us).sum();
        [
            self.strategy.to_owned(),
            self.requests.to_string(),
            self.sold.to_string(),
            self.oversold.to_string(),
            self.undersold.to_string(),
            self.errors.to_string(),
            self.retries.to_string(),
            format!("{:.0}", self.requests_per_s),
            format!("{:.1}", self.p50_ms),
            format!("{:.1}", self.p99_ms),
            format!("{:.1}", self.p999_ms),
            format!("{:.1}", self.max_ms),
            format!("{cpu:.0}"),
            self.verdict.to_owned(),
        ]
    }
}

fn print(cells: [String; COLUMNS.len()]) {
    let first_width = COLUMNS[0].1;
    let mut line = String::new();
    for (cell, (title, width)) in cells.iter().zip(COLUMNS) {
        let cell = match (title, width) {
            ("strategy", _) => format!("{cell:first_width$}"),
            (_, 0) => format!("  {cell}"),
            _ => format!(" {cell:>width$}"),
        };
        line.push_str(&cell);
    }
    output::text(&format!("{line}\n"));
}

fn percent(part: u64, whole: u64) -> f64 {
    rounded(to_f64(part) * 100.0 / to_f64(whole.max(1)))
}

/// Two decimals are all that a measurement on a shared machine is worth.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[expect(clippy::cast_precision_loss, reason = "counts and microseconds here are far below 2^52")]
const fn to_f64(value: u64) -> f64 {
    value as f64
}
