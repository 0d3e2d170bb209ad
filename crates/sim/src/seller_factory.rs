//! Opens sellers, wherever their work is to be done.

use std::time::Duration;

use anyhow::{Context, Result};
use flash_client::Client as Flash;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tokio::time::timeout;
use tokio_postgres::Client as Postgres;

use crate::open_loop::REQUEST_TIMEOUT;
use crate::sale::Sale;
use crate::scripts::Scripts;
use crate::servers::Servers;
use crate::sql::Statements;
use crate::strategies::Seller;
use crate::strategy::Strategy;

/// The longest wait before Redis is connected to anew: buyers wait as well.
const RECONNECT_WAIT_MAX: Duration = Duration::from_millis(500);

/// Opens sellers of one sale.
#[derive(Clone)]
pub struct SellerFactory {
    /// The sale.
    pub sale: Sale,
    redis: String,
    postgres: String,
}

impl SellerFactory {
    pub(crate) fn of(sale: &Sale, servers: &impl Servers) -> Self {
        Self { sale: sale.clone(), redis: servers.redis().to_owned(), postgres: servers.postgres().to_owned() }
    }

    /// As many sellers as requests may be under way at once. The thread that asks does their work from now on.
    ///
    /// # Errors
    /// When a server cannot be reached.
    pub async fn sellers(&self) -> Result<Vec<Seller>> {
        self.open(self.sale.concurrency).await
    }

    /// One without a buyer: it tells what there is.
    ///
    /// # Errors
    /// When a server cannot be reached.
    pub async fn keeper(&self) -> Result<Seller> {
        self.open(1).await?.pop().context("nobody keeps the sale")
    }

    /// Each has a connection of its own to PostgreSQL; that to Redis is shared, as programs usually do it.
    async fn open(&self, count: u64) -> Result<Vec<Seller>> {
        let mut redis = self.redis().await?;
        let scripts = Scripts::load(&mut redis).await?;
        let flash = Flash::connect(&self.redis)?;
        timeout(REQUEST_TIMEOUT, flash.connected()).await.context("cannot connect to Redis")?;
        let mut sellers = Vec::new();
        for _ in 0..count {
            let postgres = self.postgres().await?;
            let statements = Statements::prepare(&postgres).await?;
            let (strategy, sale) = (self.sale.strategy, self.sale.id.clone());
            let (redis, scripts, flash) = (redis.clone(), scripts.clone(), flash.clone());
            sellers.push(Seller { strategy, sale, postgres, statements, redis, scripts, flash });
        }
        Ok(sellers)
    }

    /// Leaves nothing in Redis that is the simulator's own.
    pub(crate) async fn clear(&self, keeper: &Seller) -> Result<()> {
        if !matches!(self.sale.strategy, Strategy::RedisLock | Strategy::RedisDecr | Strategy::Lua) {
            return Ok(());
        }
        let keys = [keeper.key("stock"), keeper.key("buyers"), keeper.key("lock")];
        // The connection that they were sold by may have broken on the way.
        Ok(redis::cmd("DEL").arg(&keys).exec_async(&mut self.redis().await?).await?)
    }

    /// A new connection to Redis. Where it breaks, it is made anew.
    async fn redis(&self) -> Result<ConnectionManager> {
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(REQUEST_TIMEOUT))
            .set_max_delay(RECONNECT_WAIT_MAX);
        let client = redis::Client::open(self.redis.as_str())?;
        ConnectionManager::new_with_config(client, config).await.context("cannot connect to Redis")
    }

    /// A new connection to PostgreSQL.
    pub(crate) async fn postgres(&self) -> Result<Postgres> {
        flash_vault::connect(&self.postgres).await.context("cannot connect to PostgreSQL")
    }
}
