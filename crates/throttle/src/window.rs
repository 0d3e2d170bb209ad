//! Windows that lie end to end on the clock, and a counter of what was taken in the newest one.

use crate::strategy::Strategy;

/// Windows that lie end to end.
pub(crate) trait Windows: Copy {
    /// The number of the window of `at_ms`; a later window has a higher one.
    fn number(&self, at_ms: u64) -> u64;

    /// When the window of `at_ms` is over.
    fn end_ms(&self, at_ms: u64) -> u64;
}

/// Windows of equal length, which begin at the multiples of their length since 1970, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    length_ms: u64,
}

impl Window {
    pub(crate) const fn of_clock(length_ms: u64) -> Self {
        Self { length_ms }
    }
}

impl Windows for Window {
    fn number(&self, at_ms: u64) -> u64 {
        at_ms / self.length_ms
    }

    fn end_ms(&self, at_ms: u64) -> u64 {
        (self.number(at_ms) + 1) * self.length_ms
    }
}

/// Units taken in one window. They come back together when it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counter<W> {
    windows: W,
    at_ms: u64,
    units: u64,
}

impl<W: Windows> Counter<W> {
    pub(crate) const fn new(windows: W) -> Self {
        Self::of(windows, 0, 0)
    }

    /// A counter of units taken in the window of `at_ms`.
    pub(crate) const fn of(windows: W, at_ms: u64, units: u64) -> Self {
        Self { windows, at_ms, units }
    }

    pub(crate) const fn units(&self) -> u64 {
        self.units
    }
}

impl<W: Windows> Strategy for Counter<W> {
    fn used(&self, now_ms: u64) -> u64 {
        if self.windows.number(now_ms) == self.windows.number(self.at_ms) { self.units } else { 0 }
    }

    fn when_used_at_most(&self, units: u64) -> u64 {
        if self.units <= units { self.at_ms } else { self.windows.end_ms(self.at_ms) }
    }

    fn take(&mut self, now_ms: u64, units: u64) {
        self.units = self.used(now_ms) + units;
        self.at_ms = now_ms;
    }
}
