//! What this server knows about the past of its sales: which of them are known to be whole, and whether any was lost.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::config;

/// Grows whenever this server takes over from another. A sale that was known to be whole before it may lack what the
/// other decided last.
static LIFE: AtomicU64 = AtomicU64::new(1);

/// No life: the sale comes from a disk or from another server.
const NONE: u64 = 0;

/// Other than before whenever sales may have gone or come into doubt.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Takes a random beginning, so that no two processes show the same generation.
pub(crate) fn begin(random: u64) {
    GENERATION.store(random, Ordering::Relaxed);
}

/// This server takes over from another, or follows one from now on.
pub(crate) fn role_changed() {
    if config::fences_on_load() {
        LIFE.fetch_add(1, Ordering::Relaxed);
    }
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// A sale is no longer in memory, or lies under another name, or came from elsewhere.
pub(crate) fn sales_changed() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// The life of this server, for a sale that is known to be whole.
pub(crate) fn current() -> u64 {
    LIFE.load(Ordering::Relaxed)
}

/// The life of this server that a sale from elsewhere counts for.
pub(crate) fn of_loaded() -> u64 {
    if config::fences_on_load() { NONE } else { current() }
}

/// Which generation of this server's sales this is. It tells one from another, and nothing else.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed) & GENERATION_MASK
}

/// RESP integers are signed.
const GENERATION_MASK: u64 = u64::MAX >> 1;
