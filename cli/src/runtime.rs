//! How a command runs: on one thread, until it is done or asked to stop.

use anyhow::Result;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Runs on this thread alone: a gateway and its relay have threads of their own, and a syncer needs no more.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    Builder::new_current_thread().enable_all().build()?.block_on(future)
}

/// Resolves at Ctrl-C or SIGTERM.
pub(crate) fn asked_to_stop() -> Result<impl Future<Output = ()> + Send + 'static> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
