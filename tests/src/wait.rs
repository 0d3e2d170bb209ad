//! Waiting for a condition, with a deadline.

use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine; it is only waited out by a test that fails.
const DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

/// Waits until `look` gives something.
///
/// # Panics
/// When the deadline passes: `what` was waited for in vain.
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(DEADLINE, look).unwrap_or_else(|| panic!("waited {} s in vain for {what}", DEADLINE.as_secs()))
}

/// Waits until `look` gives something; none, if it never does before the limit. It looks at least once.
pub fn within<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if start.elapsed() >= limit {
            return None;
        }
        thread::park_timeout(POLL);
    }
}
