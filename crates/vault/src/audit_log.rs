//! What operators did. It is written down before it is done: a change that is not recorded would be worse than a row
//! about one that did not happen.

use tokio_postgres::Client;

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::sql::audit_log as sql;

/// What somebody is about to do.
#[derive(Debug, Clone, Copy)]
pub struct LoggedChange<'a> {
    /// The key's holder, or the system's user.
    pub who: &'a str,
    /// The key's id.
    pub key: Option<&'a str>,
    /// The route, or the command.
    pub action: &'a str,
    /// Which sale it is about.
    pub sale: Option<&'a str>,
    /// What else was asked for, without secrets.
    pub detail: &'a str,
}

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedRow {
    /// Its number; a newer row has a higher one.
    pub id: u64,
    /// When, as text.
    pub at: String,
    /// Who.
    pub who: String,
    /// By which key.
    pub key: Option<String>,
    /// The route, or the command.
    pub action: String,
    /// Which sale.
    pub sale: Option<String>,
    /// What else was asked for.
    pub detail: String,
    /// `done`, or why not; none: unknown.
    pub outcome: Option<String>,
}

/// Writes a change down, and gives the row's number.
///
/// # Errors
/// When PostgreSQL is in trouble: then the change must not be made.
pub async fn log_change(client: &Client, change: LoggedChange<'_>) -> Result<u64, Error> {
    let LoggedChange { who, key, action, sale, detail } = change;
    // The one character that PostgreSQL's text cannot hold.
    let detail = detail.replace('\0', "\u{fffd}");
    Ok(from_sql(client.query_one(sql::LOG_CHANGE, &[&who, &key, &action, &sale, &detail]).await?.get(0)))
}

/// Writes down what became of it.
///
/// # Errors
/// When PostgreSQL is in trouble: the row says "unknown" then.
pub async fn end_logged(client: &Client, row: u64, outcome: &str) -> Result<(), Error> {
    client.execute(sql::END_LOGGED, &[&to_sql(row), &outcome]).await?;
    Ok(())
}

/// The rows before a number, the newest first.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn logged(client: &Client, before: u64, limit: u64) -> Result<Vec<LoggedRow>, Error> {
    let rows = client.query(sql::LOGGED, &[&to_sql(before), &to_sql(limit)]).await?;
    let row = |row: &tokio_postgres::Row| LoggedRow {
        id: from_sql(row.get(0)),
        at: row.get(1),
        who: row.get(2),
        key: row.get(3),
        action: row.get(4),
        sale: row.get(5),
        detail: row.get(6),
        outcome: row.get(7),
    };
    Ok(rows.iter().map(row).collect())
}
