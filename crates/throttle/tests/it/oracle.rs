//! Each strategy's rule, word by word: a log of everything that was taken, counted anew for every question. Slow, and
//! too simple to be wrong.

use flash_throttle::{BucketTerms, BurstTerms, DailyTerms, Terms, WindowTerms};

const DAY_MS: i128 = 86_400_000;
const MINUTE_MS: i128 = 60_000;

/// The latest day that the zone's clock has shown by then.
fn latest_day(DailyTerms { offset_minutes, change, .. }: DailyTerms, at_ms: u64) -> i128 {
    let day = |at_ms: u64, offset: i32| (i128::from(at_ms) + i128::from(offset) * MINUTE_MS).div_euclid(DAY_MS);
    match change {
        Some(change) if at_ms >= change.at_ms.get() => {
            day(at_ms, change.offset_minutes).max(day(change.at_ms.get() - 1, offset_minutes))
        }
        _ => day(at_ms, offset_minutes),
    }
}

/// Units taken at a time; in a burst, also how many of them came out of the reserve.
struct Entry {
    at_ms: u64,
    units: u64,
    extra: u64,
}

pub(crate) struct Oracle {
    terms: Terms,
    log: Vec<Entry>,
    /// Of a bucket, the theoretical arrival time of the algorithm's other form (virtual scheduling), exact: in
    /// fractions of a millisecond, one `rate`th each.
    arrival: u128,
}

impl Oracle {
    pub(crate) fn new(terms: Terms) -> Self {
        Self { terms, log: Vec::new(), arrival: 0 }
    }

    pub(crate) fn clock(&self, now_ms: u64) -> u64 {
        self.log.iter().map(|entry| entry.at_ms).max().unwrap_or(0).max(now_ms)
    }

    pub(crate) fn used(&self, now_ms: u64) -> u64 {
        let now_ms = self.clock(now_ms);
        let sum = |is_in: &dyn Fn(&Entry) -> bool, units: fn(&Entry) -> u64| -> u64 {
            self.log.iter().filter(|entry| is_in(entry)).map(units).sum()
        };
        match self.terms {
            Terms::Bucket(terms) => terms.burst - self.bucket_units(terms, now_ms),
            Terms::Burst(BurstTerms { window_ms, period_ms, .. }) => {
                let steady =
                    sum(&|entry| entry.at_ms / window_ms == now_ms / window_ms, |entry| entry.units - entry.extra);
                steady + sum(&|entry| entry.at_ms / period_ms == now_ms / period_ms, |entry| entry.extra)
            }
            Terms::Strict(WindowTerms { window_ms, .. }) => {
                sum(&|entry| entry.at_ms / window_ms == now_ms / window_ms, |entry| entry.units)
            }
            Terms::Sliding(WindowTerms { window_ms, .. }) => {
                sum(&|entry| now_ms - entry.at_ms < window_ms, |entry| entry.units)
            }
            Terms::Daily(terms) => {
                sum(&|entry| latest_day(terms, entry.at_ms) == latest_day(terms, now_ms), |entry| entry.units)
            }
        }
    }

    /// The most units that conform.
    fn bucket_units(&self, terms: BucketTerms, now_ms: u64) -> u64 {
        let (rate, period, burst) = (u128::from(terms.rate), u128::from(terms.period_ms), u128::from(terms.burst));
        let now = u128::from(now_ms) * rate;
        let units = (now + burst * period - self.arrival.max(now)) / period;
        u64::try_from(units).expect("at most the burst")
    }

    pub(crate) fn remaining(&self, terms: Terms, now_ms: u64) -> u64 {
        terms.limit().saturating_sub(self.used(now_ms))
    }

    pub(crate) fn take(&mut self, terms: Terms, now_ms: u64, units: u64) {
        let now_ms = self.clock(now_ms);
        if terms != self.terms {
            let used = self.used(now_ms).min(terms.limit());
            *self = Self::new(terms);
            self.push(now_ms, used);
        }
        self.push(now_ms, units);
    }

    fn push(&mut self, at_ms: u64, units: u64) {
        let mut extra = 0;
        match self.terms {
            Terms::Bucket(BucketTerms { rate, period_ms, .. }) => {
                let begin = self.arrival.max(u128::from(at_ms) * u128::from(rate));
                self.arrival = begin + u128::from(units) * u128::from(period_ms);
                // The time alone is of interest.
                self.log.clear();
            }
            Terms::Burst(BurstTerms { limit, window_ms, .. }) => {
                let in_window = self.log.iter().filter(|entry| entry.at_ms / window_ms == at_ms / window_ms);
                let steady: u64 = in_window.map(|entry| entry.units - entry.extra).sum();
                extra = units.saturating_sub(limit - steady);
            }
            Terms::Strict(_) | Terms::Sliding(_) | Terms::Daily(_) => {}
        }
        self.log.push(Entry { at_ms, units, extra });
    }

    /// Forgets what no question after `now_ms` can be about, so that a long run stays quick.
    pub(crate) fn prune(&mut self, now_ms: u64) {
        let span_ms = match self.terms {
            Terms::Bucket(_) => return,
            Terms::Burst(terms) => terms.period_ms,
            Terms::Strict(terms) | Terms::Sliding(terms) => terms.window_ms,
            // The longest day is one that a clock goes back to from the far side of the earth.
            Terms::Daily(_) => 3 * 86_400_000,
        };
        let newest_ms = self.clock(0);
        self.log.retain(|entry| entry.at_ms == newest_ms || entry.at_ms + span_ms > newest_ms.min(now_ms));
    }
}
