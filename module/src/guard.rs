//! No panic may leave the module: beyond it is C.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `f` and turns a panic into none. What panicked has been logged by then: the default hook writes to stderr,
/// which is the server's.
pub(crate) fn guard<T>(f: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(f)).ok()
}
