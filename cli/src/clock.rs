//! This machine's clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Unix milliseconds.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The time to the second, as RFC 3339 writes it: `2026-07-01T12:00:00Z`.
pub(crate) fn now_text() -> String {
    let second = i64::try_from(now_ms() / 1_000).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(second).map(|time| time.to_string()).unwrap_or_default()
}
