//! What operators ask for again and again, and what takes time to find out: once at a time in a gateway, and told again
//! while it is fresh.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::limits::TURN_MS_MAX;

/// A slow result is reused for as many times its duration, so that at most a quarter of the time goes into computing
/// it.
const REST_TIMES: u32 = 3;

/// What was found out last, and of what.
#[derive(Debug)]
pub(crate) struct Fresh<K, T> {
    fresh_ms: u64,
    last: Mutex<Option<Last<K, T>>>,
}

#[derive(Debug)]
struct Last<K, T> {
    of: K,
    found: T,
    until: Instant,
}

impl<K: PartialEq, T: Clone> Fresh<K, T> {
    pub(crate) fn new(fresh_ms: u64) -> Self {
        Self { fresh_ms, last: Mutex::default() }
    }

    /// What is known of `of`, or what `finding` finds out. None: others took up all the time that there is.
    pub(crate) async fn get(&self, of: K, finding: impl Future<Output = T>) -> Option<T> {
        let mut last = timeout(Duration::from_millis(TURN_MS_MAX), self.last.lock()).await.ok()?;
        let began = Instant::now();
        if let Some(last) = last.as_ref().filter(|last| last.of == of && began < last.until) {
            return Some(last.found.clone());
        }
        let found = finding.await;
        let rest = Duration::from_millis(self.fresh_ms).max(began.elapsed() * REST_TIMES);
        *last = Some(Last { of, found: found.clone(), until: Instant::now() + rest });
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::advance;

    use super::*;

    /// Finds out how often it was found out, which takes a while.
    async fn find(times: &AtomicU32, takes_ms: u64) -> u32 {
        tokio::time::timeout(Duration::from_millis(takes_ms), std::future::pending::<()>()).await.unwrap_err();
        times.fetch_add(1, Ordering::Relaxed) + 1
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_at_the_same_time_or_soon_gets_the_same_answer() {
        let (fresh, times) = (Fresh::new(1_000), AtomicU32::default());
        let (one, other) = tokio::join!(fresh.get("a", find(&times, 50)), fresh.get("a", find(&times, 50)));
        assert_eq!((one, other), (Some(1), Some(1)));
        advance(Duration::from_millis(900)).await;
        assert_eq!(fresh.get("a", find(&times, 50)).await, Some(1));
        advance(Duration::from_millis(100)).await;
        assert_eq!(fresh.get("a", find(&times, 50)).await, Some(2));
        assert_eq!(fresh.get("b", find(&times, 50)).await, Some(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_result_is_reused_for_longer() {
        let (fresh, times) = (Fresh::new(1_000), AtomicU32::default());
        assert_eq!(fresh.get("a", find(&times, 2_000)).await, Some(1));
        advance(Duration::from_millis(5_900)).await;
        assert_eq!(fresh.get("a", find(&times, 50)).await, Some(1));
        advance(Duration::from_millis(100)).await;
        assert_eq!(fresh.get("a", find(&times, 50)).await, Some(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_would_wait_too_long_is_refused() {
        let (fresh, times) = (Fresh::new(1_000), AtomicU32::default());
        let slow = fresh.get("a", find(&times, TURN_MS_MAX + 1));
        let (slow, hasty) = tokio::join!(slow, fresh.get("b", find(&times, 0)));
        assert_eq!((slow, hasty), (Some(1), None));
    }
}
