//! Webhooks, and what is to be delivered to them. Who delivers holds what it has taken for a while, so that any number
//! may do it; one that dies leaves it to the others.

use std::fmt;

use flash_wire::message::MessageReserved;
use tokio_postgres::{Client, GenericClient, Row};

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::reserved::reserved;
use crate::sql;

/// Webhooks that there may be.
pub const WEBHOOKS_MAX: u32 = 64;

/// How long a delivery waits for its next attempt at most.
pub const DELIVERY_WAIT_S_MAX: f64 = 2.0 * 24.0 * 60.0 * 60.0;

/// A webhook, and how it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: u64,
    /// Where it is.
    pub url: String,
    /// Why nothing is delivered to it any more; none: it is on.
    pub disabled_because: Option<String>,
    /// Deliveries that it has not taken yet.
    pub waiting: u64,
    /// Deliveries that were given up.
    pub dead: u64,
    /// Why the last attempt failed, of those that were not taken; none: there are none.
    pub last_error: Option<String>,
}

/// An announcement to a webhook.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id: the same at each attempt.
    pub id: u64,
    /// For whom.
    pub webhook: u64,
    /// Where that is.
    pub url: String,
    /// What to sign it with.
    pub secret: String,
    /// The secret before it, while its receiver goes over to that.
    pub old_secret: Option<String>,
    /// `order.confirmed` and the like.
    pub kind: String,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// When it happened, as RFC 3339 says it.
    pub at: String,
    /// The sale.
    pub sale: String,
    /// The reservation.
    pub reservation: u64,
    /// As it was made; of a rejection the buyer alone.
    pub made: MessageReserved<'static>,
    /// Why PostgreSQL refused it.
    pub reason: Option<String>,
}

/// Without the secret.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Adds a webhook; none: there are [`WEBHOOKS_MAX`].
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn add_webhook(client: &impl GenericClient, url: &str, secret: &str) -> Result<Option<u64>, Error> {
    let row = client.query_opt(sql::webhooks::ADD, &[&url, &secret, &i64::from(WEBHOOKS_MAX)]).await?;
    Ok(row.map(|row| from_sql(row.get(0))))
}

/// All webhooks, by id.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn webhooks(client: &Client) -> Result<Vec<Webhook>, Error> {
    let rows = client.query(sql::webhooks::LIST, &[]).await?;
    let webhook = |row: &Row| Webhook {
        id: from_sql(row.get(0)),
        url: row.get(1),
        disabled_because: row.get(2),
        waiting: from_sql(row.get(3)),
        dead: from_sql(row.get(4)),
        last_error: row.get(5),
    };
    Ok(rows.iter().map(webhook).collect())
}

/// Gives a webhook a new secret: its deliveries are signed with the new and the previous one. False: no webhook has
/// this id.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn renew_webhook_secret(client: &Client, id: u64, secret: &str) -> Result<bool, Error> {
    Ok(client.execute(sql::webhooks::RENEW_SECRET, &[&to_sql(id), &secret]).await? > 0)
}

/// Signs a webhook's deliveries with its newest secret alone. False: there is none of this id.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn forget_old_webhook_secret(client: &Client, id: u64) -> Result<bool, Error> {
    Ok(client.execute(sql::webhooks::FORGET_OLD_SECRET, &[&to_sql(id)]).await? > 0)
}

/// Removes a webhook, and what waits for it. False: there is none of this id.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn remove_webhook(client: &Client, id: u64) -> Result<bool, Error> {
    Ok(client.execute(sql::webhooks::REMOVE, &[&to_sql(id)]).await? > 0)
}

/// Stops delivering to a webhook, and forgets what waits for it.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn disable_webhook(client: &Client, id: u64, because: &str) -> Result<(), Error> {
    client.execute(sql::webhooks::DISABLE, &[&to_sql(id), &because]).await?;
    Ok(())
}

/// Claims at most `count` due deliveries of each webhook, and none of those that are `busy`. No other gateway can claim
/// them for `hold_s` seconds.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn take_due(client: &Client, count: u32, hold_s: u32, busy: &[u64]) -> Result<Vec<Delivery>, Error> {
    client.execute(sql::webhooks::MAKE_DUE, &[&DELIVERY_WAIT_S_MAX]).await?;
    let busy: Vec<i64> = busy.iter().copied().map(to_sql).collect();
    let rows = client.query(sql::webhooks::TAKE_DUE, &[&i64::from(count), &f64::from(hold_s), &busy]).await?;
    rows.iter().map(delivery).collect()
}

fn delivery(row: &Row) -> Result<Delivery, Error> {
    Ok(Delivery {
        id: from_sql(row.get(0)),
        webhook: from_sql(row.get(1)),
        url: row.get(2),
        secret: row.get(3),
        old_secret: row.get("old_secret"),
        kind: row.get(4),
        attempt: u32::try_from(row.get::<_, i32>(5)).unwrap_or(u32::MAX),
        sale: row.get(6),
        reservation: from_sql(row.get(7)),
        // An announced order is never deleted; if an operator did so by hand, this is what is left to announce.
        at: row.get::<_, Option<String>>(8).unwrap_or_default(),
        made: reserved(row)?,
        reason: row.get("reason"),
    })
}

/// A delivery was taken.
///
/// # Errors
/// When PostgreSQL is in trouble: it may be delivered again then.
pub async fn delivered(client: &Client, id: u64) -> Result<(), Error> {
    client.execute(sql::webhooks::DELIVERED, &[&to_sql(id)]).await?;
    Ok(())
}

/// Forgets deliveries that were taken or given up more than `kept_s` seconds ago, of the `count` oldest. Gives how
/// many. An end that comes once more after that is delivered once more, under the same id.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn forget_deliveries(client: &Client, count: u32, kept_s: u32) -> Result<u64, Error> {
    Ok(client.execute(sql::webhooks::FORGET, &[&i64::from(count), &f64::from(kept_s)]).await?)
}

/// A delivery was not taken: it is tried again after a while, or never where none is given.
///
/// # Errors
/// When PostgreSQL is in trouble: it is tried again when no gateway holds it any more.
pub async fn not_delivered(client: &Client, id: u64, again_s: Option<f64>, error: &str) -> Result<(), Error> {
    let id = to_sql(id);
    match again_s.map(|seconds| seconds.min(DELIVERY_WAIT_S_MAX)) {
        Some(seconds) => client.execute(sql::webhooks::RETRY, &[&id, &seconds, &error]).await?,
        None => client.execute(sql::webhooks::BURY, &[&id, &error]).await?,
    };
    Ok(())
}
