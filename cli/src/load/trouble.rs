//! What goes wrong on the buyers' side, on purpose.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many of the next requests lose their answer, and how many are sent twice.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    unheard: AtomicU64,
    doubled: AtomicU64,
}

impl Trouble {
    /// So many more requests lose their answer.
    pub(crate) fn lose_answers(&self, requests: u64) {
        self.unheard.fetch_add(requests, Ordering::Relaxed);
    }

    /// So many more requests are sent twice.
    pub(crate) fn send_twice(&self, requests: u64) {
        self.doubled.fetch_add(requests, Ordering::Relaxed);
    }

    /// Whether it is this request that loses its answer: how many there are still to be, with it.
    pub(super) fn take_unheard(&self) -> Option<u64> {
        take(&self.unheard)
    }

    /// Whether it is this request that is sent twice.
    pub(super) fn take_doubled(&self) -> bool {
        take(&self.doubled).is_some()
    }
}

fn take(left: &AtomicU64) -> Option<u64> {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_requests_go_wrong_as_was_said() {
        let trouble = Trouble::default();
        assert!(trouble.take_unheard().is_none() && !trouble.take_doubled());
        trouble.lose_answers(2);
        trouble.send_twice(1);
        assert_eq!([trouble.take_unheard(), trouble.take_unheard(), trouble.take_unheard()], [Some(2), Some(1), None]);
        assert_eq!([trouble.take_doubled(), trouble.take_doubled()], [true, false]);
    }
}
