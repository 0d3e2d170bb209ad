//! How the stampede went.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::args::Output;
use crate::figures::{as_f64, max_ms, quantile_ms, rounded};
use crate::load::{Outcome, Repeats, Stock, Tally};
use crate::output;

/// All that was seen.
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) units: u64,
    pub(crate) tally: Tally,
    /// Of all requests.
    pub(crate) latency_us: Histogram<u64>,
    /// From the first request to the last answer.
    pub(crate) took: Duration,
    /// Held and confirmed orders in PostgreSQL.
    pub(crate) orders: u64,
    /// Buyers with more than one of them.
    pub(crate) duplicates: u64,
    /// From the first request until the last order was in PostgreSQL.
    pub(crate) persisted_after: Duration,
    /// CPU time of the gateway's HTTP threads.
    pub(crate) gateway_cpu: Duration,
    pub(crate) stock: Stock,
}

/// The report as JSON.
#[derive(Serialize)]
struct Line {
    requests: u64,
    reserved: u64,
    replayed: u64,
    sold_out: u64,
    /// Of requests that were answered 503, 504, or not at all.
    repeats: Repeats,
    errors: u64,
    oversold: u64,
    undersold: u64,
    orders: u64,
    duplicates: u64,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    requests_per_s: f64,
    persisted_after_ms: f64,
    gateway_cpu_us_per_request: f64,
    seed: u64,
    verdict: &'static str,
}

impl Report {
    /// Everything was sold, once each, to as many buyers, all of it is in PostgreSQL, and every buyer learnt how it
    /// ended.
    pub(crate) fn passed(&self) -> bool {
        self.tally.of(Outcome::Reserved) == self.units
            && self.undecided() == 0
            && self.orders == self.units
            && self.duplicates == 0
            && self.stock.total == self.units
            && self.stock.is_whole()
    }

    /// Buyers who do not know in the end whether they have a unit.
    fn undecided(&self) -> u64 {
        let decided = [Outcome::Reserved, Outcome::Replayed, Outcome::SoldOut];
        self.tally.requests - decided.map(|outcome| self.tally.of(outcome)).iter().sum::<u64>()
    }

    pub(crate) fn print(&self, output: Output) {
        match output {
            Output::Json => output::json(&self.line()),
            Output::Table => self.print_table(),
        }
    }

    fn line(&self) -> Line {
        let requests = self.tally.requests;
        let answers = [Outcome::Reserved, Outcome::Replayed, Outcome::SoldOut];
        let [reserved, replayed, sold_out] = answers.map(|outcome| self.tally.of(outcome));
        let sold = self.orders.max(reserved);
        Line {
            requests,
            reserved,
            replayed,
            sold_out,
            repeats: self.tally.repeats,
            errors: self.undecided(),
            oversold: sold.saturating_sub(self.units),
            undersold: self.units.saturating_sub(self.orders),
            orders: self.orders,
            duplicates: self.duplicates,
            p50_ms: quantile_ms(&self.latency_us, 0.5),
            p99_ms: quantile_ms(&self.latency_us, 0.99),
            max_ms: max_ms(&self.latency_us),
            requests_per_s: rounded(as_f64(requests) / self.took.as_secs_f64()),
            persisted_after_ms: rounded(self.persisted_after.as_secs_f64() * 1_000.0),
            gateway_cpu_us_per_request: rounded(self.gateway_cpu.as_secs_f64() * 1e6 / as_f64(requests)),
            seed: self.seed,
            verdict: if self.passed() { "pass" } else { "fail" },
        }
    }

    fn print_table(&self) {
        let line = self.line();
        output::table(&[
            ("requests", line.requests.to_string()),
            ("reserved", line.reserved.to_string()),
            ("replayed", line.replayed.to_string()),
            ("sold out", line.sold_out.to_string()),
            ("repeats after 503 / 504", format!("{} / {}", line.repeats.unavailable, line.repeats.unknown)),
            ("errors", line.errors.to_string()),
            ("oversold", line.oversold.to_string()),
            ("undersold", line.undersold.to_string()),
            ("orders in PostgreSQL", line.orders.to_string()),
            ("buyers with two orders", line.duplicates.to_string()),
            ("stock", self.stock.to_string()),
            ("latency p50 / p99 / max", format!("{} / {} / {} ms", line.p50_ms, line.p99_ms, line.max_ms)),
            ("requests/s", line.requests_per_s.to_string()),
            ("gateway CPU per request", format!("{} us", line.gateway_cpu_us_per_request)),
            ("last order in PostgreSQL", format!("after {} ms", line.persisted_after_ms)),
            ("seed", line.seed.to_string()),
            ("verdict", line.verdict.to_owned()),
        ]);
    }
}
