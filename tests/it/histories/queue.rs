//! RabbitMQ's queue in the hands of a test: messages are taken out and put back later, as a slow network or a broker that
//! recovers may deliver them.

use flash_broker::{QUEUE, ROUTING_KEY, EXCHANGE};
use lapin::BasicProperties;
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicPublishOptions};
use tokio::runtime::{Builder, Runtime};

use crate::support::wait;
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
            (connection, channel)
        });
        Self { runtime, channel, _connection: connection }
    }

    /// Takes the next message out of the queue, once there is one that carries this text.
    pub(super) fn take(&self, text: &str) -> Taken {
        wait::until(&format!("a message with {text}"), || {
            let got = self.channel.basic_get(QUEUE.into(), BasicGetOptions::default());
            let got = self.runtime.block_on(got).expect("RabbitMQ answers")?;
            let delivery = got.delivery;
            self.runtime.block_on(delivery.acker.ack(BasicAckOptions::default())).expect("RabbitMQ obeys");
            let taken = Taken { body: delivery.data, properties: delivery.properties };
            String::from_utf8_lossy(&taken.body).contains(text).then_some(taken)
        })
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
