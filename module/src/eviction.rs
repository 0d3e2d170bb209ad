//! Whether the server may delete keys to make room: a sale that is evicted can be sold a second time.

use std::sync::atomic::{AtomicBool, Ordering};

use redis_module::{Context, ContextFlags};

/// Says so in the log when the server begins to evict keys.
pub(crate) fn warn_of_eviction(context: &Context) {
    static WAS_EVICTING: AtomicBool = AtomicBool::new(false);
    let is_evicting = is_evicting();
    if is_evicting && !WAS_EVICTING.swap(is_evicting, Ordering::Relaxed) {
        context.log_warning(
            "the maxmemory-policy may evict sales, and who has bought from them would be forgotten: use noeviction",
        );
    }
    WAS_EVICTING.store(is_evicting, Ordering::Relaxed);
}

/// Whether the server may delete keys to make room.
pub(crate) fn is_evicting() -> bool {
    Context::dummy().get_flags().contains(ContextFlags::EVICTED)
}
