//! This machine's clock, and how far a server's is from it.

use std::time::{SystemTime, UNIX_EPOCH};

use flash_transport::Finding;

/// How far a server's clock may be from this machine's.
const CLOCK_SKEW_MS_MAX: u64 = 1_000;

/// Unix milliseconds.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What two clocks that were read within `round_trip_ms` differ by, at least.
pub(crate) fn clock_finding(before_ms: u64, server_ms: u64, after_ms: u64) -> Finding {
    let skew_ms = before_ms.saturating_sub(server_ms).max(server_ms.saturating_sub(after_ms));
    if skew_ms <= CLOCK_SKEW_MS_MAX {
        return Finding::ok(format!("its clock is within {CLOCK_SKEW_MS_MAX} ms of this machine's"));
    }
    Finding::warn(
        format!("its clock differs by {skew_ms} ms from this machine's: due times and ages are wrong"),
        "synchronize both machines' clocks (chrony, systemd-timesyncd)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use flash_transport::Level;

    #[test]
    fn a_clock_is_off_only_by_what_the_round_trip_does_not_explain() {
        let check = |before, server, after, want| assert_eq!(clock_finding(before, server, after).level, want);
        check(10_000, 10_005, 10_010, Level::Ok);
        check(10_000, 19_000, 20_000, Level::Ok);
        check(10_000, 8_999, 10_000, Level::Warn);
        check(10_000, 21_001, 20_000, Level::Warn);
        check(10_000, 9_000, 10_000, Level::Ok);
    }
}
