//! What the doctor is told.

use anyhow::{Result, anyhow};
use flash_client::Durability;

/// Where a server is: its URL, or why nobody knows.
pub type Url = Result<String, String>;

/// What is examined. The URLs hold passwords: they are never shown.
#[derive(Clone)]
pub struct Config {
    /// Redis with the module.
    pub redis: Url,
    /// RabbitMQ. None: no RabbitMQ is used.
    pub amqp: Option<Url>,
    /// PostgreSQL.
    pub postgres: Url,
    /// What every answer to a buyer is to survive.
    pub durability: Durability,
    /// Files that a gateway has open when it is full.
    pub files_max: u64,
    /// How long a server may be silent: to be there, and for each check. (To reach RabbitMQ and PostgreSQL may take longer by
    /// their own limits: no longer than this here.)
    pub silence_ms: u64,
}

impl Config {
    pub(crate) fn redis(&self) -> Result<&str> {
        known(&self.redis)
    }

    pub(crate) fn postgres(&self) -> Result<&str> {
        known(&self.postgres)
    }
}

pub(crate) fn known(url: &Url) -> Result<&str> {
    url.as_deref().map_err(|why| anyhow!("{why}"))
}
