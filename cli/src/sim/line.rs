//! What one strategy came to.

use std::collections::BTreeMap;

use serde::Serialize;

/// As JSON; the table shows most of it.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) strategy: &'static str,
    pub(super) http: bool,
    pub(super) buyers: u64,
    pub(super) units: u64,
    pub(super) concurrency: u64,
    pub(super) rate: u64,
    pub(super) seed: u64,
    pub(super) requests: u64,
    pub(super) sold: u64,
    pub(super) again: u64,
    pub(super) sold_out: u64,
    pub(super) errors: u64,
    pub(super) contradicted: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_error: Option<String>,
    pub(super) retries: u64,
    pub(super) orders: u64,
    pub(super) duplicates: u64,
    pub(super) oversold: u64,
    pub(super) undersold: u64,
    pub(super) timely_percent: f64,
    pub(super) requests_per_s: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) p999_ms: f64,
    pub(super) max_ms: f64,
    /// Of each server, for each request.
    pub(super) cpu_us_per_request: BTreeMap<String, f64>,
    pub(super) verdict: &'static str,
}
