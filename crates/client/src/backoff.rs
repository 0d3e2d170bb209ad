//! How long to wait before trying again.

use std::time::Duration;

use rand::RngExt;

/// Waits that double from a first one up to a longest one, each shortened by up to half at random, so that those who
/// lost the same server do not all come back at the same moment.
#[derive(Debug, Clone)]
pub struct Backoff {
    min_ms: u64,
    max_ms: u64,
    next_ms: u64,
}

impl Backoff {
    /// Waits of about `min_ms` at first, and at most `max_ms`.
    #[must_use]
    pub const fn new(min_ms: u64, max_ms: u64) -> Self {
        Self { min_ms, max_ms, next_ms: min_ms }
    }

    /// The next wait.
    pub fn wait(&mut self) -> Duration {
        let longest_ms = self.next_ms;
        self.next_ms = longest_ms.saturating_mul(2).min(self.max_ms);
        Duration::from_millis(rand::rng().random_range(longest_ms / 2..=longest_ms))
    }

    /// What was tried has worked: the next wait is a short one again.
    pub const fn reset(&mut self) {
        self.next_ms = self.min_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_start_again() {
        let mut backoff = Backoff::new(10, 50);
        for (min_ms, max_ms) in [(5, 10), (10, 20), (20, 40), (25, 50), (25, 50)] {
            let wait_ms = backoff.wait().as_millis();
            assert!((min_ms..=max_ms).contains(&wait_ms), "{wait_ms} is not {min_ms}..={max_ms}");
        }
        backoff.reset();
        assert!(backoff.wait().as_millis() <= 10);
    }
}
