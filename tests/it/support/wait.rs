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
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    while start.elapsed() < DEADLINE {
        if let Some(found) = look() {
            return found;
        }
        thread::park_timeout(POLL);
    }
    panic!("waited {} s in vain for {what}", DEADLINE.as_secs());
}
