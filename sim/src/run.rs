//! One run of one strategy.

use std::time::Duration;

use anyhow::{Context, Result};
use flash_client::Client as Flash;
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use tokio::time::timeout;

use crate::arrivals::Crowd;
use crate::open_loop::{Driven, REQUEST_TIMEOUT, drive};
use crate::sql;
use crate::strategies::Counter;
use crate::strategy::Strategy;
use crate::verdict::Outcome;

/// Where the servers are, and what they have used up.
pub trait Servers {
    /// The URL of a Redis with the module.
    fn redis(&self) -> &str;
    /// The URL of a PostgreSQL that a syncer writes orders to.
    fn postgres(&self) -> &str;
    /// CPU time of each server so far, by its name.
    fn cpu(&self) -> Vec<(&'static str, Duration)>;
}

/// How much is sold, and how.
#[derive(Debug, Clone)]
pub struct Sale {
    /// An id that no other run has had.
    pub id: String,
    /// Units on sale.
    pub units: u64,
    /// Requests that are under way at once; each has a connection to PostgreSQL.
    pub concurrency: u64,
}

/// Sells by one strategy. `answered` is called behind each answer.
///
/// # Errors
/// When the servers cannot be reached at the beginning, or not be asked in the end. What fails in between is counted.
pub async fn run(
    strategy: Strategy,
    servers: &impl Servers,
    sale: &Sale,
    crowd: &Crowd,
    answered: impl Fn() + Send + Sync + 'static,
) -> Result<Outcome> {
    let mut counters = open(strategy, servers, sale).await?;
    let first = counters.first_mut().context("nobody sells")?;
    first.postgres.batch_execute(sql::CREATE).await.context("cannot make the tables")?;
    first.stock(sale.units).await?;
    let before = servers.cpu();
    let Driven { tills, tally, took } = drive(counters, crowd.arrivals(), answered).await?;
    let (orders, duplicates) = tills.first().context("nobody sells")?.orders(tally.sold).await?;
    let used = servers.cpu().into_iter().zip(before).map(|((name, now), (_, then))| (name, now.saturating_sub(then)));
    Ok(Outcome { strategy, units: sale.units, tally, took, orders, duplicates, cpu: used.collect() })
}

/// Each counter has a connection of its own to PostgreSQL; that to Redis is shared, as programs usually do it.
async fn open(strategy: Strategy, servers: &impl Servers, sale: &Sale) -> Result<Vec<Counter>> {
    let redis = connect(servers.redis()).await.context("cannot connect to Redis")?;
    let flash = Flash::connect(servers.redis())?;
    timeout(REQUEST_TIMEOUT, flash.connected()).await.context("cannot connect to Redis")?;
    let mut counters = Vec::new();
    for _ in 0..sale.concurrency {
        let postgres = flash_vault::connect(servers.postgres()).await.context("cannot connect to PostgreSQL")?;
        let (redis, flash) = (redis.clone(), flash.clone());
        counters.push(Counter { strategy, sale: sale.id.clone(), postgres, redis, flash });
    }
    Ok(counters)
}

async fn connect(url: &str) -> redis::RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(REQUEST_TIMEOUT));
    redis::Client::open(url)?.get_multiplexed_async_connection_with_config(&config).await
}
