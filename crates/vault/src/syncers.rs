//! What the operator tells the syncers, and what they say of themselves.

use std::time::Duration;

use flash_metrics::process::REJECTIONS;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::sql;

/// A syncer that has not been heard of for so long is gone.
pub const SYNCER_GONE_S: u32 = 60;

/// A syncer, by what it said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syncer {
    /// Its name.
    pub name: String,
    /// Whether it takes no messages.
    pub paused: bool,
    /// Messages that wait for a syncer, if it knows.
    pub queued: Option<u64>,
    /// Events that it has written since it began. None: it is of an older version, and does not tell.
    pub written: Option<u64>,
    /// Reservations that the constraints have refused since it began.
    pub rejected: Option<u64>,
    /// How long ago it said so, by PostgreSQL's clock.
    pub age: Duration,
}

/// What a syncer says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Whether it takes no messages.
    pub paused: bool,
    /// Messages that wait for a syncer.
    pub queued: u64,
    /// Events that it has written since it began.
    pub written: u64,
}

/// Says what a syncer does, and asks whether it is to be paused.
pub(crate) async fn report(client: &Client, name: &str, report: Report) -> Result<bool, Error> {
    let Report { paused, queued, written } = report;
    let (queued, written, rejected) = (to_sql(queued), to_sql(written), to_sql(REJECTIONS.get()));
    let gone_s = f64::from(SYNCER_GONE_S);
    let values: [&(dyn ToSql + Sync); 6] = [&name, &paused, &queued, &written, &rejected, &gone_s];
    Ok(client.query_one(sql::syncers::REPORT_SYNCER, &values).await?.get(0))
}

/// Tells every syncer to pause, or to go on. They look about once a second. Where they are to pause, it waits for what
/// is being written: after it nothing is, by syncers and by anyone else.
///
/// # Errors
/// When PostgreSQL is in trouble, or something is written for longer than the connection's statement timeout. Nothing
/// was changed then.
pub async fn pause_syncers(client: &Client, paused: bool) -> Result<(), Error> {
    let tell = if paused { sql::syncers::PAUSE_SYNCERS } else { sql::syncers::RESUME_SYNCERS };
    client.batch_execute(tell).await?;
    Ok(())
}

/// Whether the operator wants the syncers to pause.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn are_syncers_paused(client: &Client) -> Result<bool, Error> {
    Ok(client.query_one(sql::syncers::ARE_SYNCERS_PAUSED, &[]).await?.get(0))
}

/// The syncers that were heard of lately, by name.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn syncers(client: &Client) -> Result<Vec<Syncer>, Error> {
    let rows = client.query(sql::syncers::SYNCERS, &[&f64::from(SYNCER_GONE_S)]).await?;
    let syncer = |row: &tokio_postgres::Row| Syncer {
        name: row.get(0),
        paused: row.get(1),
        queued: row.get::<_, Option<i64>>(2).map(from_sql),
        written: row.get::<_, Option<i64>>(3).map(from_sql),
        rejected: row.get::<_, Option<i64>>(4).map(from_sql),
        age: Duration::from_millis(from_sql(row.get(5))),
    };
    Ok(rows.iter().map(syncer).collect())
}
