//! Those who ask have a thread of their own, as people have machines of their own; its cost counts for no server.

use anyhow::{Context, Result};
use tokio::sync::oneshot;

use crate::runtime;

/// The thread's name, by which its CPU time is known.
pub(crate) const THREAD: &str = "flash-buyers";

/// Does some work there, and waits for it.
pub(crate) async fn on_thread<T: Send + 'static>(work: impl AsyncFnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (done, result) = oneshot::channel();
    let thread = std::thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
        let _ = done.send(runtime::block_on(work()));
    })?;
    let result = result.await.context("the buyers' thread panicked")?;
    let _ = thread.join();
    result
}
