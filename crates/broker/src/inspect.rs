//! What is there of what Flash declares, without declaring it.

use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ExchangeKind};

use crate::depth::is_not_found;
use crate::topology::{
    DEAD_QUEUE, EXCHANGE, QUEUE, TopologyError, declare_dead_queue, declare_exchange, declare_queue,
};

/// An exchange or a queue.
#[derive(Debug)]
pub struct Part {
    /// What it is called.
    pub name: &'static str,
    /// Whether it is there as Flash wants it. None: it is not there yet, and the next gateway or syncer declares it.
    pub fits: Option<Result<(), TopologyError>>,
}

/// Looks at the exchange and the queues. RabbitMQ shows no settings, it only compares them: so what is there is
/// declared once more, which changes nothing, and what is not there is left alone. (Bindings it does not show at all.)
///
/// # Errors
/// When RabbitMQ is gone.
pub async fn inspect(connection: &Connection) -> Result<Vec<Part>, lapin::Error> {
    let mut parts = Vec::new();
    for name in [EXCHANGE, DEAD_QUEUE, QUEUE] {
        // Each "no" closes its channel.
        let fits = match is_there(connection, name).await? {
            true => Some(declare_again(connection, name).await?),
            false => None,
        };
        parts.push(Part { name, fits });
    }
    Ok(parts)
}

async fn is_there(connection: &Connection, name: &'static str) -> Result<bool, lapin::Error> {
    let channel = connection.create_channel().await?;
    let looked = if name == EXCHANGE {
        let look = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
        channel.exchange_declare(name.into(), ExchangeKind::Direct, look, FieldTable::default()).await
    } else {
        let look = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(name.into(), look, FieldTable::default()).await.map(drop)
    };
    match looked {
        Ok(()) => Ok(true),
        Err(error) if is_not_found(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn declare_again(connection: &Connection, name: &'static str) -> Result<Result<(), TopologyError>, lapin::Error> {
    let channel = connection.create_channel().await?;
    let declared = match name {
        EXCHANGE => declare_exchange(&channel).await,
        DEAD_QUEUE => declare_dead_queue(&channel).await,
        _ => declare_queue(&channel).await.map(drop),
    };
    // A user who may not declare it does without the comparison, as gateways and syncers do.
    Ok(declared.or_else(|error| if error.is_refused() { Ok(()) } else { Err(error) }))
}
