//! What Flash declares in its vhost. The same on RabbitMQ 3.10 and on 4.x.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{Channel, ErrorKind, ExchangeKind};

/// The durable direct exchange that the relays publish to.
pub const EXCHANGE: &str = "flash";
/// Leads from [`EXCHANGE`] to [`QUEUE`].
pub const ROUTING_KEY: &str = "events";
/// The durable quorum queue that the syncers read. One of them is active, the others take over in order.
pub const QUEUE: &str = "flash.events";
/// Where the broker puts what it will not deliver any more. Nothing should ever arrive: what is unreadable goes to
/// PostgreSQL's quarantine. It is the last net.
pub const DEAD_QUEUE: &str = "flash.dead";
/// Bytes of messages that wait in [`QUEUE`]; beyond it RabbitMQ refuses new ones (about so: it is an approximate
/// limit), and the events stay in their sale's journal. 8 GiB are some 40 million orders.
pub const QUEUE_BYTES_MAX: i64 = 8 << 30;
/// Bytes of messages in [`DEAD_QUEUE`]; beyond it they stay in [`QUEUE`].
pub const DEAD_BYTES_MAX: i64 = 1 << 30;
/// Deliveries of one message before it counts as dead. A delivery counts for every prefetched message whenever a syncer
/// dies, so that a small number (4.x has 20 as its default) would dead-letter healthy orders; and 3.10 takes -1, which
/// 4.x reads as no limit, for a limit passed at the first death.
pub const DELIVERIES_MAX: i64 = 1_000_000;

/// AMQP's number for "it exists with other settings".
const PRECONDITION_FAILED: u16 = 406;
/// AMQP's number for "this user may not".
const ACCESS_REFUSED: u16 = 403;

/// Something that could not be declared. The channel is closed by it.
#[derive(Debug, thiserror::Error)]
pub enum TopologyError {
    /// One of the same name is there already. RabbitMQ's text says which setting differs.
    #[error(
        "{what} exists with other settings (what Flash wants is \"received\", what is there is \"current\"): {source}; \
         let the syncer empty it and delete it, then it is declared anew, or give Flash another vhost"
    )]
    Differs {
        /// Which exchange or queue.
        what: &'static str,
        /// RabbitMQ's answer.
        source: lapin::Error,
    },
    /// Anything else.
    #[error("cannot declare {what}: {source}")]
    Failed {
        /// Which exchange, queue or binding.
        what: &'static str,
        /// RabbitMQ's answer.
        source: lapin::Error,
    },
    /// It is not there, and this user may not declare it.
    #[error(
        "{what} is not there, and this user of RabbitMQ may not declare it: {source}; `flash migrate --rabbitmq` declares it, with \
         the URL of a user who may"
    )]
    Missing {
        /// Which exchange or queue.
        what: &'static str,
        /// RabbitMQ's answer.
        source: lapin::Error,
    },
}

impl TopologyError {
    /// Whether the user may not declare it.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self, Self::Failed { source, .. } if is_refused(source))
    }

    fn new(what: &'static str, source: lapin::Error) -> Self {
        if is_error(&source, PRECONDITION_FAILED) {
            Self::Differs { what, source }
        } else {
            Self::Failed { what, source }
        }
    }
}

/// Whether the user has no right to it.
pub(crate) fn is_refused(error: &lapin::Error) -> bool {
    is_error(error, ACCESS_REFUSED)
}

fn is_error(error: &lapin::Error, id: u16) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error) if error.get_id() == id)
}

/// Declares the exchange and the queues. Where they are already, nothing changes. Gives the number of messages that
/// wait in
/// [`QUEUE`].
///
/// # Errors
/// When one exists with other settings, or RabbitMQ is gone.
pub async fn declare(channel: &Channel) -> Result<u32, TopologyError> {
    declare_exchange(channel).await?;
    declare_dead_queue(channel).await?;
    let queued = declare_queue(channel).await?;
    channel
        .queue_bind(
            QUEUE.into(),
            EXCHANGE.into(),
            ROUTING_KEY.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
        .map_err(|source| TopologyError::new("the binding of flash.events to flash", source))?;
    Ok(queued)
}

pub(crate) async fn declare_exchange(channel: &Channel) -> Result<(), TopologyError> {
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let declared = channel.exchange_declare(EXCHANGE.into(), ExchangeKind::Direct, durable, FieldTable::default());
    declared.await.map_err(|source| TopologyError::new(EXCHANGE, source))
}

pub(crate) async fn declare_dead_queue(channel: &Channel) -> Result<(), TopologyError> {
    queue(channel, DEAD_QUEUE, dead_arguments()).await.map(drop)
}

/// Gives the number of messages that wait.
pub(crate) async fn declare_queue(channel: &Channel) -> Result<u32, TopologyError> {
    queue(channel, QUEUE, arguments()).await
}

async fn queue(channel: &Channel, name: &'static str, arguments: FieldTable) -> Result<u32, TopologyError> {
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let declared = channel.queue_declare(name.into(), durable, arguments).await;
    declared.map(|queue| queue.message_count()).map_err(|source| TopologyError::new(name, source))
}

/// `reject-publish` is what makes the broker say no instead of dropping the oldest, and what the at-least-once strategy
/// demands. Dead messages take the default exchange, which leads to the queue of that name.
fn arguments() -> FieldTable {
    let mut arguments = bounded_quorum(QUEUE_BYTES_MAX);
    arguments.insert("x-single-active-consumer".into(), true.into());
    arguments.insert("x-delivery-limit".into(), DELIVERIES_MAX.into());
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(DEAD_QUEUE));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments
}

/// An operator who reads the dead letters may put messages back as often as needed.
fn dead_arguments() -> FieldTable {
    let mut arguments = bounded_quorum(DEAD_BYTES_MAX);
    arguments.insert("x-delivery-limit".into(), DELIVERIES_MAX.into());
    arguments
}

fn bounded_quorum(bytes_max: i64) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments.insert("x-max-length-bytes".into(), bytes_max.into());
    arguments.insert("x-overflow".into(), text("reject-publish"));
    arguments
}

fn text(value: &str) -> AMQPValue {
    LongString::from(value).into()
}
