//! What was refused a moment ago, and until when it will be: Redis could only say so again. Who asks too often costs
//! Redis nothing so, and takes nothing from the other rate limits that count the same requests.

use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use flash_wire::{Standing, ThrottleAnswer};

/// Refusals of one thread that are remembered. Where there are more, they displace each other.
const REFUSALS_MAX: usize = 4_096;
/// How long one is remembered. An operator may change the terms, or return units to a buyer.
const REFUSAL_MS_MAX: u64 = 1_000;

#[derive(Debug)]
pub(super) struct RecentRefusals {
    hasher: RandomState,
    slots: Mutex<Vec<Option<Refusal>>>,
}

#[derive(Debug)]
struct Refusal {
    name: String,
    /// When the call that was refused was sent.
    at: Instant,
    retry_after_ms: u64,
    standing: Standing,
}

impl RecentRefusals {
    pub(super) fn new() -> Self {
        let slots = std::iter::repeat_with(|| None).take(REFUSALS_MAX).collect();
        Self { hasher: RandomState::new(), slots: Mutex::new(slots) }
    }

    /// Remembers that a call, sent at that moment, was refused.
    pub(super) fn remember(&self, name: &str, at: Instant, answer: &ThrottleAnswer) {
        let Some(retry_after_ms) = answer.retry_after_ms else { return };
        let refusal = Refusal { name: name.to_owned(), at, retry_after_ms, standing: answer.standing };
        self.with_slot(name, |slot| *slot = Some(refusal));
    }

    /// What the rate limit would answer now, if it is sure to refuse. (It decided after the call was sent, so that it
    /// refuses a little longer than is remembered here, and never shorter.)
    pub(super) fn look(&self, name: &str, now: Instant) -> Option<ThrottleAnswer> {
        self.with_slot(name, |slot| {
            let refusal = slot.as_ref().filter(|refusal| refusal.name == name)?;
            let elapsed = now.saturating_duration_since(refusal.at);
            let lasts_ms = refusal.retry_after_ms.min(REFUSAL_MS_MAX);
            if elapsed >= Duration::from_millis(lasts_ms) {
                *slot = None;
                return None;
            }
            let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            let left = |ms: u64| ms.saturating_sub(elapsed_ms);
            let Standing { limit, remaining, reset_ms } = refusal.standing;
            let standing = Standing { limit, remaining, reset_ms: left(reset_ms) };
            Some(ThrottleAnswer { retry_after_ms: Some(left(refusal.retry_after_ms)), standing })
        })
    }

    fn with_slot<T>(&self, name: &str, f: impl FnOnce(&mut Option<Refusal>) -> T) -> T {
        // Nothing panics while it is locked; and even then there is nothing in it that could be half done.
        let mut slots = self.slots.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = slots.len() as u64;
        let at = usize::try_from(self.hasher.hash_one(name) % count).unwrap_or(0);
        f(&mut slots[at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(retry_after_ms: Option<u64>) -> ThrottleAnswer {
        ThrottleAnswer { retry_after_ms, standing: Standing { limit: 5, remaining: 0, reset_ms: 5_000 } }
    }

    fn check(retry_after_ms: u64, later_ms: u64, want: Option<(u64, u64)>) {
        let (refused, at) = (RecentRefusals::new(), Instant::now());
        refused.remember("ada", at, &refusal(Some(retry_after_ms)));
        assert_eq!(refused.look("bob", at), None);
        let got = refused.look("ada", at + Duration::from_millis(later_ms));
        let got = got.map(|answer| (answer.retry_after_ms.unwrap(), answer.standing.reset_ms));
        assert_eq!(got, want, "{retry_after_ms} {later_ms}");
    }

    #[test]
    fn a_refusal_is_repeated_until_it_may_be_over_and_no_longer_than_a_while() {
        check(300, 0, Some((300, 5_000)));
        check(300, 299, Some((1, 4_701)));
        check(300, 300, None);
        check(4_000, 999, Some((3_001, 4_001)));
        check(4_000, 1_000, None);
    }

    #[test]
    fn what_was_allowed_is_not_remembered_and_however_many_are_refused_the_memory_is_bounded() {
        let (refused, at) = (RecentRefusals::new(), Instant::now());
        refused.remember("ada", at, &refusal(None));
        assert_eq!(refused.look("ada", at), None);
        for buyer in 0..3 * REFUSALS_MAX {
            refused.remember(&format!("b{buyer}"), at, &refusal(Some(300)));
        }
        let slots = refused.slots.lock().unwrap();
        assert!(slots.len() == REFUSALS_MAX && slots.capacity() < 2 * REFUSALS_MAX, "{}", slots.len());
    }
}
