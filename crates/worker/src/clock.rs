//! The clock of a process. Whether a sale is open, the sale decides by its own.

use std::time::{SystemTime, UNIX_EPOCH};

/// Unix milliseconds, by this machine's clock: it may step back.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
