//! The syncer's end: a consumer of the queue.

use std::future::pending;

use flash_transport::{Error, Fault, Received, Source, Token};
use futures_util::StreamExt;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Consumer};

use crate::connect::connect_with_socket;
use crate::error::{AmqpError, lost};
use crate::headers;
use crate::heal::silence;
use crate::keys::MessageKeys;
use crate::open;
use crate::socket::Socket;
use crate::topology::QUEUE;

/// Messages that RabbitMQ sends ahead of their acknowledgement. The client library keeps them in memory without a bound
/// of its own, so this is it: 64 MB, with messages as long as the relay makes them.
pub const PREFETCH_MESSAGES: u16 = 1_000;

/// Reads the queue. RabbitMQ gives it to one source at a time; the others wait.
pub struct AmqpSource {
    url: String,
    name: String,
    keys: MessageKeys,
    connection: Connection,
    socket: Socket,
    /// For questions.
    control: Channel,
    /// None while it is paused.
    reading: Option<Reading>,
    opening: u64,
}

/// A channel of its own, so that to close it gives back everything that came over it.
struct Reading {
    channel: Channel,
    consumer: Consumer,
}

impl AmqpSource {
    /// Connects, declares or finds what it reads, and begins to read.
    pub(crate) async fn open(url: &str, name: &str, keys: MessageKeys) -> Result<Self, Error> {
        let (connection, socket) = connect_with_socket(url, name).await?;
        let (control, _) = open::open(&connection).await?;
        let (url, name) = (url.to_owned(), name.to_owned());
        let mut source = Self { url, name, keys, connection, socket, control, reading: None, opening: 0 };
        source.resume().await?;
        Ok(source)
    }
}

/// What it has in hand goes back before another source gets anything.
impl Drop for AmqpSource {
    fn drop(&mut self) {
        self.socket.cut();
    }
}

impl Source for AmqpSource {
    async fn receive(&mut self) -> Result<Received, Error> {
        let Some(reading) = &mut self.reading else { return pending().await };
        let delivery = reading.consumer.next().await;
        let delivery = delivery.ok_or(AmqpError::NoMoreMessages)?;
        let delivery = delivery.map_err(lost)?;
        let token = Token { opening: self.opening, place: delivery.delivery_tag };
        let headers = delivery.properties.headers().as_ref();
        let published_at_ms = headers.and_then(headers::published_at_ms);
        let mac = headers.and_then(headers::mac);
        let is_authentic = self.keys.is_authentic(published_at_ms, &delivery.data, mac);
        let trace = headers.and_then(headers::trace);
        Ok(Received { body: delivery.data, published_at_ms, is_authentic, trace, token })
    }

    async fn commit(&mut self, token: Token) -> Result<(), Error> {
        let reading = self.reading.as_ref().filter(|_| token.opening == self.opening);
        let reading = reading.ok_or(Fault::GivenBack)?;
        reading.channel.basic_ack(token.place, BasicAckOptions { multiple: true }).await.map_err(lost)
    }

    async fn pause(&mut self) -> Result<(), Error> {
        let Some(reading) = &self.reading else { return Ok(()) };
        // The consumer is dropped after its channel is closed: it would say that it is cancelled first.
        reading.channel.close(200, "paused".into()).await.map_err(lost)?;
        self.reading = None;
        Ok(())
    }

    async fn resume(&mut self) -> Result<(), Error> {
        if self.reading.is_some() {
            return Ok(());
        }
        let channel = self.connection.create_channel().await.map_err(lost)?;
        channel.basic_qos(PREFETCH_MESSAGES, BasicQosOptions::default()).await.map_err(lost)?;
        let consume =
            channel.basic_consume(QUEUE.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default());
        let consumer = tokio::select! {
            consumer = consume => consumer.map_err(lost)?,
            silence = silence(&self.url, &self.name, &self.keys) => return Err(silence),
        };
        self.opening += 1;
        self.reading = Some(Reading { channel, consumer });
        Ok(())
    }

    async fn queued(&mut self) -> Result<u64, Error> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = self.control.queue_declare(QUEUE.into(), passive, FieldTable::default()).await.map_err(lost)?;
        Ok(queue.message_count().into())
    }

    async fn close(self) {
        // What was fetched ahead goes back to the queue with the connection, in either case.
        let _ = self.connection.close(200, "stopped".into()).await;
    }
}
