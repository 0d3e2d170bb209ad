//! One run of one strategy.

use std::time::Duration;

use anyhow::{Context, Result};
use flash_client::Client as Flash;
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use tokio::time::timeout;
use tokio_postgres::Client as Postgres;

use crate::arrivals::Crowd;
use crate::open_loop::{REQUEST_TIMEOUT, drive};
use crate::scripts::Scripts;
use crate::sql::{self, Statements};
use crate::strategies::Counter;
use crate::strategy::Strategy;
use crate::tally::Live;
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

/// Sells by one strategy, and counts in `live` meanwhile. What it made for that is gone afterwards, but for the sale of
/// [`Strategy::Flash`]: its orders are orders like any other.
///
/// # Errors
/// When the servers cannot be reached at the beginning, or not be asked in the end. What fails in between is counted.
pub async fn run(
    strategy: Strategy,
    servers: &impl Servers,
    sale: &Sale,
    crowd: &Crowd,
    live: &Live,
) -> Result<Outcome> {
    let postgres = postgres(servers).await?;
    postgres.batch_execute(sql::CREATE).await.context("cannot make the tables")?;
    let mut counters = open(strategy, servers, sale).await?;
    counters.first_mut().context("nobody sells")?.stock(sale.units).await?;
    let before = servers.cpu();
    let counting = live.clone();
    let (mut counters, took) = drive(counters, crowd.arrivals(), move |ended| counting.count(ended)).await?;
    let tally = live.look();
    let counter = counters.first_mut().context("nobody sells")?;
    let (orders, duplicates) = counter.orders(tally.sold).await?;
    let used = servers.cpu().into_iter().zip(before).map(|((name, now), (_, then))| (name, now.saturating_sub(then)));
    let cpu = used.collect();
    counter.clear().await?;
    postgres.batch_execute(sql::DROP).await.context("cannot drop the tables")?;
    Ok(Outcome { strategy, units: sale.units, buyers: crowd.buyers, tally, took, orders, duplicates, cpu })
}

/// Each counter has a connection of its own to PostgreSQL; that to Redis is shared, as programs usually do it.
async fn open(strategy: Strategy, servers: &impl Servers, sale: &Sale) -> Result<Vec<Counter>> {
    let mut redis = redis(servers.redis()).await.context("cannot connect to Redis")?;
    let scripts = Scripts::load(&mut redis).await?;
    let flash = Flash::connect(servers.redis())?;
    timeout(REQUEST_TIMEOUT, flash.connected()).await.context("cannot connect to Redis")?;
    let mut counters = Vec::new();
    for _ in 0..sale.concurrency {
        let postgres = postgres(servers).await?;
        let statements = Statements::prepare(&postgres).await?;
        let (sale, redis, scripts, flash) = (sale.id.clone(), redis.clone(), scripts.clone(), flash.clone());
        counters.push(Counter { strategy, sale, postgres, statements, redis, scripts, flash });
    }
    Ok(counters)
}

async fn postgres(servers: &impl Servers) -> Result<Postgres> {
    flash_vault::connect(servers.postgres()).await.context("cannot connect to PostgreSQL")
}

async fn redis(url: &str) -> redis::RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(REQUEST_TIMEOUT));
    redis::Client::open(url)?.get_multiplexed_async_connection_with_config(&config).await
}
