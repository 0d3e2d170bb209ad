//! What becomes of a queue that is frozen.
//!
//! A RabbitMQ 3.10 that is killed a moment after a quorum queue was declared comes back with a queue that is there by
//! name only: it can be declared, but no publish is ever confirmed and no consumer ever answered (8 of 8 times, killed
//! right after the declaration; whatever had been confirmed was gone). To delete it takes five seconds, and helps.
//!
//! A slow link, and a large queue that comes back, look alike at first. So a queue counts as frozen only when, over one
//! more connection, another queue confirms messages all the time and this one confirms none; and it is deleted only
//! when nothing can depend on what it holds.

use std::time::Duration;

use flash_transport::{Cause, Error, Outgoing};
use flash_wire::Barrier;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection};
use tokio::time::{Instant, sleep, timeout};

use crate::connect::connect;
use crate::error::{AmqpError, lost};
use crate::keys::MessageKeys;
use crate::limits::{ANSWER_MS, FROZEN_AFTER_MS, HEAL_TIMEOUT_MS, PROBE_MS, ROUND_MS};
use crate::publish::publish;
use crate::topology::{QUEUE, declare, is_refused};

#[cfg(test)]
mod tests;

/// Waits for [`FROZEN_AFTER_MS`], then finds out why no consumer was answered so long, and gives what there is to say.
/// A queue that lives gets as long again.
pub(crate) async fn silence(url: &str, name: &str, keys: &MessageKeys) -> Error {
    let patience = Duration::from_millis(FROZEN_AFTER_MS);
    sleep(patience).await;
    match probe(url, name, keys).await {
        Ok(AmqpError::Frozen) => AmqpError::Frozen.into(),
        Ok(alive_or_unknown) => {
            sleep(patience).await;
            alive_or_unknown.into()
        }
        Err(error) => error,
    }
}

/// Why a queue answers no consumer: [`AmqpError::Frozen`], [`AmqpError::Slow`] or [`AmqpError::NotProbed`].
async fn probe(url: &str, name: &str, keys: &MessageKeys) -> Result<AmqpError, Error> {
    let connection = connect(url, name).await?;
    let why = if !may_probe(&connection).await? {
        AmqpError::NotProbed
    } else if is_frozen(&connection, keys).await? {
        AmqpError::Frozen
    } else {
        AmqpError::Slow
    };
    // It is gone in either case.
    let _ = connection.close(200, "probed".into()).await;
    Ok(why)
}

/// Whether this user may declare what Flash declares, and a queue of its own. One that may only consume may not.
async fn may_probe(connection: &Connection) -> Result<bool, Error> {
    let channel = in_time(connection.create_channel()).await?;
    match timeout(Duration::from_millis(ANSWER_MS), declare(&channel)).await.map_err(|_| slow())? {
        Err(error) if error.is_refused() => return Ok(false),
        declared => declared?,
    };
    match timeout(Duration::from_millis(ANSWER_MS), Other::declare(&channel)).await.map_err(|_| slow())? {
        Err(error) if is_refused(&error) => Ok(false),
        declared => declared.map(|_| true).map_err(lost),
    }
}

/// Whether another queue confirms messages for as long as [`PROBE_MS`], and this one confirms none.
async fn is_frozen(connection: &Connection, keys: &MessageKeys) -> Result<bool, Error> {
    let channel = in_time(connection.create_channel()).await?;
    in_time(channel.confirm_select(ConfirmSelectOptions::default())).await?;
    let other = Other::open(connection).await?;
    // A syncer reads it as a barrier. No process waits for it.
    let probe = Barrier::new("probe").map_err(|error| Error::Away(error.into()))?;
    let confirm = in_time(publish(&channel, &Outgoing::barrier(&probe), keys)).await?;
    let probing = async {
        let until = Instant::now() + Duration::from_millis(PROBE_MS);
        while Instant::now() < until {
            sleep(Duration::from_millis(ROUND_MS)).await;
            other.answers().await?;
        }
        Ok(true)
    };
    tokio::select! {
        // A "no" is an answer as well: a queue that is full is not frozen.
        confirmed = confirm => confirmed.map(|_| false).map_err(lost),
        silent = probing => silent,
    }
}

/// A queue of this connection alone, for comparison.
struct Other {
    channel: Channel,
    queue: lapin::Queue,
}

impl Other {
    async fn open(connection: &Connection) -> Result<Self, Error> {
        let channel = in_time(connection.create_channel()).await?;
        in_time(channel.confirm_select(ConfirmSelectOptions::default())).await?;
        let queue = in_time(Self::declare(&channel)).await?;
        Ok(Self { channel, queue })
    }

    async fn declare(channel: &Channel) -> lapin::Result<lapin::Queue> {
        let alone = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        channel.queue_declare("".into(), alone, FieldTable::default()).await
    }

    async fn answers(&self) -> Result<(), Error> {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let publishing = self.channel.basic_publish("".into(), self.queue.name().clone(), options, b"", properties);
        in_time(async { publishing.await?.await }).await.map(drop)
    }
}

async fn in_time<T>(answer: impl Future<Output = lapin::Result<T>>) -> Result<T, Error> {
    timeout(Duration::from_millis(ANSWER_MS), answer).await.map_err(|_| slow())?.map_err(lost)
}

fn slow() -> Error {
    AmqpError::Silent(ANSWER_MS).into()
}

/// Deletes a queue that is frozen and declares it again, unless there is a reason not to. The journals have what was in
/// it, and send it again.
pub(crate) async fn heal(
    url: &str,
    name: &str,
    may_delete: impl Future<Output = Result<(), Cause>>,
) -> Result<(), Error> {
    let healing = async {
        let connection = connect(url, name).await?;
        let channel = connection.create_channel().await.map_err(lost)?;
        // A RabbitMQ that does not answer this either is in trouble of another kind.
        declare(&channel).await?;
        may_delete.await.map_err(AmqpError::Kept)?;
        tracing::error!(
            queue = QUEUE,
            "the queue is frozen; it is deleted and declared again, and the journals send what was in it again"
        );
        channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await.map_err(lost)?;
        declare(&channel).await?;
        connection.close(200, "healed".into()).await.map_err(lost)
    };
    let healed = timeout(Duration::from_millis(HEAL_TIMEOUT_MS), healing).await;
    healed.unwrap_or_else(|_| Err(AmqpError::HealTimeout.into()))
}
