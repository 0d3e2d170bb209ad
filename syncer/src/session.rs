//! One life of the syncer's connections: the first trouble ends it, and another begins with fresh ones.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use flash_client::Backoff;
use flash_metrics::Counter;
use flash_metrics::process::{BATCH_EVENTS, BATCH_SECONDS, QUEUE_MESSAGES, SYNC_LAG_SECONDS};
use flash_transport::{Batch, Batches, Transport, spans};
use flash_vault::{Incoming, Report, Vault};
use flash_wire::Message;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::acks::Acks;
use crate::config::Config;
use crate::read::Read;

/// How long writing a batch may take before the connection counts as lost.
pub const WRITE_TIMEOUT_MS: u64 = 60_000;

/// How often a syncer looks what the operator wants, and says what it does.
pub const CONTROL_MS: u64 = 1_000;

/// Why a session ended. The messages in hand were not acknowledged, and come again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Vault(#[from] flash_vault::Error),
    #[error("PostgreSQL did not write a batch within {WRITE_TIMEOUT_MS} ms")]
    WriteTimeout,
    #[error(transparent)]
    Transport(#[from] flash_transport::Error),
}

/// The connections of a session.
struct Session<T: Transport> {
    vault: Vault,
    batches: Batches<T::Source>,
}

/// Events that this process has brought to PostgreSQL, some of them again.
static WRITTEN: Counter = Counter::new();

/// Syncs until `stop` is true. `backoff` is reset by the first batch that is written.
pub(crate) async fn sync<T: Transport>(
    config: &Config,
    transport: &T,
    acks: &Acks,
    stop: &mut watch::Receiver<bool>,
    backoff: &mut Backoff,
) -> Result<(), Trouble> {
    let mut session = tokio::select! {
        session = Session::open(config, transport) => session?,
        _ = stop.wait_for(|stop| *stop) => return Ok(()),
    };
    let mut control = interval(Duration::from_millis(CONTROL_MS));
    control.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let batch = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            _ = control.tick() => None,
            batch = session.batches.next_batch() => Some(batch?),
        };
        match batch {
            None => session.obey(&config.name).await?,
            Some(batch) => match session.write(batch, acks).await {
                // Nothing of it was written: its messages come again.
                Err(Trouble::Vault(flash_vault::Error::Paused)) => session.batches.set_paused(true).await?,
                written => {
                    written?;
                    backoff.reset();
                }
            },
        }
    }
    session.batches.close().await;
    Ok(())
}

impl<T: Transport> Session<T> {
    /// PostgreSQL first: messages are not taken before there is somewhere to write them.
    async fn open(config: &Config, transport: &T) -> Result<Self, Trouble> {
        let vault = Vault::open(&config.postgres).await?;
        let batches = Batches::new(transport.source(&config.name).await?);
        Ok(Self { vault, batches })
    }

    /// Does what the operator wants, and says so.
    async fn obey(&mut self, name: &str) -> Result<(), Trouble> {
        let control = async {
            let queued = self.batches.queued().await?;
            QUEUE_MESSAGES.set(queued);
            let report = |paused| Report { paused, queued, written: WRITTEN.get() };
            let wanted = self.vault.report_syncer(name, report(self.batches.is_paused())).await?;
            if wanted == self.batches.is_paused() {
                return Ok(());
            }
            self.batches.set_paused(wanted).await?;
            tracing::info!(paused = wanted, "as the operator wants it");
            self.vault.report_syncer(name, report(wanted)).await?;
            Ok(())
        };
        timeout(Duration::from_millis(WRITE_TIMEOUT_MS), control).await.map_err(|_| Trouble::WriteTimeout)?
    }

    /// Writes, and acknowledges what is committed.
    async fn write(&mut self, batch: Batch, acks: &Acks) -> Result<(), Trouble> {
        let Read { messages, barriers, unreadable } = Read::of(&batch);
        let incoming = Incoming { messages: &messages, unreadable: &unreadable, barriers: &barriers };
        let writing = self.vault.write_incoming(incoming);
        let began = Instant::now();
        let written = timeout(Duration::from_millis(WRITE_TIMEOUT_MS), writing).await;
        let heads = written.map_err(|_| Trouble::WriteTimeout)??;
        measure(&messages, began.elapsed());
        let count = messages.len();
        for bad in &unreadable {
            tracing::error!(
                reason = bad.reason,
                bytes = bad.body.len(),
                "an unreadable message went to the quarantine"
            );
        }
        tracing::debug!(messages = count, sales = heads.len(), "written");
        for trace in &batch.traces {
            spans::done("write", Some(*trace), began);
            tracing::info!(trace_id = trace.trace_id(), "an event of this trace is in PostgreSQL");
        }
        // Redis may know even if the transport does not: the messages that come again are passed over.
        acks.note(heads);
        Ok(self.batches.commit(batch.token).await?)
    }
}

/// Notes what a batch was like.
fn measure(messages: &[Message], took: Duration) {
    let events = messages.iter().map(|message| message.events.len()).sum();
    WRITTEN.add(events);
    BATCH_EVENTS.had(events);
    BATCH_SECONDS.took(took);
    let newest = messages.iter().filter_map(|message| message.events.last()).map(|event| event.at_ms).max();
    if let Some(at_ms) = newest {
        let decided = UNIX_EPOCH + Duration::from_millis(at_ms);
        SYNC_LAG_SECONDS.took(SystemTime::now().duration_since(decided).unwrap_or_default());
    }
}
