//! How much waits in the queue.

use flash_transport::Depth;
use lapin::options::QueueDeclareOptions;
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::FieldTable;
use lapin::{Connection, ErrorKind};

use crate::topology::{DEAD_QUEUE, QUEUE};

/// Asks, on a channel of its own, and declares nothing. None: there is no such queue yet.
///
/// # Errors
/// When RabbitMQ is gone.
pub async fn depth(connection: &Connection) -> Result<Option<Depth>, lapin::Error> {
    depth_of(connection, QUEUE).await
}

/// The same of the queue for what RabbitMQ will not deliver any more.
///
/// # Errors
/// When RabbitMQ is gone.
pub async fn dead_depth(connection: &Connection) -> Result<Option<Depth>, lapin::Error> {
    depth_of(connection, DEAD_QUEUE).await
}

async fn depth_of(connection: &Connection, queue: &str) -> Result<Option<Depth>, lapin::Error> {
    let channel = connection.create_channel().await?;
    let look = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    match channel.queue_declare(queue.into(), look, FieldTable::default()).await {
        Ok(queue) => Ok(Some(Depth { ready: queue.message_count().into(), consumers: queue.consumer_count().into() })),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) fn is_not_found(error: &lapin::Error) -> bool {
    let ErrorKind::ProtocolError(error) = error.kind() else { return false };
    matches!(error.kind(), AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND))
}
