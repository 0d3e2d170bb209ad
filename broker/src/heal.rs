//! What becomes of a queue that is frozen.
//!
//! A RabbitMQ 3.10 that is killed a moment after a quorum queue was declared comes back with a queue that is there by
//! name only: it can be declared, but no publish is ever confirmed and no consumer ever answered (8 of 8 times, killed
//! right behind the declaration; whatever had been confirmed was gone). To delete it takes five seconds, and helps.

use std::time::Duration;

use flash_transport::Error;
use lapin::options::QueueDeleteOptions;
use tokio::time::timeout;

use crate::connect::connect;
use crate::error::lost;
use crate::topology::{QUEUE, declare};

/// How long RabbitMQ may take to answer a consumer before the queue counts as frozen. Consumers are answered at once, also
/// when RabbitMQ is short of memory or disk and lets publishers wait.
pub const FROZEN_AFTER_MS: u64 = 20_000;
/// How long it may take to delete a frozen queue and declare it again.
const HEAL_TIMEOUT_MS: u64 = 30_000;

/// Deletes the frozen queue and declares it again, if RabbitMQ is otherwise healthy. The journals have what was in it,
/// and send it again. Gives what there is to say: whoever found it frozen connects anew in either case.
pub(crate) async fn heal(url: &str, name: &str) -> Error {
    let healing = async {
        let connection = connect(url, name).await?;
        let channel = connection.create_channel().await.map_err(lost)?;
        // A RabbitMQ that does not answer this either is in trouble of another kind.
        declare(&channel).await?;
        tracing::error!(
            queue = QUEUE,
            "the queue is frozen: it answered no consumer for {FROZEN_AFTER_MS} ms; it is deleted and declared again, and \
             the journals send what was in it again"
        );
        channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await.map_err(lost)?;
        declare(&channel).await?;
        connection.close(200, "healed".into()).await.map_err(lost)
    };
    match timeout(Duration::from_millis(HEAL_TIMEOUT_MS), healing).await {
        Ok(Ok(())) => Error::Away(format!("the queue {QUEUE} was frozen, and was deleted and declared again")),
        Ok(Err(error)) => error,
        Err(_) => {
            Error::Away(format!("the queue {QUEUE} is frozen, and could not be deleted within {HEAL_TIMEOUT_MS} ms"))
        }
    }
}
