//! A channel on which what Flash declares is there.

use flash_transport::Error;
use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ExchangeKind};

use crate::error::lost;
use crate::topology::{EXCHANGE, QUEUE, TopologyError, declare};

/// A channel on which the exchange and the queues are there: declared, or found by a user who may not declare them.
/// Gives the number of messages that wait in [`QUEUE`] too.
///
/// # Errors
/// When one exists with other settings, or is not there and may not be declared, or RabbitMQ is gone.
pub(crate) async fn open(connection: &Connection) -> Result<(Channel, u32), Error> {
    let channel = connection.create_channel().await.map_err(lost)?;
    match declare(&channel).await {
        Ok(queued) => return Ok((channel, queued)),
        // RabbitMQ has closed the channel.
        Err(error) if error.is_refused() => {}
        Err(error) => return Err(error.into()),
    }
    let channel = connection.create_channel().await.map_err(lost)?;
    let queued = find(&channel).await?;
    Ok((channel, queued))
}

/// Looks for the exchange and the queue: everyone may. Gives the number of messages that wait.
async fn find(channel: &Channel) -> Result<u32, TopologyError> {
    let look = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    let exchange = channel.exchange_declare(EXCHANGE.into(), ExchangeKind::Direct, look, FieldTable::default()).await;
    exchange.map_err(|source| TopologyError::Missing { what: EXCHANGE, source })?;
    let look = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare(QUEUE.into(), look, FieldTable::default()).await;
    let queue = queue.map_err(|source| TopologyError::Missing { what: QUEUE, source })?;
    Ok(queue.message_count())
}
