//! Where the servers are.

use clap::Args as ClapArgs;

use super::{PostgresUrl, RedisUrl};
use crate::transport::Brokers;

/// Where Redis, the transport's broker and PostgreSQL are.
#[derive(Debug, ClapArgs)]
pub(crate) struct Urls {
    #[command(flatten)]
    pub(crate) redis: RedisUrl,
    #[command(flatten)]
    pub(crate) brokers: Brokers,
    #[command(flatten)]
    pub(crate) postgres: PostgresUrl,
}
