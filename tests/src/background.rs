//! The thread on which proxies and connections of the harness live.

use std::thread;

use anyhow::Result;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A runtime with a thread of its own; dropped, it ends with all that runs on it.
#[derive(Debug)]
pub struct Background {
    /// Tasks are spawned on it.
    pub handle: Handle,
    _stop: oneshot::Sender<()>,
}

impl Background {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the machine has no more of what a runtime needs.
    pub fn start() -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        thread::spawn(move || {
            // It ends when the sender is dropped.
            let _ = runtime.block_on(stopped);
        });
        Ok(Self { handle, _stop: stop })
    }
}
