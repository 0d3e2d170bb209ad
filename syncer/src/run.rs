//! The syncer as a whole: sessions, one after the other, until it must stop.

use std::time::Duration;

use flash_client::{Backoff, Client, UrlError};
use flash_metrics::process::{QUEUE_MESSAGES, SYNCER_RETRIES};
use flash_transport::{Cause, Transport};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::acks::Acks;
use crate::config::Config;
use crate::heal::may_delete;
use crate::session::{Trouble, sync};

/// The first wait before new connections are tried.
pub const RETRY_WAIT_MS_MIN: u64 = 100;
/// The longest wait before new connections are tried.
pub const RETRY_WAIT_MS_MAX: u64 = 5_000;
/// How long the batch in hand may take to be written and acknowledged, once the syncer must stop.
pub const STOP_TIMEOUT_MS: u64 = 10_000;

/// Why the syncer cannot go on. Everything else it waits for and tries again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A URL cannot be read.
    #[error(transparent)]
    Redis(#[from] UrlError),
    /// The transport cannot be used as it is set up. The text says what to do.
    #[error("{0}")]
    Transport(Cause),
    /// A URL cannot be read.
    #[error(transparent)]
    PostgreSql(flash_vault::Error),
    /// The last batch was not finished. Nothing is lost: its messages come again.
    #[error("the last batch was not finished within {STOP_TIMEOUT_MS} ms; its messages come again")]
    StopTimeout,
}

/// Syncs until `shutdown` ends; then finishes the batch in hand.
///
/// # Errors
/// See [`Error`]. Servers that are away, and come back, are none.
pub async fn run<T: Transport>(
    config: &Config,
    transport: &T,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let client = Client::connect(&config.redis)?;
    let acks = Acks::default();
    let (stop, stopped) = watch::channel(false);
    let work = async {
        let synced = tokio::select! {
            synced = sync_always(config, transport, &client, &acks, stopped) => synced,
            never = acks.tell_always(&client) => match never {},
        };
        acks.tell(&client).await;
        synced
    };
    let stopping = async {
        shutdown.await;
        stop.send_replace(true);
        sleep(Duration::from_millis(STOP_TIMEOUT_MS)).await;
    };
    tokio::select! {
        synced = work => synced,
        () = stopping => Err(Error::StopTimeout),
    }
}

async fn sync_always<T: Transport>(
    config: &Config,
    transport: &T,
    client: &Client,
    acks: &Acks,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Error> {
    let mut backoff = Backoff::new(RETRY_WAIT_MS_MIN, RETRY_WAIT_MS_MAX);
    loop {
        let trouble = match sync(config, transport, acks, &mut stop, &mut backoff).await {
            Ok(()) => return Ok(()),
            Err(Trouble::Transport(flash_transport::Error::Misconfigured(why))) => return Err(Error::Transport(why)),
            Err(Trouble::Vault(error @ flash_vault::Error::Url)) => return Err(Error::PostgreSql(error)),
            Err(trouble) => trouble,
        };
        if let Trouble::Transport(flash_transport::Error::Frozen(why)) = &trouble {
            tokio::select! {
                () = heal(config, transport, client, why) => {}
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
            }
        }
        let wait = backoff.wait();
        SYNCER_RETRIES.add(1);
        QUEUE_MESSAGES.forget();
        tracing::warn!(%trouble, wait_ms = wait.as_millis(), "the syncer connects anew; what was in hand comes again");
        if timeout(wait, stop.wait_for(|stop| *stop)).await.is_ok() {
            return Ok(());
        }
    }
}

/// Lets the transport make anew what is frozen, if no sale can depend on what it holds.
async fn heal<T: Transport>(config: &Config, transport: &T, client: &Client, why: &Cause) {
    tracing::error!(why = why.to_string(), "no messages come");
    let may_delete = may_delete(&config.postgres, client);
    match transport.heal(&config.name, may_delete).await {
        Ok(()) => tracing::warn!("what was frozen is made anew"),
        Err(error) => tracing::error!(%error, "what is frozen stays so; the syncer tries again"),
    }
}
