//! What waits in the quarantine, and what became of it. Nothing is deleted.

use tokio_postgres::{Client, Row};

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::sql;

/// Which rows are meant: those that every given part fits.
#[derive(Debug, Clone, Default)]
pub struct QuarantineFilter {
    /// Of this sale.
    pub sale: Option<String>,
    /// Put there in the last so many seconds.
    pub since_s: Option<u64>,
    /// With this in their reason.
    pub reason: Option<String>,
    /// One of these; none: any.
    pub ids: Vec<u64>,
    /// Also those that were replayed or discarded.
    pub ended_too: bool,
    /// With a higher number than this.
    pub after: u64,
    /// At most so many, the oldest first.
    pub limit: u64,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuarantineEnd {
    /// It was written after all.
    Replayed {
        /// When, as text.
        at: String,
    },
    /// It was replayed, and a rejection was written instead.
    Rejected {
        /// When, as text.
        at: String,
        /// Why.
        reason: String,
    },
    /// Somebody decided that it is not to be written.
    Discarded {
        /// When, as text.
        at: String,
        /// Who.
        by: String,
    },
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Its number.
    pub id: u64,
    /// The sale and the life of it and the seq; none: an unreadable message.
    pub event: Option<(String, u64, u64)>,
    /// Why it is there.
    pub reason: String,
    /// When it came, as text.
    pub at: String,
    /// How long its body is.
    pub body_bytes: u64,
    /// What became of it; none: it waits.
    pub end: Option<QuarantineEnd>,
}

/// The rows that fit.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn quarantined(client: &Client, filter: &QuarantineFilter) -> Result<Vec<QuarantineRow>, Error> {
    let ids: Option<Vec<_>> = (!filter.ids.is_empty()).then(|| filter.ids.iter().map(|id| to_sql(*id)).collect());
    let (since, limit) = (filter.since_s.map(to_sql), to_sql(filter.limit));
    let QuarantineFilter { sale, reason, ended_too, .. } = filter;
    let rows = client
        .query(sql::quarantine::QUARANTINED, &[sale, &since, reason, &ids, ended_too, &limit, &to_sql(filter.after)])
        .await?;
    Ok(rows.iter().map(row).collect())
}

fn row(row: &Row) -> QuarantineRow {
    let event = match (row.get(1), row.get::<_, Option<i64>>(2), row.get::<_, Option<i64>>(3)) {
        (Some(sale), Some(epoch), Some(seq)) => Some((sale, from_sql(epoch), from_sql(seq))),
        _ => None,
    };
    let end = match (row.get(7), row.get(8)) {
        (Some(at), _) => Some(match row.get(10) {
            Some(reason) => QuarantineEnd::Rejected { at, reason },
            None => QuarantineEnd::Replayed { at },
        }),
        (None, Some(at)) => {
            Some(QuarantineEnd::Discarded { at, by: row.get::<_, Option<String>>(9).unwrap_or_default() })
        }
        (None, None) => None,
    };
    QuarantineRow {
        id: from_sql(row.get(0)),
        event,
        reason: row.get(4),
        at: row.get(5),
        body_bytes: from_sql(row.get(6)),
        end,
    }
}

/// What a row holds, byte for byte, up to `bytes_max`.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn quarantined_body(client: &Client, id: u64, bytes_max: u32) -> Result<Option<Vec<u8>>, Error> {
    let bytes_max = i32::try_from(bytes_max).unwrap_or(i32::MAX);
    let row = client.query_opt(sql::quarantine::QUARANTINED_BODY, &[&to_sql(id), &bytes_max]).await?;
    Ok(row.map(|row| row.get(0)))
}
