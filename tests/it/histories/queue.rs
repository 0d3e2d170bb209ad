//! RabbitMQ's queue in the hands of a test: messages are taken out and put back later, as a slow network or a broker
//! that recovers may deliver them.

use std::time::Duration;

use flash_broker::{EXCHANGE, QUEUE, ROUTING_KEY};
use futures_util::StreamExt;
use lapin::BasicProperties;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions};
use lapin::types::FieldTable;
use tokio::runtime::{Builder, Runtime};

use crate::support::world::World;

/// A connection to a world's RabbitMQ.
pub(super) struct Queue {
    runtime: Runtime,
    channel: lapin::Channel,
    _connection: flash_broker::Connection,
}

/// A message that was taken.
pub(super) struct Taken {
    body: Vec<u8>,
    properties: BasicProperties,
}

impl Queue {
    pub(super) fn open(world: &World) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let url = &world.environment()[1].1;
        let (connection, channel) = runtime.block_on(async {
            let connection = flash_broker::connect(url, "history").await.expect("RabbitMQ answers");
            let channel = connection.create_channel().await.expect("RabbitMQ answers");
            channel.basic_qos(1, BasicQosOptions::default()).await.expect("RabbitMQ obeys");
            (connection, channel)
        });
        Self { runtime, channel, _connection: connection }
    }

    /// Takes the next message out of the queue, which must carry this text. No syncer may run: the queue has one
    /// consumer at a time.
    pub(super) fn take(&self, text: &str) -> Taken {
        let taken = self.runtime.block_on(async {
            let (consume, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
            let consumer = self.channel.basic_consume(QUEUE.into(), "history".into(), consume, arguments).await;
            let mut consumer = consumer.expect("RabbitMQ obeys");
            let next = tokio::time::timeout(Duration::from_secs(60), consumer.next()).await;
            let delivery = next.expect("a message in time").expect("a consumer").expect("a message");
            delivery.acker.ack(BasicAckOptions::default()).await.expect("RabbitMQ obeys");
            let cancel = self.channel.basic_cancel("history".into(), BasicCancelOptions::default()).await;
            cancel.expect("RabbitMQ obeys");
            Taken { body: delivery.data, properties: delivery.properties }
        });
        let body = String::from_utf8_lossy(&taken.body);
        assert!(body.contains(text), "not the message with {text}: {body}");
        taken
    }

    /// Puts a message into the queue, at its end.
    pub(super) fn put(&self, message: &Taken) {
        let options = BasicPublishOptions::default();
        let publish = self.channel.basic_publish(
            EXCHANGE.into(),
            ROUTING_KEY.into(),
            options,
            &message.body,
            message.properties.clone(),
        );
        self.runtime.block_on(async { publish.await.expect("RabbitMQ takes it").await.expect("and confirms") });
    }
}
