//! Rejections that a recovery has to look at: Redis may count what PostgreSQL refused.

use tokio_postgres::Client;

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::sql;

/// A sale with rejections that are not settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// The sale.
    pub sale: String,
    /// The newest epoch in which something was refused.
    pub epoch: u64,
    /// Nothing was refused but what came when its epoch was over. If Redis is in a later epoch by now, it counts none
    /// of it, and [`settle_late`] is all there is to do; if it is not, it sells in an epoch that is over.
    pub only_late: bool,
}

/// The sales with rejections that are not settled, by name, at most `count`.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn unsettled_sales(client: &Client, count: u32) -> Result<Vec<Unsettled>, Error> {
    let rows = client.query(sql::recovery::UNSETTLED_SALES, &[&i64::from(count)]).await?;
    let unsettled =
        |row: &tokio_postgres::Row| Unsettled { sale: row.get(0), epoch: from_sql(row.get(1)), only_late: row.get(2) };
    Ok(rows.iter().map(unsettled).collect())
}

/// Redis was rebuilt in `epoch`: it counts the rejections of earlier epochs no more.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn settle_rejections(client: &Client, sale: &str, epoch: u64) -> Result<(), Error> {
    client.execute(sql::recovery::SETTLE_REJECTIONS, &[&sale, &to_sql(epoch)]).await?;
    Ok(())
}

/// Redis was seen in `epoch`: what came late of earlier epochs it does not count.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn settle_late(client: &Client, sale: &str, epoch: u64) -> Result<(), Error> {
    client.execute(sql::recovery::SETTLE_LATE, &[&sale, &to_sql(epoch)]).await?;
    Ok(())
}
