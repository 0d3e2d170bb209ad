//! What the tables say.

use flash_wire::State;
use flash_wire::message::MessageReserved;
use tokio_postgres::Client;

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::reserved::reserved;
use crate::sql;

/// An order's current state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The reservation's id.
    pub id: u64,
    /// Its state.
    pub state: State,
    /// As it was made, without its data.
    pub made: MessageReserved<'static>,
    /// When it was made, Unix milliseconds.
    pub reserved_at_ms: u64,
    /// When the hold ended, if it did, Unix milliseconds.
    pub ended_at_ms: Option<u64>,
}

/// The order of a reservation, if it has been written. One that was made a moment ago may still be on its way.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn order(client: &Client, sale: &str, id: u64) -> Result<Option<Order>, Error> {
    let Some(row) = client.query_opt(sql::orders::ORDER, &[&sale, &to_sql(id)]).await? else { return Ok(None) };
    let Some(state) = State::from_name(row.get("state")) else { return Ok(None) };
    let reserved_at_ms = from_sql(row.get("reserved_at_ms"));
    let ended_at_ms = row.get::<_, Option<i64>>("ended_at_ms").map(from_sql);
    Ok(Some(Order { id, state, made: reserved(&row)?, reserved_at_ms, ended_at_ms }))
}

/// Everybody who ever had anything of a sale: up to the last event that is acknowledged, no one else has. None: they
/// are more than `max`, or a message that could not be read or written may hold a reservation of somebody else.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn sale_buyers(client: &Client, sale: &str, max: u64) -> Result<Option<Vec<String>>, Error> {
    let some_may_be_missing: bool = client.query_one(sql::quarantine::MAY_HOLD_SALE, &[&sale]).await?.get(0);
    if some_may_be_missing {
        return Ok(None);
    }
    let rows = client.query(sql::orders::BUYERS, &[&sale, &to_sql(max + 1)]).await?;
    Ok((rows.len() as u64 <= max).then(|| rows.iter().map(|row| row.get(0)).collect()))
}

/// How far the newest life of a sale is written. None: PostgreSQL knows no such sale.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn newest_head(client: &Client, sale: &str) -> Result<Option<u64>, Error> {
    let row = client.query_opt(sql::orders::NEWEST_HEAD, &[&sale]).await?;
    Ok(row.map(|row| from_sql(row.get(0))))
}

/// A reservation that PostgreSQL refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Who had reserved.
    pub buyer: String,
    /// Why: a code, as in the table `rejections`.
    pub reason: String,
}

/// The rejection of a reservation, if there is one.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn rejection(client: &Client, sale: &str, id: u64) -> Result<Option<Rejection>, Error> {
    let row = client.query_opt(sql::orders::REJECTION, &[&sale, &to_sql(id)]).await?;
    Ok(row.map(|row| Rejection { buyer: row.get(0), reason: row.get(1) }))
}

/// Whether a barrier has come. Then everything that was queued before it is in PostgreSQL.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn has_barrier(client: &Client, id: &str) -> Result<bool, Error> {
    Ok(client.query_one(sql::syncers::HAS_BARRIER, &[&id]).await?.get(0))
}

/// How many orders of a sale are held or confirmed.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn active_orders(client: &Client, sale: &str) -> Result<u64, Error> {
    Ok(from_sql(client.query_one(sql::orders::ACTIVE_ORDERS, &[&sale]).await?.get(0)))
}

/// How many buyers have more than one order that is held or confirmed. In a sale of one unit for each buyer, any is one
/// too many.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn twice_served_buyers(client: &Client, sale: &str) -> Result<u64, Error> {
    Ok(from_sql(client.query_one(sql::orders::TWICE_SERVED_BUYERS, &[&sale]).await?.get(0)))
}

/// The units of one SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkuSold {
    /// Its name.
    pub sku: String,
    /// Units put on sale.
    pub total: u64,
    /// Units of held and confirmed orders.
    pub sold: u64,
}

/// The units of each SKU of a sale, in the order of its terms.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn sold_units(client: &Client, sale: &str) -> Result<Vec<SkuSold>, Error> {
    let rows = client.query(sql::sales::SKUS, &[&sale]).await?;
    let sold = |row: &tokio_postgres::Row| SkuSold {
        sku: row.get(0),
        total: from_sql(row.get(1)),
        sold: from_sql(row.get(2)),
    };
    Ok(rows.iter().map(sold).collect())
}
