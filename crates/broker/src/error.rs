//! RabbitMQ's errors, as the transport's.

use flash_transport::{Cause, Error};

use crate::connect::ConnectError;
use crate::limits::{FROZEN_AFTER_MS, HEAL_TIMEOUT_MS, PROBE_MS};
use crate::topology::{QUEUE, TopologyError};

/// What may go wrong with RabbitMQ once it is connected. It is the [`Cause`] of a transport's error.
#[derive(Debug, thiserror::Error)]
pub enum AmqpError {
    /// A connection was lost, or RabbitMQ closed a channel.
    #[error("the connection to RabbitMQ failed: {0}")]
    Lost(lapin::Error),
    /// The consumer was cancelled, or its channel closed.
    #[error("RabbitMQ sends no more messages")]
    NoMoreMessages,
    /// It took longer than this, in milliseconds.
    #[error("RabbitMQ did not answer within {0} ms")]
    Silent(u64),
    /// The queue is there by name only.
    #[error(
        "the queue {QUEUE} is frozen: it answered no consumer for {FROZEN_AFTER_MS} ms, and confirmed no message for \
         {PROBE_MS} ms, while another queue of the same RabbitMQ did"
    )]
    Frozen,
    /// The queue is slow, and not frozen.
    #[error("the queue {QUEUE} answered no consumer for {} ms, and takes messages: it is kept", 2 * FROZEN_AFTER_MS)]
    Slow,
    /// This user may not find out whether the queue is slow or frozen.
    #[error(
        "the queue {QUEUE} answered no consumer for {} ms, and this user of RabbitMQ may not find out whether it is \
         frozen; meanwhile the gateways' sweep brings events to PostgreSQL; if it stays so, delete the queue \
         (rabbitmqctl delete_queue {QUEUE}) and declare it again with `flash migrate --rabbitmq`",
        2 * FROZEN_AFTER_MS
    )]
    NotProbed,
    /// A frozen queue may hold what is nowhere else.
    #[error(
        "the queue {QUEUE} is frozen, and is not deleted because {0}; meanwhile the gateways' sweep brings events to \
         PostgreSQL; to go on without what the queue may hold, delete it by hand (rabbitmqctl delete_queue {QUEUE})"
    )]
    Kept(Cause),
    /// It found no queue for a message.
    #[error("RabbitMQ returned a message: its queue or binding is gone, and is declared again")]
    Returned,
    /// It did not take a message.
    #[error("RabbitMQ refused a message: its queue may be full")]
    Refused,
    /// A frozen queue stays.
    #[error("the queue {QUEUE} is frozen, and could not be deleted within {HEAL_TIMEOUT_MS} ms")]
    HealTimeout,
}

/// A connection that was lost, or a channel that RabbitMQ closed.
pub(crate) fn lost(error: lapin::Error) -> Error {
    AmqpError::Lost(error).into()
}

impl From<AmqpError> for Error {
    fn from(error: AmqpError) -> Self {
        match error {
            AmqpError::Frozen => Self::Frozen(error.into()),
            _ => Self::Away(error.into()),
        }
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Url => Self::Misconfigured(error.into()),
            ConnectError::Trust(_) | ConnectError::Timeout { .. } | ConnectError::Refused { .. } => {
                Self::Away(error.into())
            }
        }
    }
}

impl From<TopologyError> for Error {
    fn from(error: TopologyError) -> Self {
        match error {
            TopologyError::Differs { .. } => Self::Misconfigured(error.into()),
            TopologyError::Failed { .. } | TopologyError::Missing { .. } => Self::Away(error.into()),
        }
    }
}
