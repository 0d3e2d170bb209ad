//! Connections of a command that asks something and ends.

use std::time::Duration;

use anyhow::{Context, Result};
use flash_client::Client;
use tokio::time::timeout;

/// How long Redis may take to be there.
const REDIS_TIMEOUT_MS: u64 = 5_000;

/// An open connection to Redis.
pub(crate) async fn redis(url: &str) -> Result<Client> {
    let client = Client::connect(url)?;
    let connected = timeout(Duration::from_millis(REDIS_TIMEOUT_MS), client.connected()).await;
    connected.with_context(|| format!("no connection to Redis within {REDIS_TIMEOUT_MS} ms"))?;
    Ok(client)
}

/// A connection to PostgreSQL.
pub(crate) async fn postgres(url: &str) -> Result<flash_vault::Client> {
    flash_vault::connect(url).await.context("cannot connect to PostgreSQL")
}
