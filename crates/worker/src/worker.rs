//! A thread with a runtime of its own: what runs on it wakes no other thread.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// A thread that runs one future to its end.
#[derive(Debug)]
pub struct Worker {
    name: String,
    ended: oneshot::Receiver<()>,
}

impl Worker {
    /// Starts a thread. `setup` runs on it, within its runtime, and gives the future to run.
    ///
    /// # Errors
    /// When the thread cannot be had, or `setup` fails.
    pub fn start<F, E>(name: String, setup: impl FnOnce() -> Result<F, E> + Send + 'static) -> Result<Self, E>
    where
        F: Future<Output = ()>,
        E: From<io::Error> + Send + 'static,
    {
        let (started, starts) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        let body = move || {
            let ready = runtime().map_err(E::from).and_then(|runtime| {
                let _within = runtime.enter();
                setup().map(|future| (future, runtime))
            });
            match ready {
                Err(error) => drop(started.send(Err(error))),
                Ok((future, runtime)) => {
                    let _ = started.send(Ok(()));
                    runtime.block_on(future);
                    let _ = end.send(());
                }
            }
        };
        thread::Builder::new().name(name.clone()).spawn(body)?;
        let died = || Err(io::Error::other(format!("the thread {name} died at its start")).into());
        starts.recv().unwrap_or_else(|_| died())?;
        Ok(Self { name, ended })
    }

    /// Waits until the thread has ended, but no longer than that.
    pub async fn end(self, limit: Duration) {
        match timeout(limit, self.ended).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => tracing::error!(thread = self.name, "died by a bug of the gateway"),
            Err(_) => tracing::warn!(thread = self.name, "did not end within {limit:?}; it is left behind"),
        }
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
