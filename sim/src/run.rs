//! One run of one strategy: open loop, so that a slow server is not asked less.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use flash_client::Client as Flash;
use redis::aio::{MultiplexedConnection, MultiplexedConnectionConfig};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use crate::arrivals::{Arrival, Crowd};
use crate::sql;
use crate::strategies::Till;
use crate::strategy::Strategy;
use crate::tally::{Answer, Tally};
use crate::verdict::Outcome;

/// How long a request may take; then nobody knows what became of it.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the servers are, and what they have used up.
pub trait Servers: Sync {
    /// The URL of a Redis with the module.
    fn redis(&self) -> &str;
    /// The URL of a PostgreSQL that a syncer writes orders to.
    fn postgres(&self) -> &str;
    /// CPU time of each server so far, by its name.
    fn cpu(&self) -> Vec<(&'static str, Duration)>;
}

/// How much is sold, and by how many tills.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Units on sale.
    pub units: u64,
    /// Requests that are under way at once; each has a connection to PostgreSQL.
    pub concurrency: u64,
}

/// Sells by one strategy. `sale` must be new; `answered` hears of every answer, with how many there were.
///
/// # Errors
/// When the servers cannot be reached at the beginning, or not be asked in the end. What fails in between is counted.
pub async fn run(
    strategy: Strategy,
    servers: &impl Servers,
    sale: &str,
    crowd: &Crowd,
    limits: Limits,
    answered: impl Fn(u64) + Send + Sync + 'static,
) -> Result<Outcome> {
    let mut tills = Vec::new();
    let shared = Shared::connect(servers).await?;
    for _ in 0..limits.concurrency.max(1) {
        tills.push(shared.till(strategy, sale, servers.postgres()).await?);
    }
    let first = tills.first_mut().context("there is a till")?;
    first.postgres.batch_execute(sql::CREATE).await.context("cannot make the tables")?;
    first.stock(limits.units).await?;
    let queue = Arc::new(Queue { arrivals: crowd.arrivals(), next: AtomicUsize::new(0), began: Instant::now() });
    let before = servers.cpu();
    let (answered, mut tasks) = (Arc::new(answered), JoinSet::new());
    for till in tills {
        tasks.spawn(serve(till, queue.clone(), answered.clone()));
    }
    let mut tally = Tally::new()?;
    let mut tills = Vec::new();
    while let Some(served) = tasks.join_next().await {
        let (till, part) = served??;
        tally.add(&part)?;
        tills.push(till);
    }
    let took = queue.began.elapsed();
    let (orders, duplicates) = tills.first().context("there is a till")?.orders(tally.sold).await?;
    let cpu = servers.cpu().into_iter().zip(before).map(|((name, now), (_, then))| (name, now.saturating_sub(then)));
    Ok(Outcome { strategy, units: limits.units, tally, took, orders, duplicates, cpu: cpu.collect() })
}

/// Who is still to come.
struct Queue {
    arrivals: Vec<Arrival>,
    next: AtomicUsize,
    began: Instant,
}

impl Queue {
    fn next(&self) -> Option<Arrival> {
        self.arrivals.get(self.next.fetch_add(1, Ordering::Relaxed)).copied()
    }
}

/// Serves one after another, each at his time or, where this till is late, as soon as it can.
async fn serve(mut till: Till, queue: Arc<Queue>, answered: Arc<impl Fn(u64)>) -> Result<(Till, Tally)> {
    let mut tally = Tally::new()?;
    while let Some(arrival) = queue.next() {
        let due = queue.began + arrival.at;
        sleep_until(due.into()).await;
        let late = due.elapsed();
        let buyer = format!("buyer-{:011}", arrival.buyer);
        let (answer, retries) = match timeout(REQUEST_TIMEOUT, till.sell(&buyer)).await {
            Ok(Ok(sold)) => sold,
            Ok(Err(_)) | Err(_) => (Answer::Failed, 0),
        };
        tally.count(answer, retries, late, due.elapsed());
        answered(1);
    }
    Ok((till, tally))
}

/// What all tills use together.
struct Shared {
    redis: MultiplexedConnection,
    flash: Flash,
}

impl Shared {
    async fn connect(servers: &impl Servers) -> Result<Self> {
        let config = MultiplexedConnectionConfig::new().set_response_timeout(Some(REQUEST_TIMEOUT));
        let redis = redis::Client::open(servers.redis())?;
        let redis = redis.get_multiplexed_async_connection_with_config(&config).await.context("cannot connect to Redis")?;
        let flash = Flash::connect(servers.redis())?;
        timeout(REQUEST_TIMEOUT, flash.connected()).await.context("cannot connect to Redis")?;
        Ok(Self { redis, flash })
    }

    async fn till(&self, strategy: Strategy, sale: &str, postgres: &str) -> Result<Till> {
        let postgres = flash_vault::connect(postgres).await.context("cannot connect to PostgreSQL")?;
        Ok(Till { strategy, sale: sale.to_owned(), postgres, redis: self.redis.clone(), flash: self.flash.clone() })
    }
}
