//! The terms of a rate limit: how many units, and when they come back. They come with every call and may change.

use std::num::NonZeroU64;

use flash_sale::Invalid;
use flash_sale::invalid::in_range;

use crate::limits::{
    OFFSET_MINUTES_MAX, OFFSET_MINUTES_MIN, PERIOD_MS_MAX, SLIDING_MOMENTS_MAX, TIME_MS_MAX, UNITS_MAX,
};

/// What a rate limit promises. Passed through [`Terms::check`] before anything is decided by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terms {
    /// A token bucket.
    Bucket(BucketTerms),
    /// A steady limit with a reserve for bursts.
    Burst(BurstTerms),
    /// A fixed window, aligned to the clock.
    Strict(WindowTerms),
    /// A window that ends now, wherever now is.
    Sliding(WindowTerms),
    /// A quota for each day.
    Daily(DailyTerms),
}

/// A token bucket: full, it holds `burst` units; `rate` units trickle back in each period, evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketTerms {
    /// Units that come back in a period, 1 to [`UNITS_MAX`].
    pub rate: u64,
    /// 1 to [`PERIOD_MS_MAX`].
    pub period_ms: u64,
    /// Units that can be taken at once, up to [`UNITS_MAX`], and no fewer than come back in one millisecond: what comes
    /// back to a full bucket is lost, so the rate could never be reached.
    pub burst: u64,
}

/// A steady limit, and a reserve for bursts. Unlike a bucket's, the reserve does not trickle back: it is whole again
/// when the next period begins, and what a quiet window left over adds nothing to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BurstTerms {
    /// Units in each window, 1 to [`UNITS_MAX`]. They are taken first.
    pub limit: u64,
    /// 1 to [`PERIOD_MS_MAX`]; windows begin at its multiples since 1970.
    pub window_ms: u64,
    /// Units in each period beyond those of its windows, 1 to [`UNITS_MAX`].
    pub extra: u64,
    /// From the window to [`PERIOD_MS_MAX`]; periods begin at its multiples since 1970.
    pub period_ms: u64,
}

/// A number of units in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowTerms {
    /// 1 to [`UNITS_MAX`]; for a sliding window longer than [`SLIDING_MOMENTS_MAX`] milliseconds, no more than that.
    pub limit: u64,
    /// 1 to [`PERIOD_MS_MAX`].
    pub window_ms: u64,
}

/// A number of units a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyTerms {
    /// 1 to [`UNITS_MAX`].
    pub limit: u64,
    /// Minutes that the time zone's clock is ahead of UTC, [`OFFSET_MINUTES_MIN`] to [`OFFSET_MINUTES_MAX`].
    pub offset_minutes: i32,
    /// The nearest change of that clock, in the past or in the future; none: no change is near. Zones and their
    /// rules are the caller's to know. Two callers that name different changes count the same days, if both know the
    /// one that is within two days of now.
    pub change: Option<OffsetChange>,
}

/// The clock of a time zone goes forward or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetChange {
    /// When, Unix milliseconds, up to [`TIME_MS_MAX`].
    pub at_ms: NonZeroU64,
    /// Minutes ahead of UTC from then on, within the same bounds as before.
    pub offset_minutes: i32,
}

impl Terms {
    /// Units that can be taken at once when nothing is in use: the most that one call may cost.
    #[must_use]
    pub const fn limit(&self) -> u64 {
        match self {
            Self::Bucket(terms) => terms.burst,
            Self::Burst(terms) => terms.limit + terms.extra,
            Self::Strict(terms) | Self::Sliding(terms) => terms.limit,
            Self::Daily(terms) => terms.limit,
        }
    }

    /// Passes valid terms through.
    ///
    /// # Errors
    /// Names the first field that is out of its bounds.
    pub fn check(self) -> Result<Self, Invalid> {
        match &self {
            Self::Bucket(terms) => terms.check()?,
            Self::Burst(terms) => terms.check()?,
            Self::Strict(terms) => terms.check()?,
            Self::Sliding(terms) => terms.check_sliding()?,
            Self::Daily(terms) => terms.check()?,
        }
        Ok(self)
    }
}

impl BucketTerms {
    fn check(&self) -> Result<(), Invalid> {
        in_range("rate", self.rate, 1, UNITS_MAX)?;
        in_range("period", self.period_ms, 1, PERIOD_MS_MAX)?;
        in_range("burst", self.burst, 1, UNITS_MAX)?;
        let each_ms = self.rate.div_ceil(self.period_ms);
        if self.burst < each_ms {
            return Err(Invalid::new(
                "burst",
                format!("must be at least {each_ms}, which is the rate for a millisecond"),
            ));
        }
        Ok(())
    }
}

