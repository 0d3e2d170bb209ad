//! The doctor's settings.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use flash_client::Durability;
use flash_transport::Broker;

/// A server's URL, or why it is unknown.
pub type Url = Result<String, String>;

/// A transport's broker, or why it is not known which.
pub type BrokerOrWhy = Result<Arc<dyn Broker>, String>;

/// What is examined. The URLs hold passwords: they are never shown.
#[derive(Clone)]
pub struct Config {
    /// Redis with the module.
    pub redis: Url,
    /// The transport's broker, and its name. None: the transport has none.
    pub broker: Option<(&'static str, BrokerOrWhy)>,
    /// PostgreSQL.
    pub postgres: Url,
    /// What every answer to a buyer is to survive.
    pub durability: Durability,
    /// Files that a gateway has open when it is full.
    pub files_max: u64,
    /// How long a server may be silent: to be there, and for each check. (To reach a broker and PostgreSQL may take
    /// longer by their own limits: no longer than this here.)
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

fn known(url: &Url) -> Result<&str> {
    url.as_deref().map_err(|why| anyhow!("{why}"))
}
