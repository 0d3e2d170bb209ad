//! What Redis and PostgreSQL say, asked past every proxy.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use flash_client::{Call, CallError, Client};
use flash_tests::wait;
use flash_wire::{Outcome, ReservationStatus, SaleStatus};
use tokio::runtime::Handle;

use crate::load::State;

/// How long a question to PostgreSQL may take.
const ASK: Duration = Duration::from_secs(5);

/// Looks at both; connects anew as it must.
pub(crate) struct Eyes {
    handle: Handle,
    redis: Client,
    postgres: String,
    vault: Option<flash_vault::Client>,
}

/// A sale in PostgreSQL.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) orders: Vec<Order>,
    /// By id: the reason, and the message that carries the event.
    pub(crate) rejections: BTreeMap<u64, (String, String)>,
    pub(crate) quarantined: Vec<String>,
    /// Events that wait for those before them.
    pub(crate) early: i64,
    pub(crate) skus: Vec<Sku>,
}

/// A row of `orders`.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) buyer: String,
    pub(crate) slot: i16,
    pub(crate) state: State,
    /// Names and units.
    pub(crate) items: Vec<(String, u64)>,
    pub(crate) request: Option<String>,
}

/// A row of `skus`.
#[derive(Debug)]
pub(crate) struct Sku {
    pub(crate) name: String,
    pub(crate) total: i64,
    pub(crate) sold: i64,
}

impl Eyes {
    /// With the URLs of Redis, RabbitMQ and PostgreSQL.
    pub(crate) fn new(handle: &Handle, [redis, _, postgres]: [String; 3]) -> Result<Self> {
        let _inside = handle.enter();
        Ok(Self { handle: handle.clone(), redis: Client::connect(&redis)?, postgres, vault: None })
    }

    /// As [`Eyes::status`], for a Redis that is well.
    pub(crate) fn settled_status(&self, sale: &str) -> Result<SaleStatus<'static>> {
        wait::within(ASK, || self.status(sale).ok()).with_context(|| format!("Redis says nothing of {sale}"))
    }

    /// A sale in Redis.
    pub(crate) fn status(&self, sale: &str) -> Result<SaleStatus<'static>> {
        let outcome = self.handle.block_on(self.redis.call(Call::sale_status(sale)))?;
        outcome.map_err(|refusal| anyhow!("Redis says {} about {sale}", refusal.code()))
    }

    /// The states of reservations in Redis; none of one that it has forgotten.
    pub(crate) fn states(&self, sale: &str, ids: &[u64]) -> Result<Vec<Option<State>>> {
        let calls = ids.iter().map(|id| Call::reservation_status(sale, *id)).collect();
        let outcomes = self.handle.block_on(self.redis.calls(calls));
        let state = |outcome: Result<Outcome<ReservationStatus>, CallError>| match outcome {
            Ok(Ok(status)) => Ok(State::of(status.state.name())),
            Ok(Err(_forgotten)) => Ok(None),
            Err(error) => Err(anyhow::Error::from(error)),
        };
        outcomes.into_iter().map(state).collect()
    }

    /// Units sold and on sale in PostgreSQL.
    pub(crate) fn skus(&mut self, sale: &str) -> Result<Vec<Sku>> {
        let rows = self.query("SELECT sku, total, sold FROM skus WHERE sale = $1 ORDER BY position", sale)?;
        Ok(rows.iter().map(|row| Sku { name: row.get(0), total: row.get(1), sold: row.get(2) }).collect())
    }

    /// Everything that PostgreSQL has of a sale.
    pub(crate) fn rows(&mut self, sale: &str) -> Result<Rows> {
        let orders = "SELECT id, buyer, slot, state, items::text, request FROM orders WHERE sale = $1";
        let orders = self.query(orders, sale)?.iter().map(order).collect::<Result<_>>()?;
        let rejections = self.query("SELECT id, reason, event FROM rejections WHERE sale = $1", sale)?;
        let rejections = rejections.iter().map(|row| (row.get::<_, i64>(0).cast_unsigned(), (row.get(1), row.get(2))));
        let rejections = rejections.collect();
        let quarantined = self.query("SELECT reason FROM quarantine WHERE sale = $1 OR sale IS NULL", sale)?;
        let quarantined = quarantined.iter().map(|row| row.get(0)).collect();
        let early = self.query("SELECT count(*) FROM early WHERE sale = $1", sale)?;
        let early = early.first().map_or(0, |row| row.get(0));
        Ok(Rows { orders, rejections, quarantined, early, skus: self.skus(sale)? })
    }

    /// How much waits in the quarantine, of any sale.
    pub(crate) fn quarantined(&mut self) -> Result<i64> {
        let waiting = "SELECT count(*) FROM quarantine WHERE replayed_at IS NULL AND discarded_at IS NULL AND $1 = ''";
        Ok(self.query(waiting, "")?.first().map_or(0, |row| row.get(0)))
    }

    /// Runs statements that a fault consists of.
    pub(crate) fn execute(&mut self, sql: &str) -> Result<()> {
        let is_closed = |error: &anyhow::Error| {
            error.downcast_ref::<tokio_postgres::Error>().is_some_and(tokio_postgres::Error::is_closed)
        };
        match self.execute_once(sql) {
            // A session that becomes read-only is closed, and that may be now.
            Err(error) if is_closed(&error) => self.execute_once(sql),
            result => result,
        }
    }

    fn execute_once(&mut self, sql: &str) -> Result<()> {
        let handle = self.handle.clone();
        let result = handle.block_on(async { Ok(self.vault().await?.batch_execute(sql).await?) });
        self.seen(result)
    }

    fn query(&mut self, sql: &str, sale: &str) -> Result<Vec<tokio_postgres::Row>> {
        let handle = self.handle.clone();
        let asking = async {
            let vault = self.vault().await?;
            tokio::time::timeout(ASK, vault.query(sql, &[&sale]))
                .await
                .context("PostgreSQL does not answer")?
                .context("PostgreSQL")
        };
        let result = handle.block_on(asking);
        self.seen(result)
    }

    async fn vault(&mut self) -> Result<&flash_vault::Client> {
        // One that became read-only was closed.
        if self.vault.as_ref().is_none_or(flash_vault::Client::is_closed) {
            let connecting = flash_vault::connect(&self.postgres);
            self.vault = Some(tokio::time::timeout(ASK, connecting).await.context("PostgreSQL does not answer")??);
        }
        self.vault.as_ref().context("connected above")
    }

    /// A connection that failed is not used again.
    fn seen<T>(&mut self, result: Result<T>) -> Result<T> {
        if result.is_err() {
            self.vault = None;
        }
        result
    }
}

fn order(row: &tokio_postgres::Row) -> Result<Order> {
    let (state, items): (String, String) = (row.get(3), row.get(4));
    let items: serde_json::Value = serde_json::from_str(&items)?;
    let item = |item: &serde_json::Value| Some((item["sku"].as_str()?.to_owned(), item["quantity"].as_u64()?));
    let items = items.as_array().and_then(|items| items.iter().map(item).collect::<Option<_>>());
    Ok(Order {
        id: row.get::<_, i64>(0).cast_unsigned(),
        buyer: row.get(1),
        slot: row.get(2),
        state: State::of(&state).with_context(|| format!("a state {state}"))?,
        items: items.context("items")?,
        request: row.get(5),
    })
}
