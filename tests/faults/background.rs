//! The thread on which proxies and connections of the harness live.

use std::thread;

use anyhow::Result;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A runtime with a thread of its own; dropped, it ends with all that runs on it.
pub(crate) struct Background {
    pub(crate) handle: Handle,
    _stop: oneshot::Sender<()>,
}

impl Background {
    pub(crate) fn start() -> Result<Self> {
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
