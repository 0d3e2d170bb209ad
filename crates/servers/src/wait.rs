//! The one way to wait: look again and again until a deadline.

use std::thread;
use std::time::{Duration, Instant};

/// Pause between two looks. Far below what anyone notices, far above the cost of a look.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until `look` finds something, for at most `limit_ms`. `None`: not found in time. It looks at least once.
pub(crate) fn until<T>(limit_ms: u64, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + Duration::from_millis(limit_ms);
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_already_needs_no_time() {
        assert_eq!(until(0, || Some(7)), Some(7));
    }

    #[test]
    fn it_looks_again_until_it_finds() {
        let mut looks = 0;
        let found = until(60_000, || {
            looks += 1;
            (looks == 3).then_some(looks)
        });
        assert_eq!(found, Some(3));
    }

    #[test]
    fn it_gives_up_at_the_deadline_and_not_before() {
        let begin = Instant::now();
        assert_eq!(until::<()>(30, || None), None);
        assert!(begin.elapsed() >= Duration::from_millis(30));
    }
}
