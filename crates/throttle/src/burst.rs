//! A steady limit with a reserve for bursts: two counters, of which the window's is spent first.

use crate::strategy::Strategy;
use crate::terms::BurstTerms;
use crate::window::{Counter, Window};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Burst {
    terms: BurstTerms,
    at_ms: u64,
    /// Units taken out of the window of `at_ms`.
    steady: u64,
    /// Units taken out of the reserve in the period of `at_ms`.
    extra: u64,
}

impl Burst {
    pub(crate) const fn new(terms: &BurstTerms) -> Self {
        Self { terms: *terms, at_ms: 0, steady: 0, extra: 0 }
    }

    pub(crate) const fn terms(&self) -> &BurstTerms {
        &self.terms
    }

    /// Units taken out of the newest window, and out of the reserve in the newest period.
    pub(crate) const fn units(&self) -> [u64; 2] {
        [self.steady, self.extra]
    }

    /// Sets what was taken until `at_ms`, of both no more than there is.
    pub(crate) const fn fill(&mut self, at_ms: u64, steady: u64, extra: u64) {
        (self.at_ms, self.steady, self.extra) = (at_ms, steady, extra);
    }

    const fn steady(&self) -> Counter<Window> {
        Counter::of(Window::of_clock(self.terms.window_ms), self.at_ms, self.steady)
    }

    const fn extra(&self) -> Counter<Window> {
        Counter::of(Window::of_clock(self.terms.period_ms), self.at_ms, self.extra)
    }
}

impl Strategy for Burst {
    fn used(&self, now_ms: u64) -> u64 {
        self.steady().used(now_ms) + self.extra().used(now_ms)
    }

    /// Units come back at two moments, the end of the window and the end of the period.
    fn when_used_at_most(&self, units: u64) -> u64 {
        let mut moments_ms = [self.at_ms, self.steady().when_used_at_most(0), self.extra().when_used_at_most(0)];
        moments_ms.sort_unstable();
        moments_ms.into_iter().find(|&moment_ms| self.used(moment_ms) <= units).unwrap_or(moments_ms[2])
    }

    fn take(&mut self, now_ms: u64, units: u64) {
        let (steady, extra) = (self.steady().used(now_ms), self.extra().used(now_ms));
        let from_window = units.min(self.terms.limit - steady);
        self.fill(now_ms, steady + from_window, extra + units - from_window);
    }
}
