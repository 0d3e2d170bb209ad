//! Windows that lie end to end on the clock, and a counter of what was taken in the newest one.

use crate::usage::Strategy;

/// Windows of equal length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    length_ms: u64,
    /// How long before 1970 a window began, less than its length.
    lead_ms: u64,
}

impl Window {
    /// Windows that begin at the multiples of their length since 1970, UTC.
    pub(crate) const fn of_clock(length_ms: u64) -> Self {
        Self { length_ms, lead_ms: 0 }
    }

    /// The same on the clocks of a time zone.
    pub(crate) fn of_zone(length_ms: u64, offset_minutes: i32) -> Self {
        const MINUTE_MS: u64 = 60 * 1000;
        let ahead_ms = u64::from(offset_minutes.unsigned_abs()) * MINUTE_MS % length_ms;
        let lead_ms = if offset_minutes < 0 { length_ms - ahead_ms } else { ahead_ms };
        Self { length_ms, lead_ms: lead_ms % length_ms }
    }

    const fn number(&self, at_ms: u64) -> u64 {
        (at_ms + self.lead_ms) / self.length_ms
    }

    /// When the window of `at_ms` is over.
    const fn end_ms(&self, at_ms: u64) -> u64 {
        (self.number(at_ms) + 1) * self.length_ms - self.lead_ms
    }
}

/// Units taken in one window. They come back together when it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counter {
    window: Window,
    at_ms: u64,
    units: u64,
}

impl Counter {
    pub(crate) const fn new(window: Window) -> Self {
        Self::of(window, 0, 0)
    }

    /// A counter of units taken in the window of `at_ms`.
    pub(crate) const fn of(window: Window, at_ms: u64, units: u64) -> Self {
        Self { window, at_ms, units }
    }

    pub(crate) const fn units(&self) -> u64 {
        self.units
    }
}

impl Strategy for Counter {
    fn used(&self, now_ms: u64) -> u64 {
        if self.window.number(now_ms) == self.window.number(self.at_ms) { self.units } else { 0 }
    }

    fn when_used_at_most(&self, units: u64) -> u64 {
        if self.units <= units { self.at_ms } else { self.window.end_ms(self.at_ms) }
    }

    fn take(&mut self, now_ms: u64, units: u64) {
        self.units = self.used(now_ms) + units;
        self.at_ms = now_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 60 * 60 * 1000;
    const DAY_MS: u64 = 24 * HOUR_MS;

    fn check_midnight(offset_minutes: i32, want_utc_hour_ms: u64) {
        let window = Window::of_zone(DAY_MS, offset_minutes);
        let day_ms = 20_000 * DAY_MS;
        let midnight_ms = day_ms + want_utc_hour_ms;
        assert_eq!(window.end_ms(midnight_ms - 1), midnight_ms, "{offset_minutes}");
        assert_eq!(window.end_ms(midnight_ms), midnight_ms + DAY_MS, "{offset_minutes}");
    }

    #[test]
    fn midnight_is_where_the_zone_has_it() {
        check_midnight(0, 0);
        check_midnight(60, 23 * HOUR_MS);
        check_midnight(-60, HOUR_MS);
        check_midnight(330, 18 * HOUR_MS + HOUR_MS / 2);
        check_midnight(-720, 12 * HOUR_MS);
        check_midnight(840, 10 * HOUR_MS);
    }
}
