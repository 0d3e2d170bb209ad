//! What a way to sell has come to, as the console shows it.

use std::time::Duration;

use flash_sim::{Outcome, Strategy, Tally};
use serde::Serialize;

use crate::figures::{as_f64, max_ms, quantile_ms, rounded};

/// So far, or in the end.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    pub(super) strategy: &'static str,
    pub(super) done: bool,
    requests: u64,
    sold: u64,
    again: u64,
    sold_out: u64,
    errors: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_error: Option<String>,
    retries: u64,
    /// Before everything is counted: by the answers that buyers got.
    oversold: u64,
    /// Unknown before.
    #[serde(skip_serializing_if = "Option::is_none")]
    undersold: Option<u64>,
    requests_per_s: f64,
    mean_ms: f64,
    p50_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    max_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verdict: Option<String>,
}

impl Told {
    pub(super) fn so_far(strategy: &'static str, units: u64, took: Duration, tally: &Tally) -> Self {
        let ms = |quantile| quantile_ms(&tally.latency_us, quantile);
        Self {
            strategy,
            done: false,
            requests: tally.requests,
            sold: tally.sold,
            again: tally.again,
            sold_out: tally.sold_out,
            errors: tally.errors,
            first_error: tally.first_error.clone(),
            retries: tally.retries,
            oversold: tally.sold.saturating_sub(units),
            undersold: None,
            requests_per_s: rounded(as_f64(tally.requests) / took.as_secs_f64().max(f64::MIN_POSITIVE)),
            mean_ms: rounded(tally.latency_us.mean() / 1_000.0),
            p50_ms: ms(0.5),
            p99_ms: ms(0.99),
            p999_ms: ms(0.999),
            max_ms: max_ms(&tally.latency_us),
            verdict: None,
        }
    }

    /// All is counted. What was stopped is not judged: there were buyers still to come.
    pub(super) fn of(outcome: &Outcome, is_stopped: bool) -> Self {
        let strategy = outcome.strategy.name();
        let so_far = Self::so_far(strategy, outcome.units, outcome.took, &outcome.tally);
        let (undersold, verdict) =
            if is_stopped { (None, "stopped") } else { (Some(outcome.undersold()), outcome.verdict().name()) };
        Self { done: true, oversold: outcome.oversold(), undersold, verdict: Some(verdict.to_owned()), ..so_far }
    }

    /// It could not be run, or not be counted.
    pub(super) fn failed(strategy: Strategy, tally: &Tally, error: &anyhow::Error) -> Self {
        let so_far = Self::so_far(strategy.name(), u64::MAX, Duration::ZERO, tally);
        Self { done: true, requests_per_s: 0.0, verdict: Some(format!("failed: {error:#}")), ..so_far }
    }
}
