//! What is printed: a table, or a line of JSON, which is also what a baseline is.

use std::collections::BTreeMap;

use flash_sim::Crowd;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::verdict::{Verdict, faults};
use crate::args::{self, Output};
use crate::figures::{as_f64, max_ms, quantile_ms, rounded};
use crate::load::{Outcome, Pressed, Repeats, Stock};
use crate::output;

/// Below it, a reader should know that there were too few connections, or too slow a gateway, for the rate.
const TIMELY_PERCENT_MIN: f64 = 95.0;
/// From here on the generator has no time left: it is the generator that is slow.
const GENERATOR_BUSY_PERCENT_MAX: f64 = 90.0;

/// What came of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) sale: String,
    #[serde(flatten)]
    pub(super) asked: Asked,
    pub(super) seed: u64,
    pub(super) requests: u64,
    pub(super) requests_per_s: f64,
    pub(super) timely_percent: f64,
    pub(super) generator_busy_percent: f64,
    pub(super) generator_saturated: bool,
    /// Of requests that were answered 503 or 504, as the API advises.
    #[serde(default)]
    pub(super) repeats: Repeats,
    pub(super) outcomes: BTreeMap<Outcome, Latency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_error: Option<String>,
    pub(super) before: Stock,
    pub(super) after: Option<Stock>,
    pub(super) verdict: Verdict,
    pub(super) faults: Vec<String>,
    /// Than the baseline, where there is one.
    pub(super) worse: Vec<String>,
}

/// The load that was asked for: what is compared has the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) buyers: u64,
    pub(super) repeat_percent: u64,
    pub(super) concurrency: u64,
    pub(super) rate: u64,
}

/// The requests of one outcome, and their latencies.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Latency {
    pub(super) requests: u64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) p999_ms: f64,
    pub(super) max_ms: f64,
}

impl Asked {
    pub(super) const fn new(args: &args::Bench, crowd: &Crowd) -> Self {
        let Crowd { buyers, repeat_percent, requests_per_s: rate, .. } = *crowd;
        Self { buyers, repeat_percent, concurrency: args.concurrency, rate }
    }
}

impl Latency {
    fn of(latency_us: &Histogram<u64>) -> Self {
        let ms = |quantile| quantile_ms(latency_us, quantile);
        Self {
            requests: latency_us.len(),
            p50_ms: ms(0.5),
            p99_ms: ms(0.99),
            p999_ms: ms(0.999),
            max_ms: max_ms(latency_us),
        }
    }
}

impl Line {
    pub(super) fn new(
        args: &args::Bench,
        crowd: &Crowd,
        pressed: &Pressed,
        before: Stock,
        after: Option<Stock>,
    ) -> Self {
        let Pressed { tally, took, busy } = pressed;
        let took_s = took.as_secs_f64();
        let generator_busy_percent = rounded(busy.as_secs_f64() * 100.0 / took_s);
        // A unit that a repeat told of may be one that was taken before.
        let unknown = tally.of(Outcome::Unknown) + tally.of(Outcome::Error) + tally.learnt;
        let told = tally.of(Outcome::Reserved) - tally.learnt;
        let faults = after.map(|after| faults(before, after, told, unknown));
        Self {
            sale: args.sale.clone(),
            asked: Asked::new(args, crowd),
            seed: crowd.seed,
            requests: tally.requests,
            requests_per_s: rounded(as_f64(tally.requests) / took_s),
            timely_percent: rounded(as_f64(tally.timely) * 100.0 / as_f64(tally.requests)),
            generator_busy_percent,
            generator_saturated: generator_busy_percent >= GENERATOR_BUSY_PERCENT_MAX,
            repeats: tally.repeats,
            outcomes: tally.latencies().map(|(outcome, latency_us)| (outcome, Latency::of(latency_us))).collect(),
            first_error: tally.first_error.clone(),
            before,
            after,
            verdict: match &faults {
                None => Verdict::Unknown,
                Some(faults) if faults.is_empty() => Verdict::Exact,
                Some(_) => Verdict::Broken,
            },
            faults: faults.unwrap_or_default(),
            worse: Vec::new(),
        }
    }

    pub(super) fn print(&self, output: Output) {
        if output == Output::Json {
            return output::json(self);
        }
        output::table(&self.rows());
        output::text("\n");
        for note in self.notes() {
            output::text(&format!("{note}\n"));
        }
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = vec![
            ("requests", self.requests.to_string()),
            ("requests/s", format!("{} of {}", self.requests_per_s, self.asked.rate)),
            ("sent at their time", format!("{} %", self.timely_percent)),
            ("generator", format!("busy for {} % of the time", self.generator_busy_percent)),
        ];
        rows.extend(self.outcomes.iter().map(|(outcome, latency)| {
            let Latency { requests, p50_ms, p99_ms, p999_ms, max_ms } = latency;
            let times = format!("p50 / p99 / p99.9 / max  {p50_ms} / {p99_ms} / {p999_ms} / {max_ms} ms");
            (outcome.name(), format!("{requests:<9} {times}"))
        }));
        rows.push(("repeats after 503 / 504", format!("{} / {}", self.repeats.unavailable, self.repeats.unknown)));
        rows.push(("stock before", self.before.to_string()));
        rows.extend(self.after.map(|after| ("stock afterwards", after.to_string())));
        rows.push(("verdict", self.verdict.name().to_owned()));
        rows
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = self.faults.clone();
        notes.extend(self.first_error.as_ref().map(|error| format!("The first error: {error}")));
        if self.generator_saturated {
            notes.push("The generator is saturated: what is slow here is the generator.".to_owned());
        } else if self.timely_percent < TIMELY_PERCENT_MIN {
            notes.push("Requests waited for a free connection.".to_owned());
        }
        notes.extend(self.worse.iter().map(|worse| format!("Worse than the baseline: {worse}")));
        let Asked { buyers, repeat_percent, concurrency, rate } = self.asked;
        notes.push(format!(
            "The same buyers at the same times: --buyers {buyers} --repeat-percent {repeat_percent} \
             --concurrency {concurrency} --rate {rate} --seed {}",
            self.seed
        ));
        notes
    }
}
