//! Figures as they are printed.

use hdrhistogram::Histogram;

/// Two decimals are all that a measurement on a shared machine is worth.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[expect(clippy::cast_precision_loss, reason = "counts and microseconds here are far below 2^52")]
pub(crate) const fn as_f64(value: u64) -> f64 {
    value as f64
}

/// Below how many milliseconds that part of what a histogram of microseconds holds lies.
pub(crate) fn quantile_ms(latency_us: &Histogram<u64>, quantile: f64) -> f64 {
    rounded(as_f64(latency_us.value_at_quantile(quantile)) / 1_000.0)
}

/// The longest, in milliseconds.
pub(crate) fn max_ms(latency_us: &Histogram<u64>) -> f64 {
    rounded(as_f64(latency_us.max()) / 1_000.0)
}
