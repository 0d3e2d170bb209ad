//! A clock that is off, for tests: only a module that was built with debug assertions can have one.

#[cfg(debug_assertions)]
use std::sync::atomic::{AtomicI64, Ordering};

#[cfg(debug_assertions)]
static OFFSET_MS: AtomicI64 = AtomicI64::new(0);

/// The clock's time with its offset, Unix milliseconds.
#[cfg(debug_assertions)]
pub(crate) fn add(now_ms: i64) -> i64 {
    now_ms.saturating_add(OFFSET_MS.load(Ordering::Relaxed))
}

/// The clock's time, Unix milliseconds.
#[cfg(not(debug_assertions))]
pub(crate) const fn add(now_ms: i64) -> i64 {
    now_ms
}

/// From now on the clock is off by so much.
#[cfg(debug_assertions)]
pub(crate) fn set(offset_ms: i64) {
    OFFSET_MS.store(offset_ms, Ordering::Relaxed);
}
