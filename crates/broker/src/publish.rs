//! Publishing into the exchange.

use flash_transport::Outgoing;
use lapin::options::BasicPublishOptions;
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, PublisherConfirm};

use crate::headers;
use crate::keys::MessageKeys;
use crate::topology::{EXCHANGE, ROUTING_KEY};

/// AMQP's number for a message that survives a restart.
const PERSISTENT: u8 = 2;

/// Publishes a message: signed with the first of `keys`, persistent, and `mandatory`, so that a message without a queue
/// comes back instead of vanishing with an ack.
///
/// The future ends when the frames are written; the confirm that it gives ends when RabbitMQ has the message on disk,
/// or will not have it. One task alone may publish on a channel: lapin 4.12 mixes up the confirms of tasks that share
/// one. It also hangs returned messages on the wrong confirm, so one return fails the whole window.
///
/// # Errors
/// When the channel is gone: whether the message arrived is unknown.
pub async fn publish(
    channel: &Channel,
    message: &Outgoing,
    keys: &MessageKeys,
) -> Result<PublisherConfirm, lapin::Error> {
    // Sales' and barriers' ids are short, so the whole is; and a message without an id would still be a whole message.
    let id = ShortString::try_new(message.id.clone()).unwrap_or_default();
    let properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("application/json".into())
        .with_message_id(id)
        .with_headers(headers::of(message, keys));
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    channel.basic_publish(EXCHANGE.into(), ROUTING_KEY.into(), options, &message.body, properties).await
}
