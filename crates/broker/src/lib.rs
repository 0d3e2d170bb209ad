//! RabbitMQ as a transport: how to connect, what is declared, how messages are published and read. The relay and the
//! syncer share it, so that both mean the same queue.

#![forbid(unsafe_code)]

mod connect;
mod depth;
mod error;
mod examine;
mod headers;
mod heal;
mod inspect;
mod keys;
mod limits;
mod open;
mod publish;
mod publisher;
mod runtime;
mod socket;
mod source;
mod stream;
mod topology;

use std::sync::Arc;

use flash_transport::{Broker, Cause, Error, Transport};

pub use connect::{CONNECT_TIMEOUT_MS, ConnectError, HEARTBEAT_S, connect};
pub use depth::{dead_depth, depth};
pub use error::AmqpError;
pub use examine::NAME;
pub use inspect::{Part, inspect};
pub use keys::{MESSAGE_KEY_BYTES_MIN, MESSAGE_KEYS_MAX, MessageKeys, MessageKeysError};
/// What [`connect`] gives.
pub use lapin::Connection;
pub use limits::{FROZEN_AFTER_MS, PROBE_MS};
pub use publish::publish;
pub use publisher::AmqpPublisher;
pub use source::{AmqpSource, PREFETCH_MESSAGES};
pub use topology::{
    DEAD_BYTES_MAX, DEAD_QUEUE, DELIVERIES_MAX, EXCHANGE, QUEUE, QUEUE_BYTES_MAX, ROUTING_KEY, TopologyError, declare,
};

/// A vhost of RabbitMQ. (Without `Debug`: the URL holds a password.)
#[derive(Clone)]
pub struct Amqp {
    url: String,
    keys: MessageKeys,
}

impl Amqp {
    /// The vhost at `amqp://user:password@host:port/vhost`. Messages are not authenticated.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), keys: MessageKeys::default() }
    }

    /// The same, where messages are signed and verified with these keys.
    #[must_use]
    pub fn with_keys(self, keys: MessageKeys) -> Self {
        Self { keys, ..self }
    }
}

impl Transport for Amqp {
    type Publisher = AmqpPublisher;
    type Source = AmqpSource;

    async fn publisher(&self, name: &str) -> Result<AmqpPublisher, Error> {
        AmqpPublisher::open(&self.url, name, self.keys.clone()).await
    }

    async fn source(&self, name: &str) -> Result<AmqpSource, Error> {
        AmqpSource::open(&self.url, name, self.keys.clone()).await
    }

    async fn heal(&self, name: &str, may_delete: impl Future<Output = Result<(), Cause>> + Send) -> Result<(), Error> {
        heal::heal(&self.url, name, may_delete).await
    }

    fn broker(&self) -> Option<Arc<dyn Broker>> {
        Some(Arc::new(self.clone()))
    }
}
