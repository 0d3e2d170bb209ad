//! A batch of messages: gathered, and read.

use std::time::Duration;

use flash_vault::Unreadable;
use flash_wire::{Barrier, Envelope, Message};
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::BasicAckOptions;
use lapin::{Acker, Consumer};
use tokio::time::{Instant, timeout_at};

/// Bytes of messages in a batch: some 1,700 orders. PostgreSQL spends 10 µs of CPU on an order in batches of 1,000, and
/// hardly less in larger ones (17 in batches of 100); and what a larger batch holds waits longer for its commit.
pub const BATCH_BYTES_MAX: usize = 256 * 1024;
/// Messages in a batch: half of what is fetched ahead, so that RabbitMQ sends on while a batch is written.
pub const BATCH_MESSAGES_MAX: usize = 500;
/// How long a batch waits for more messages after its first.
pub const GATHER_MS: u64 = 5;

/// Messages that were taken from RabbitMQ and are not acknowledged yet.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bodies: Vec<Vec<u8>>,
    bytes: usize,
    /// Of the last message: it acknowledges all of them.
    acker: Option<Acker>,
}

/// A batch, read.
#[derive(Debug, Default)]
pub(crate) struct Read<'a> {
    pub(crate) messages: Vec<Message<'a>>,
    pub(crate) barriers: Vec<Barrier<'a>>,
    pub(crate) unreadable: Vec<Unreadable<'a>>,
}

impl Batch {
    /// Waits for a message, and shortly for more. None: RabbitMQ sends no more.
    pub(crate) async fn gather(consumer: &mut Consumer) -> Result<Option<Self>, lapin::Error> {
        let Some(first) = consumer.next().await else { return Ok(None) };
        let mut batch = Self::default();
        batch.push(first?);
        let deadline = Instant::now() + Duration::from_millis(GATHER_MS);
        while !batch.is_full() {
            match timeout_at(deadline, consumer.next()).await {
                Ok(Some(delivery)) => batch.push(delivery?),
                // What ended the consumer comes to light with the acknowledgement, or with the next batch.
                Ok(None) | Err(_) => break,
            }
        }
        Ok(Some(batch))
    }

    fn push(&mut self, delivery: Delivery) {
        self.bytes += delivery.data.len();
        self.bodies.push(delivery.data);
        self.acker = Some(delivery.acker);
    }

    fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES_MAX || self.bodies.len() >= BATCH_MESSAGES_MAX
    }

    /// What the bodies hold.
    pub(crate) fn read(&self) -> Read<'_> {
        let mut read = Read::default();
        for body in &self.bodies {
            match Envelope::decode(body) {
                Ok(Envelope::Events(message)) => read.messages.push(message),
                Ok(Envelope::Barrier(barrier)) => read.barriers.push(barrier),
                Err(bad) => read.unreadable.push(Unreadable { reason: bad.to_string(), body }),
            }
        }
        read
    }

    /// Lets RabbitMQ forget the messages. False: the channel is gone, and they come again.
    pub(crate) async fn acknowledge(self) -> Result<bool, lapin::Error> {
        let Some(last) = self.acker else { return Ok(true) };
        last.ack(BasicAckOptions { multiple: true }).await
    }
}
