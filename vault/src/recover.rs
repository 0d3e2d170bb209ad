//! What a recovery needs to know: which sales there are, where each stands, and who has what.

use flash_wire::message::MessageItem;
use flash_wire::{RebuiltReservation, fingerprint};
use tokio_postgres::Client;
use tokio_postgres::types::Json;

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::sql;

/// A sale whose window is over, and its last hold, is not brought back once that is so long ago: buyers may still ask for
/// their reservations, which PostgreSQL answers.
pub const OVER_MS_MAX: u64 = 60 * 60 * 1_000;

/// For how long a gateway that recovers a sale keeps the others from it, each time it says so. One that has died, or sleeps,
/// holds a recovery up no longer; one that wakes up finds that the epochs have gone on without it.
pub const RECOVERY_LEASE_S: f64 = 3.0;

/// Where a sale stands in PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// The newest epoch that is known here.
    pub epoch: u64,
    /// How far that is written; none: nothing of it is.
    pub head: Option<u64>,
    /// Where the epoch that was asked for was sealed.
    pub sealed_at: Option<u64>,
    /// An operator has stopped the sale.
    pub is_closed: bool,
    /// How long ago the sale was created.
    pub age_s: u64,
}

/// Where a sale stands, and where its `epoch` was sealed; none: there is no such sale.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn life(client: &Client, sale: &str, epoch: u64) -> Result<Option<Life>, Error> {
    let row = client.query_opt(sql::recovery::LIFE, &[&sale, &to_sql(epoch)]).await?;
    let optional = |row: &tokio_postgres::Row, column: usize| row.get::<_, Option<i64>>(column).map(from_sql);
    Ok(row.map(|row| Life {
        epoch: from_sql(row.get(0)),
        head: optional(&row, 1),
        sealed_at: optional(&row, 2),
        is_closed: row.get(3),
        age_s: from_sql(row.get(4)),
    }))
}

/// The sales behind `after`, by name, that are not over for longer than [`OVER_MS_MAX`]: at most `count`.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn sales_on_sale(client: &Client, after: &str, count: u32) -> Result<Vec<String>, Error> {
    let over_ms = to_sql(OVER_MS_MAX);
    let rows = client.query(sql::recovery::SALES_ON_SALE, &[&after, &over_ms, &i64::from(count)]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The active orders of a sale behind the id `after`, by id, at most `count`, as a rebuilding takes them.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn active_page(
    client: &Client,
    sale: &str,
    after: u64,
    count: u32,
) -> Result<Vec<RebuiltReservation<'static>>, Error> {
    let rows = client.query(sql::recovery::ACTIVE_PAGE, &[&sale, &to_sql(after), &i64::from(count)]).await?;
    let mut page = Vec::with_capacity(rows.len());
    for row in &rows {
        let Json(items): Json<Vec<MessageItem>> = row.try_get(4)?;
        page.push(RebuiltReservation {
            id: from_sql(row.get(0)),
            buyer: row.get::<_, String>(1).into(),
            slot: u8::try_from(row.get::<_, i16>(2)).unwrap_or(u8::MAX),
            state: row.get::<_, String>(3).into(),
            items: items
                .into_iter()
                .map(|item| MessageItem { sku: item.sku.into_owned().into(), quantity: item.quantity })
                .collect(),
            expires_at_ms: row.get::<_, Option<i64>>(5).map(from_sql),
            request: row.get::<_, Option<String>>(6).map(Into::into),
            fingerprint: known_fingerprint(row.get(6), row.get(7)),
        });
    }
    Ok(page)
}

/// The fingerprint of what came with a request. Text that was no JSON became a JSON string on its way here: of a string
/// nobody knows which it was.
fn known_fingerprint(request: Option<&str>, data: Option<&str>) -> Option<u32> {
    let is_string = data.is_some_and(|data| data.starts_with('"'));
    request.filter(|_| !is_string).map(|_| fingerprint(data))
}

/// Keeps other gateways from recovering a sale for [`RECOVERY_LEASE_S`] from now. False: one of them does.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn lease_recovery(client: &Client, sale: &str, gateway: &str) -> Result<bool, Error> {
    Ok(client.execute(sql::recovery::LEASE_RECOVERY, &[&sale, &gateway, &RECOVERY_LEASE_S]).await? > 0)
}

/// Lets others recover the sale.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn end_recovery(client: &Client, sale: &str, gateway: &str) -> Result<(), Error> {
    client.execute(sql::recovery::END_RECOVERY, &[&sale, &gateway]).await?;
    Ok(())
}

/// Sales with rejections that Redis may still count as sold, at most `count`.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn unsettled_sales(client: &Client, count: u32) -> Result<Vec<String>, Error> {
    let rows = client.query(sql::recovery::UNSETTLED_SALES, &[&i64::from(count)]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Redis was rebuilt in `epoch`: it counts the rejections of earlier epochs no more.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn settle_rejections(client: &Client, sale: &str, epoch: u64) -> Result<(), Error> {
    client.execute(sql::recovery::SETTLE_REJECTIONS, &[&sale, &to_sql(epoch)]).await?;
    Ok(())
}
