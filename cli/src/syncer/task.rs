//! A syncer as a task of this process.

use std::time::Duration;

use anyhow::{Context, Result};
use flash_syncer::Config;
use flash_transport::Transport;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long the syncer may take to write what it has in hand. (It stops by itself well before.)
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// The task. When this is dropped, it stops.
pub(crate) struct Syncer {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<()>>,
}

impl Syncer {
    pub(crate) fn start(config: Config, transport: impl Transport) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let stopped = async move {
                let _ = stopped.await;
            };
            Ok(flash_syncer::run(&config, &transport, stopped).await?)
        });
        Self { stop, task }
    }

    /// Resolves when it has ended by itself, with the reason.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        match (&mut self.task).await {
            Ok(Err(error)) => error,
            Ok(Ok(())) => anyhow::anyhow!("the syncer ended"),
            Err(panicked) => panicked.into(),
        }
    }

    /// Lets it finish the batch in hand.
    pub(crate) async fn stop(self) -> Result<()> {
        let _ = self.stop.send(());
        tokio::time::timeout(STOP_TIMEOUT, self.task).await.context("the syncer did not stop")??
    }
}
