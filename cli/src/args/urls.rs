//! Where the servers are.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::{AmqpUrl, PostgresUrl, RedisUrl};

/// Where Redis, RabbitMQ and PostgreSQL are.
#[derive(Debug, ClapArgs)]
pub(crate) struct Urls {
    #[command(flatten)]
    pub(crate) redis: RedisUrl,
    #[command(flatten)]
    pub(crate) amqp: AmqpUrl,
    /// A file with the keys that sign messages in RabbitMQ, one per line: the first signs, and each verifies. The file is
    /// read again when it changes. Without one, a client that may publish to RabbitMQ may make orders.
    #[arg(long, value_name = "FILE", env = "FLASH_MESSAGE_KEYS")]
    pub(crate) message_keys: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) postgres: PostgresUrl,
}

impl Urls {
    /// RabbitMQ at this URL, with the message keys, which are read again from now on.
    pub(crate) fn transport(&self, url: String) -> anyhow::Result<flash_broker::Amqp> {
        let amqp = flash_broker::Amqp::new(url);
        let Some(file) = &self.message_keys else { return Ok(amqp) };
        let keys = flash_broker::MessageKeys::open(file)
            .map_err(|error| anyhow::anyhow!("the message keys {}: {error}", file.display()))?;
        tokio::spawn(keys.clone().watch());
        Ok(amqp.with_keys(keys))
    }
}
