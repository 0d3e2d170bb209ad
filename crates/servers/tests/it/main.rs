//! The servers themselves: started, killed, started again, stopped, and gone.

mod directory;
mod postgres;
mod processes;
mod rabbitmq;
mod redis;
mod survivors;

use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A directory that every user can go through, as PostgreSQL under root needs it. Use a name with a space below it:
/// that is how many homes look.
fn temporary_dir() -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let permissions = std::fs::Permissions::from_mode(0o755);
    tempfile::Builder::new().permissions(permissions).tempdir().unwrap()
}

/// Runs async code of a client to its end.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(work)
}

/// Looks until the condition holds; fails when it does not within the limit.
fn wait_until(condition: &str, mut holds: impl FnMut() -> bool) {
    const LIMIT: Duration = Duration::from_secs(30);
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < LIMIT, "not within {LIMIT:?}: {condition}");
        std::thread::yield_now();
    }
}
