//! How long to wait before the next try.

use std::time::Duration;

use super::limits::{RETRY_MS, RETRY_MS_MAX};

/// Waits that double up to a cap, each shortened by chance, so that gateways that lost the same server do not come back
/// to it together.
#[derive(Debug)]
pub(crate) struct Backoff {
    next_ms: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next_ms: RETRY_MS }
    }
}

impl Backoff {
    /// The next wait: between half and all of it.
    pub(crate) fn wait(&mut self) -> Duration {
        let wait_ms = rand::random_range(self.next_ms / 2..=self.next_ms);
        self.next_ms = (self.next_ms * 2).min(RETRY_MS_MAX);
        Duration::from_millis(wait_ms)
    }

    /// It worked: the next trouble begins with the first wait.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_their_cap_and_start_over_after_success() {
        let mut backoff = Backoff::default();
        let mut want_ms = RETRY_MS;
        for _ in 0..12 {
            let wait = backoff.wait();
            assert!((want_ms / 2..=want_ms).contains(&(wait.as_millis() as u64)), "{wait:?} for {want_ms} ms");
            want_ms = (want_ms * 2).min(RETRY_MS_MAX);
        }
        assert_eq!(want_ms, RETRY_MS_MAX);
        backoff.reset();
        assert!(backoff.wait() <= Duration::from_millis(RETRY_MS));
    }
}
