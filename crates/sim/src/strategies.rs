//! The strategies themselves.

mod atomic_decrement;
mod flash;
mod lua;
mod naive;
mod optimistic;
mod redis_decr;
mod redis_lock;
mod skip_locked;

use anyhow::{Context, Result};
use flash_client::Client as Flash;
use redis::aio::ConnectionManager;
use tokio_postgres::Client as Postgres;

use crate::open_loop::Sell;
use crate::scripts::Scripts;
use crate::sql::{self, Statements};
use crate::strategy::Strategy;
use crate::tally::Answer;

/// Sells by one of them, to one buyer after another.
pub struct Seller {
    pub(crate) strategy: Strategy,
    /// The run's sale, which no other run has.
    pub(crate) sale: String,
    pub(crate) postgres: Postgres,
    pub(crate) statements: Statements,
    pub(crate) redis: ConnectionManager,
    pub(crate) scripts: Scripts,
    pub(crate) flash: Flash,
}

/// What came of a request, and how often it was tried again.
pub type Sold = (Answer, u64);

impl Sell for Seller {
    type Answer = Sold;

    async fn sell(&mut self, buyer: u64) -> Result<Sold> {
        self.serve(&format!("buyer-{buyer:011}")).await
    }
}

impl Seller {
    /// Sells a unit to the buyer of this name.
    ///
    /// # Errors
    /// When its outcome is unknown.
    pub async fn serve(&mut self, buyer: &str) -> Result<Sold> {
        match self.strategy {
            Strategy::Naive => naive::sell(self, buyer).await,
            Strategy::Optimistic => optimistic::sell(self, buyer).await,
            Strategy::AtomicDecrement => atomic_decrement::sell(self, buyer).await,
            Strategy::SkipLocked => skip_locked::sell(self, buyer).await,
            Strategy::RedisLock => redis_lock::sell(self, buyer).await,
            Strategy::RedisDecr => redis_decr::sell(self, buyer).await,
            Strategy::Lua => lua::sell(self, buyer).await,
            Strategy::Flash => flash::sell(self, buyer).await,
        }
    }

    /// Puts units on sale.
    ///
    /// # Errors
    /// When a server does not take them.
    pub async fn stock(&mut self, units: u64) -> Result<()> {
        match self.strategy {
            Strategy::Flash => flash::stock(self, units).await,
            Strategy::SkipLocked => self.insert(sql::UNITS, units).await,
            Strategy::RedisDecr | Strategy::Lua => {
                let mut set = redis::cmd("SET");
                Ok(set.arg(self.key("stock")).arg(units).exec_async(&mut self.redis).await?)
            }
            _ => self.insert(sql::STOCK, units).await,
        }
    }

    /// Orders that PostgreSQL has, and those among them whose buyer has another one.
    pub(crate) async fn orders(&self, told: u64) -> Result<(u64, u64)> {
        let orders = match self.strategy {
            Strategy::Flash => return flash::orders(self, told).await,
            Strategy::Naive | Strategy::RedisLock => sql::NAIVE_ORDERS,
            _ => sql::ORDERS,
        };
        let row = self.postgres.query_one(orders, &[&self.sale]).await?;
        let (orders, buyers): (i64, i64) = (row.get(0), row.get(1));
        Ok((u64::try_from(orders)?, u64::try_from(orders - buyers)?))
    }

    /// Units that are left, as this way to sell counts them: below zero, if it lost count.
    ///
    /// # Errors
    /// When a server cannot be asked.
    pub async fn left(&mut self) -> Result<i64> {
        let statement = match self.strategy {
            Strategy::Flash => return flash::left(self).await,
            Strategy::RedisDecr | Strategy::Lua => {
                return Ok(redis::cmd("GET").arg(self.key("stock")).query_async(&mut self.redis).await?);
            }
            Strategy::SkipLocked => sql::FREE_UNITS,
            _ => sql::AVAILABLE,
        };
        Ok(self.postgres.query_one(statement, &[&self.sale]).await?.get(0))
    }

    /// A key of this sale's in Redis.
    pub(crate) fn key(&self, of: &str) -> String {
        format!("flash-sim:{{{}}}:{of}", self.sale)
    }

    async fn insert(&self, statement: &str, units: u64) -> Result<()> {
        self.postgres
            .execute(statement, &[&self.sale, &i64::try_from(units)?])
            .await
            .context("cannot put units on sale")?;
        Ok(())
    }
}
