//! A message on its way into the exchange.

use flash_wire::{Barrier, Message};
use lapin::options::BasicPublishOptions;
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, PublisherConfirm};

use crate::topology::{EXCHANGE, ROUTING_KEY};

/// Bytes of a message's body beyond which the relay begins the next message: some 400 orders, and less than a frame. (One
/// event alone may be longer.) With the syncer's prefetch it bounds what the syncer holds in memory.
pub const BODY_BYTES_GOAL: usize = 64 * 1024;

/// AMQP's number for a message that survives a restart.
const PERSISTENT: u8 = 2;

/// A message as it is published: kept until it is confirmed, it can be published again.
#[derive(Debug, Clone)]
pub struct Outgoing {
    id: ShortString,
    body: Vec<u8>,
}

impl Outgoing {
    /// Encodes `message`. Its id is `sale/epoch/first-last`, by its first and last seq, for people who look into queues.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let seq = |event: Option<&flash_wire::message::MessageEvent>| event.map_or(0, |event| event.seq);
        let (first, last) = (seq(message.events.first()), seq(message.events.last()));
        let id = format!("{}/{}/{first}-{last}", message.sale, message.epoch);
        Self::new(id, message.encode())
    }

    /// Encodes `barrier`.
    #[must_use]
    pub fn barrier(barrier: &Barrier) -> Self {
        Self::new(format!("barrier/{}", barrier.id()), barrier.encode())
    }

    fn new(id: String, body: Vec<u8>) -> Self {
        // Sales' and barriers' ids are short, so the whole is; and a message without an id would still be a whole message.
        Self { id: ShortString::try_new(id).unwrap_or_default(), body }
    }

    /// The body's length, for those who bound what they keep.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.body.len()
    }

    /// Publishes: persistent, and `mandatory`, so that a message that no queue takes comes back instead of vanishing
    /// with an ack.
    ///
    /// The future ends when the frames are written; the confirm that it gives ends when RabbitMQ has the message on
    /// disk, or will not have it. One task alone may publish on a channel: lapin 4.12 mixes up the confirms of tasks
    /// that share one. It also hangs returned messages on the wrong confirm, so one return fails the whole window.
    ///
    /// # Errors
    /// When the channel is gone: whether the message arrived is unknown.
    pub async fn publish(&self, channel: &Channel) -> Result<PublisherConfirm, lapin::Error> {
        let properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type("application/json".into())
            .with_message_id(self.id.clone());
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        channel.basic_publish(EXCHANGE.into(), ROUTING_KEY.into(), options, &self.body, properties).await
    }
}
