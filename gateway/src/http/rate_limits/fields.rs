//! The fields `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11). Their syntax still moves:
//! it is here and nowhere else.

use std::fmt::Write;

use flash_wire::{ThrottleAnswer, ThrottleTerms};
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use crate::rate_limit::{Limit, Policy};

const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const DAY_S: u64 = 24 * 60 * 60;

/// What an answer says about the rate limits that its request was counted in.
#[derive(Debug, Default)]
pub(super) struct RateLimitFields {
    policies: String,
    standings: String,
}

impl RateLimitFields {
    /// Adds a policy, and the state of its rate limit.
    pub(super) fn add(&mut self, policy: &Policy, answer: &ThrottleAnswer) {
        for list in [&mut self.policies, &mut self.standings] {
            if !list.is_empty() {
                list.push_str(", ");
            }
        }
        let standing = &answer.standing;
        let (name, window_s) = (&policy.name, window_s(&policy.limit));
        // Until the next request is allowed, if this one was not; else until all units are back.
        let again_s = seconds(answer.retry_after_ms.unwrap_or(standing.reset_ms));
        // A name needs no escape, and writing into memory cannot fail.
        let _ = write!(self.policies, "\"{name}\";q={};w={window_s}", standing.limit);
        let _ = write!(self.standings, "\"{name}\";r={};t={again_s}", standing.remaining);
    }

    /// Puts them into an answer.
    pub(super) fn write(self, headers: &mut HeaderMap) {
        for (name, value) in [(RATELIMIT_POLICY, self.policies), (RATELIMIT, self.standings)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

/// Whole seconds, never too few.
pub(super) const fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1_000)
}

/// In how many seconds all units come back. The field has no smaller unit.
fn window_s(limit: &Limit) -> u64 {
    let Limit::Fixed(terms) = limit else { return DAY_S };
    let window_ms = match terms {
        ThrottleTerms::Bucket(terms) => terms.burst.saturating_mul(terms.period_ms).div_ceil(terms.rate),
        ThrottleTerms::Burst(terms) => terms.window_ms,
        ThrottleTerms::Strict(terms) | ThrottleTerms::Sliding(terms) => terms.window_ms,
        ThrottleTerms::Daily(_) => return DAY_S,
    };
    seconds(window_ms).max(1)
}

#[cfg(test)]
mod tests {
    use flash_wire::{BucketTerms, BurstTerms, DailyTerms, Standing, WindowTerms};

    use super::*;

    fn check(policies: &[(ThrottleTerms, Option<u64>, [u64; 3])], want: [&str; 2]) {
        let mut fields = RateLimitFields::default();
        for (at, (terms, retry_after_ms, [limit, remaining, reset_ms])) in policies.iter().enumerate() {
            let policy = Policy::new(&format!("p{at}"), *terms, &[], &[]).unwrap();
            let standing = Standing { limit: *limit, remaining: *remaining, reset_ms: *reset_ms };
            fields.add(&policy, &ThrottleAnswer { retry_after_ms: *retry_after_ms, standing });
        }
        let mut headers = HeaderMap::new();
        fields.write(&mut headers);
        assert_eq!([RATELIMIT_POLICY, RATELIMIT].map(|name| headers[&name].to_str().unwrap()), want);
    }

    #[test]
    fn each_strategy_says_its_quota_its_window_and_what_is_left() {
        let bucket = ThrottleTerms::Bucket(BucketTerms { rate: 100, period_ms: 60_000, burst: 20 });
        check(&[(bucket, None, [20, 19, 600])], ["\"p0\";q=20;w=12", "\"p0\";r=19;t=1"]);
        let burst = ThrottleTerms::Burst(BurstTerms { limit: 5, window_ms: 1_000, extra: 10, period_ms: 60_000 });
        check(&[(burst, Some(1_001), [15, 0, 9_000])], ["\"p0\";q=15;w=1", "\"p0\";r=0;t=2"]);
        let strict = ThrottleTerms::Strict(WindowTerms { limit: 5, window_ms: 250 });
        check(&[(strict, None, [5, 4, 0])], ["\"p0\";q=5;w=1", "\"p0\";r=4;t=0"]);
        let sliding = ThrottleTerms::Sliding(WindowTerms { limit: 5, window_ms: 1_500 });
        let daily = ThrottleTerms::Daily(DailyTerms { limit: 9, offset_minutes: 60, change: None });
        let both = ["\"p0\";q=5;w=2, \"p1\";q=9;w=86400", "\"p0\";r=4;t=2, \"p1\";r=0;t=86400"];
        check(&[(sliding, None, [5, 4, 1_500]), (daily, Some(86_400_000), [9, 0, 86_400_000])], both);
    }
}
