//! One life of the syncer's connections: the first trouble ends it, and another begins with fresh ones.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use flash_broker::{ConnectError, QUEUE, TopologyError, connect, declare};
use flash_client::Backoff;
use flash_metrics::process::{BATCH_EVENTS, BATCH_SECONDS, SYNC_LAG_SECONDS};
use flash_vault::{Incoming, Vault};
use flash_wire::Message;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Connection, Consumer};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::acks::Acks;
use crate::batch::{Batch, Read};
use crate::run::Config;

/// Messages that RabbitMQ sends ahead of their acknowledgement. The client library keeps them in memory without a bound
/// of its own, so this is it: 64 MB, with messages as long as the relay makes them.
pub const PREFETCH_MESSAGES: u16 = 1_000;
/// How long writing a batch may take before the connection counts as lost.
pub const WRITE_TIMEOUT_MS: u64 = 60_000;

/// Why a session ended. The messages in hand were not acknowledged, and come again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Vault(#[from] flash_vault::Error),
    #[error("PostgreSQL did not write a batch within {WRITE_TIMEOUT_MS} ms")]
    WriteTimeout,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Topology(#[from] TopologyError),
    #[error("RabbitMQ: {0}")]
    RabbitMq(#[from] lapin::Error),
    #[error("RabbitMQ sends no more messages")]
    Cancelled,
}

/// The connections of a session.
struct Session {
    vault: Vault,
    connection: Connection,
    consumer: Consumer,
}

/// Syncs until `stop` is true. `backoff` is reset by the first batch that is written.
pub(crate) async fn sync(
    config: &Config,
    acks: &Acks,
    stop: &mut watch::Receiver<bool>,
    backoff: &mut Backoff,
) -> Result<(), Trouble> {
    let mut session = tokio::select! {
        session = Session::open(config) => session?,
        _ = stop.wait_for(|stop| *stop) => return Ok(()),
    };
    loop {
        let batch = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            batch = Batch::gather(&mut session.consumer) => batch?.ok_or(Trouble::Cancelled)?,
        };
        session.write(batch, acks).await?;
        backoff.reset();
    }
    // What was fetched ahead goes back to the queue with the connection.
    session.connection.close(200, "stopped".into()).await?;
    Ok(())
}

impl Session {
    /// PostgreSQL first: messages are not taken before there is somewhere to write them.
    async fn open(config: &Config) -> Result<Self, Trouble> {
        let vault = Vault::open(&config.postgres).await?;
        let connection = connect(&config.amqp, &config.name).await?;
        let channel = connection.create_channel().await?;
        declare(&channel).await?;
        channel.basic_qos(PREFETCH_MESSAGES, BasicQosOptions::default()).await?;
        let options = BasicConsumeOptions::default();
        let consumer = channel.basic_consume(QUEUE.into(), "".into(), options, FieldTable::default()).await?;
        Ok(Self { vault, connection, consumer })
    }

    /// Writes, and acknowledges what is committed.
    async fn write(&mut self, batch: Batch, acks: &Acks) -> Result<(), Trouble> {
        let Read { messages, barriers, unreadable } = batch.read();
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
                "a message that nobody can read went to the quarantine"
            );
        }
        tracing::debug!(messages = count, sales = heads.len(), "written");
        // Redis may know even if RabbitMQ does not: the messages that come again are passed over.
        acks.note(heads);
        if batch.acknowledge().await? { Ok(()) } else { Err(Trouble::Cancelled) }
    }
}

/// Notes what a batch was like.
fn measure(messages: &[Message], took: Duration) {
    BATCH_EVENTS.had(messages.iter().map(|message| message.events.len()).sum());
    BATCH_SECONDS.took(took);
    let newest = messages.iter().filter_map(|message| message.events.last()).map(|event| event.at_ms).max();
    if let Some(at_ms) = newest {
        let decided = UNIX_EPOCH + Duration::from_millis(at_ms);
        SYNC_LAG_SECONDS.took(SystemTime::now().duration_since(decided).unwrap_or_default());
    }
}
