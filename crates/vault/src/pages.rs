//! Pages of what there is, for operators to look at.

use flash_wire::message::MessageReserved;
use tokio_postgres::Client;

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::reserved::reserved;
use crate::sql;

/// What a reservation that PostgreSQL refused is called, beside the names of [`State`](flash_wire::State).
pub const REJECTED: &str = "rejected";

/// Which reservations of a sale a page has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReservationFilter<'a> {
    /// In this state, or [`REJECTED`].
    pub state: Option<&'a str>,
    /// Of this buyer.
    pub buyer: Option<&'a str>,
    /// With a lower id than this.
    pub before: u64,
}

/// A reservation as PostgreSQL has it: as an order, or as a rejection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationRow {
    /// Its id.
    pub id: u64,
    /// In which life of the sale it was made.
    pub epoch: u64,
    /// The name of its state, or [`REJECTED`].
    pub state: String,
    /// As it was made, without its data; of a rejection the buyer alone.
    pub made: MessageReserved<'static>,
    /// When it was made, Unix milliseconds; none: it was rejected.
    pub reserved_at_ms: Option<u64>,
    /// When the hold ended, or PostgreSQL refused it, Unix milliseconds.
    pub ended_at_ms: Option<u64>,
    /// When the relay gave it to the queue, Unix milliseconds; none: it went past the queue, or an older release made
    /// it.
    pub published_at_ms: Option<u64>,
    /// When PostgreSQL wrote it first, Unix milliseconds; not told of what it wrote before it noted that.
    pub written_at_ms: Option<u64>,
    /// When PostgreSQL wrote the end of its hold, Unix milliseconds; none: it has no end there, or one from before that
    /// was noted.
    pub end_written_at_ms: Option<u64>,
    /// Why PostgreSQL refused it: a code, as in the table `rejections`.
    pub reason: Option<String>,
}

/// The ids of the sales after the id `after`, in their order, at most `limit`.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn sale_page(client: &Client, after: &str, limit: u64) -> Result<Vec<String>, Error> {
    let rows = client.query(sql::pages::SALES, &[&after, &to_sql(limit)]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The ids of the sales that were created last, the newest first, at most `limit`.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn newest_sales(client: &Client, limit: u64) -> Result<Vec<String>, Error> {
    let rows = client.query(sql::pages::NEWEST_SALES, &[&to_sql(limit)]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The newest reservations of a sale that the filter lets through, at most `limit`.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn reservation_page(
    client: &Client,
    sale: &str,
    filter: &ReservationFilter<'_>,
    limit: u64,
) -> Result<Vec<ReservationRow>, Error> {
    let ReservationFilter { state, buyer, before } = filter;
    let rows = client.query(sql::pages::RESERVATIONS, &[&sale, &to_sql(*before), state, buyer, &to_sql(limit)]).await?;
    rows.iter().map(reservation).collect()
}

fn reservation(row: &tokio_postgres::Row) -> Result<ReservationRow, Error> {
    let time = |name: &str| row.get::<_, Option<i64>>(name).map(from_sql);
    Ok(ReservationRow {
        id: from_sql(row.get("id")),
        epoch: from_sql(row.get("epoch")),
        state: row.get("state"),
        made: reserved(row)?,
        reserved_at_ms: time("reserved_at_ms"),
        ended_at_ms: time("ended_at_ms"),
        published_at_ms: time("published_at_ms"),
        written_at_ms: time("written_at_ms"),
        end_written_at_ms: time("end_written_at_ms"),
        reason: row.get("reason"),
    })
}
