//! What PostgreSQL says about itself. Nothing is changed by asking.

use std::collections::BTreeMap;

use tokio_postgres::{Client, Row};

use crate::error::Error;
use crate::migrate::embedded;
use crate::number::from_sql;
use crate::sql;

/// How the database's migrations stand to those of this program, each by its number and name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Migrations {
    /// Not applied yet.
    pub missing: Vec<String>,
    /// Applied, and not known here, or known with another text.
    pub foreign: Vec<String>,
}

/// What a new session of this user finds these settings to be. (This one may have changed them for itself.)
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn settings(client: &Client, names: &[&str]) -> Result<BTreeMap<String, String>, Error> {
    let rows = client.query(sql::inspect::SETTINGS, &[&names]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get::<_, Option<String>>(1).unwrap_or_default())).collect())
}

/// PostgreSQL's clock, in Unix milliseconds.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn clock_ms(client: &Client) -> Result<u64, Error> {
    Ok(from_sql(client.query_one(sql::inspect::CLOCK, &[]).await?.get(0)))
}

/// Whether this server follows another one, and takes no writes.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn is_standby(client: &Client) -> Result<bool, Error> {
    Ok(client.query_one(sql::inspect::IS_STANDBY, &[]).await?.get(0))
}

/// The tables in which this user may not do what a gateway does.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn closed_tables(client: &Client) -> Result<Vec<String>, Error> {
    let rows = client.query(sql::grants::CLOSED_TABLES, &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Whether this user may change or delete what the audit log says: then it proves less.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn may_rewrite_log(client: &Client) -> Result<bool, Error> {
    Ok(client.query_one(sql::grants::MAY_REWRITE_LOG, &[]).await?.get(0))
}

/// Compares the migrations that were applied with those that this program has.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn migrations(client: &Client) -> Result<Migrations, Error> {
    let has_list: bool = client.query_one(sql::inspect::HAS_MIGRATIONS, &[]).await?.get(0);
    let rows = if has_list { client.query(sql::inspect::MIGRATIONS, &[]).await? } else { Vec::new() };
    let applied: Vec<(String, String)> = rows.iter().map(applied).collect();
    let runner = embedded::migrations::runner();
    let mut migrations: Vec<_> = runner.get_migrations().iter().collect();
    // They come by their names.
    migrations.sort_unstable_by_key(|ours| ours.version());
    let ours: Vec<Pair> = migrations.iter().map(|ours| (ours.to_string(), ours.checksum().to_string())).collect();
    let names_of_those_without =
        |some: &[(String, String)], others: &[(String, String)], same: fn(&Pair, &Pair) -> bool| {
            let lone = some.iter().filter(|one| others.iter().all(|other| !same(one, other)));
            lone.map(|(name, _)| name.clone()).collect()
        };
    Ok(Migrations {
        missing: names_of_those_without(&ours, &applied, |one, other| one.0 == other.0),
        foreign: names_of_those_without(&applied, &ours, |one, other| one == other),
    })
}

type Pair = (String, String);

/// The name as the library writes it, and the checksum.
fn applied(row: &Row) -> (String, String) {
    let (version, name): (i32, String) = (row.get(0), row.get(1));
    (format!("V{version}__{name}"), row.get(2))
}

/// Statements by which it is found out whether a session is kept.
const SERVINGS: usize = 5;

/// Where this database or this user has a value of its own for a setting: the level, and the value.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn setting_levels(client: &Client, name: &str) -> Result<Vec<(String, String)>, Error> {
    let rows = client.query(sql::inspect::SETTING_LEVELS, &[&name]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Whether one server process serves all statements of this connection and keeps what was set at its begin. A pooler in
/// between that hands out a process for each transaction may do neither. (True is no proof: it may have had the same
/// one.)
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn keeps_session(client: &Client) -> Result<bool, Error> {
    let mut first = None;
    for _ in 0..SERVINGS {
        let row = client.query_one(sql::inspect::SERVED_BY, &[]).await?;
        let (process, is_set): (i32, bool) = (row.get(0), row.get(1));
        if !is_set || *first.get_or_insert(process) != process {
            return Ok(false);
        }
    }
    Ok(true)
}