impl BurstTerms {
    fn check(&self) -> Result<(), Invalid> {
        in_range("limit", self.limit, 1, UNITS_MAX)?;
        in_range("window", self.window_ms, 1, PERIOD_MS_MAX)?;
        in_range("extra", self.extra, 1, UNITS_MAX)?;
        in_range("period", self.period_ms, 1, PERIOD_MS_MAX)?;
        if self.period_ms < self.window_ms {
            return Err(Invalid::new("period", "must be at least as long as the window"));
        }
        Ok(())
    }
}

impl WindowTerms {
    fn check(&self) -> Result<(), Invalid> {
        in_range("limit", self.limit, 1, UNITS_MAX)?;
        in_range("window", self.window_ms, 1, PERIOD_MS_MAX)?;
        Ok(())
    }

    fn check_sliding(&self) -> Result<(), Invalid> {
        self.check()?;
        if self.limit.min(self.window_ms) <= SLIDING_MOMENTS_MAX {
            return Ok(());
        }
        let max = SLIDING_MOMENTS_MAX;
        Err(Invalid::new("limit", format!("must be at most {max} where a sliding window is longer than {max} ms")))
    }
}

impl DailyTerms {
    fn check(&self) -> Result<(), Invalid> {
        in_range("limit", self.limit, 1, UNITS_MAX)?;
        check_offset(self.offset_minutes)?;
        let Some(OffsetChange { at_ms, offset_minutes }) = self.change else { return Ok(()) };
        in_range("change", at_ms.get(), 1, TIME_MS_MAX)?;
        check_offset(offset_minutes)
    }
}

fn check_offset(minutes: i32) -> Result<(), Invalid> {
    let (min, max) = (OFFSET_MINUTES_MIN, OFFSET_MINUTES_MAX);
    if (min..=max).contains(&minutes) { Ok(()) } else { Err(Invalid::new("offset", format!("must be {min} to {max}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(terms: Terms, want: Result<(), &str>) {
        let got = terms.check().map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(got, want.map_err(str::to_owned), "{terms:?}");
    }

    fn bucket(rate: u64, period_ms: u64, burst: u64, want: Result<(), &str>) {
        check(Terms::Bucket(BucketTerms { rate, period_ms, burst }), want);
    }

    fn burst(limit: u64, window_ms: u64, extra: u64, period_ms: u64, want: Result<(), &str>) {
        check(Terms::Burst(BurstTerms { limit, window_ms, extra, period_ms }), want);
    }

    fn sliding(limit: u64, window_ms: u64, want: Result<(), &str>) {
        check(Terms::Sliding(WindowTerms { limit, window_ms }), want);
    }

    #[test]
    fn terms_out_of_bounds_are_refused_by_name() {
        bucket(UNITS_MAX, 1, UNITS_MAX, Ok(()));
        bucket(0, 1, 1, Err("rate must be 1 to 1000000000"));
        bucket(1, u64::MAX, 1, Err("period must be 1 to 2592000000"));
        bucket(1, 1, UNITS_MAX + 1, Err("burst must be 1 to 1000000000"));
        burst(1, 5, 1, 5, Ok(()));
        burst(0, 5, 1, 5, Err("limit must be 1 to 1000000000"));
        burst(1, 0, 1, 5, Err("window must be 1 to 2592000000"));
        burst(1, 5, 0, 5, Err("extra must be 1 to 1000000000"));
        burst(1, 5, 1, 4, Err("period must be at least as long as the window"));
        check(Terms::Strict(WindowTerms { limit: UNITS_MAX, window_ms: PERIOD_MS_MAX }), Ok(()));
        check(Terms::Daily(DailyTerms { limit: 1, offset_minutes: 840, change: None }), Ok(()));
        for offset_minutes in [-721, 841, i32::MIN, i32::MAX] {
            let daily = DailyTerms { limit: 1, offset_minutes, change: None };
            check(Terms::Daily(daily), Err("offset must be -720 to 840"));
            let change = |at_ms| NonZeroU64::new(at_ms).map(|at_ms| OffsetChange { at_ms, offset_minutes });
            let changes = |at_ms| Terms::Daily(DailyTerms { offset_minutes: 0, change: change(at_ms), ..daily });
            check(changes(1), Err("offset must be -720 to 840"));
            check(changes(u64::MAX), Err("change must be 1 to 253402300799999"));
        }
    }

    #[test]
    fn a_bucket_holds_what_comes_back_in_a_millisecond() {
        bucket(6_000, 1_000, 6, Ok(()));
        bucket(6_001, 1_000, 6, Err("burst must be at least 7, which is the rate for a millisecond"));
    }

    #[test]
    fn a_sliding_window_has_few_units_or_few_milliseconds() {
        let problem = "limit must be at most 65536 where a sliding window is longer than 65536 ms";
        sliding(65_536, PERIOD_MS_MAX, Ok(()));
        sliding(UNITS_MAX, 65_536, Ok(()));
        sliding(65_537, 65_537, Err(problem));
    }
}
