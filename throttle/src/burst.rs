//! A steady limit with a reserve for bursts: two counters, of which the window's is spent first.

use crate::terms::BurstTerms;
use crate::usage::Strategy;
use crate::window::{Counter, Window};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Burst {
    limit: u64,
    steady: Counter,
    extra: Counter,
}

impl Burst {
    pub(crate) const fn new(terms: &BurstTerms) -> Self {
        Self {
            limit: terms.limit,
            steady: Counter::new(Window::of_clock(terms.window_ms)),
            extra: Counter::new(Window::of_clock(terms.period_ms)),
        }
    }

    /// Units of each window.
    pub(crate) const fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes units of both kinds.
    pub(crate) fn take_both(&mut self, now_ms: u64, steady: u64, extra: u64) {
        self.steady.take(now_ms, steady);
        self.extra.take(now_ms, extra);
    }

    /// Units taken of both kinds, in the newest window and the newest period.
    pub(crate) const fn units(&self) -> [u64; 2] {
        [self.steady.units(), self.extra.units()]
    }
}

impl Strategy for Burst {
    fn used(&self, now_ms: u64) -> u64 {
        self.steady.used(now_ms) + self.extra.used(now_ms)
    }

    /// Units come back at two moments, the end of the window and the end of the period.
    fn when_used_at_most(&self, units: u64) -> u64 {
        let mut moments_ms = [self.steady.at_ms(), self.steady.when_used_at_most(0), self.extra.when_used_at_most(0)];
        moments_ms.sort_unstable();
        moments_ms.into_iter().find(|&moment_ms| self.used(moment_ms) <= units).unwrap_or(moments_ms[2])
    }

    fn take(&mut self, now_ms: u64, units: u64) {
        let steady = units.min(self.limit - self.steady.used(now_ms));
        self.take_both(now_ms, steady, units - steady);
    }
}
