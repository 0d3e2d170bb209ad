//! The token bucket, by the generic cell rate algorithm: ITU-T I.371 (annex A) and the ATM Forum's Traffic Management
//! Specification 4.0 (section 4.4) give it in two equivalent forms. This is the second, the continuous-state leaky
//! bucket.
//!
//! What is in use is a level that drains. A unit weighs as many drops as the period has milliseconds, and `rate` drops
//! drain in each millisecond: so a unit drains in exactly `period / rate`, and nothing is ever rounded. (The first
//! form, virtual scheduling, keeps the time at which the bucket will be empty, and needs a fraction of a millisecond
//! for that.)

use crate::strategy::Strategy;
use crate::terms::BucketTerms;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// Drops that drain in a millisecond.
    rate: u64,
    /// Drops that a unit weighs.
    weight: u64,
    at_ms: u64,
    /// Drops in the bucket at `at_ms`.
    level: u64,
}

impl Bucket {
    pub(crate) const fn new(terms: &BucketTerms) -> Self {
        Self { rate: terms.rate, weight: terms.period_ms, at_ms: 0, level: 0 }
    }

    pub(crate) const fn weight(&self) -> u64 {
        self.weight
    }

    pub(crate) const fn level(&self) -> u64 {
        self.level
    }

    /// Puts so many drops into it, at most what all units weigh.
    pub(crate) const fn fill(&mut self, at_ms: u64, level: u64) {
        (self.at_ms, self.level) = (at_ms, level);
    }

    const fn level_at(&self, now_ms: u64) -> u64 {
        let elapsed_ms = now_ms.saturating_sub(self.at_ms);
        self.level.saturating_sub(elapsed_ms.saturating_mul(self.rate))
    }
}

impl Strategy for Bucket {
    fn used(&self, now_ms: u64) -> u64 {
        self.level_at(now_ms).div_ceil(self.weight)
    }

    fn when_used_at_most(&self, units: u64) -> u64 {
        let excess = self.level.saturating_sub(units * self.weight);
        self.at_ms + excess.div_ceil(self.rate)
    }

    fn take(&mut self, now_ms: u64, units: u64) {
        self.level = self.level_at(now_ms) + units * self.weight;
        self.at_ms = now_ms;
    }
}
