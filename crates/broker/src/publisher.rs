//! The relay's end: a connection with one channel in confirm mode.

use flash_transport::{Error, Outcome, Outgoing, Publisher, Settling};
use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Confirmation, Connection, PublisherConfirm};

use crate::connect::connect;
use crate::error::{AmqpError, lost};
use crate::keys::MessageKeys;
use crate::open;
use crate::publish::publish;
use crate::source::PREFETCH_MESSAGES;

/// Publishes to the exchange. No one else publishes on its channel, and whatever fails fails all that is in flight: the
/// connection is dropped for a new one.
pub struct AmqpPublisher {
    connection: Connection,
    channel: Channel,
    /// What lay in the queue at first.
    queued: u32,
    keys: MessageKeys,
}

impl AmqpPublisher {
    /// Connects, and declares or finds what it publishes to.
    pub(crate) async fn open(url: &str, name: &str, keys: MessageKeys) -> Result<Self, Error> {
        let connection = connect(url, name).await?;
        let (channel, queued) = open::open(&connection).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(lost)?;
        Ok(Self { connection, channel, queued, keys })
    }
}

impl Publisher for AmqpPublisher {
    async fn publish(&mut self, message: &Outgoing) -> Result<Settling, Error> {
        let confirm = publish(&self.channel, message, &self.keys).await.map_err(lost)?;
        Ok(Box::pin(settle(confirm)))
    }

    fn is_connected(&self) -> bool {
        self.connection.status().connected()
    }

    /// RabbitMQ may have lost its disk, and somebody declared the queue again: then there is little in it.
    fn begins_anew(&self) -> bool {
        self.queued <= u32::from(PREFETCH_MESSAGES)
    }

    async fn close(self) {
        // It is gone in either case.
        let _ = self.connection.close(200, "the gateway stops".into()).await;
    }
}

async fn settle(confirm: PublisherConfirm) -> Outcome {
    match confirm.await {
        Ok(Confirmation::Ack(None)) => Outcome::Confirmed,
        Ok(Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_))) => Outcome::Rejected(AmqpError::Returned.into()),
        Ok(Confirmation::Nack(None) | Confirmation::NotRequested) => Outcome::Rejected(AmqpError::Refused.into()),
        Err(error) => Outcome::Unknown(AmqpError::Lost(error).into()),
    }
}
