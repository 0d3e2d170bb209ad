//! What a syncer asks before it lets a queue go: whether a sale may depend on what only the queue holds.

use tokio_postgres::Client;

use crate::error::Error;
use crate::head::Head;
use crate::number::{from_sql, to_sql};
use crate::recover::{OVER_MS_MAX, RECOVERY_LEASE_S};
use crate::sql;

/// Whether a gateway recovers a sale now, and may wait for a barrier.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn is_recovering(client: &Client) -> Result<bool, Error> {
    Ok(client.query_one(sql::doubts::IS_RECOVERING, &[&RECOVERY_LEASE_S]).await?.get(0))
}

/// The newest life of each sale after `after`, by name, that is not over for longer than [`OVER_MS_MAX`]: at most
/// `count`.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn newest_heads(client: &Client, after: &str, count: u32) -> Result<Vec<Head>, Error> {
    let rows = client.query(sql::doubts::LIVES, &[&after, &to_sql(OVER_MS_MAX), &i64::from(count)]).await?;
    let head =
        |row: &tokio_postgres::Row| Head { sale: row.get(0), epoch: from_sql(row.get(1)), seq: from_sql(row.get(2)) };
    Ok(rows.iter().map(head).collect())
}
