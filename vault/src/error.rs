//! What can go wrong with PostgreSQL.

use tokio_postgres::error::SqlState;

/// A fault of the vault. Whatever was being written has not been: a transaction is whole or nothing. (Unless the
/// connection was lost during the commit; then it is unknown, and the same may be written again.)
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL cannot be read. It is not shown, for it may hold a password.
    #[error("the PostgreSQL URL is not of the form postgres://user:password@host:port/database")]
    Url,
    /// The file of certificate authorities that the URL names is of no use.
    #[error("PostgreSQL: {0}")]
    Trust(#[from] flash_tls::Error),
    /// Trouble that passes: no connection, a restart, a deadlock, a full disk. Wait, connect and try again.
    #[error("PostgreSQL: {0}")]
    Passing(#[source] tokio_postgres::Error),
    /// PostgreSQL took too long to accept a connection.
    #[error("PostgreSQL did not accept a connection within {0} ms")]
    ConnectTimeout(u64),
    /// Trouble that stays until someone acts: missing tables or rights.
    #[error("PostgreSQL refuses: {0}; is the database migrated, and may this user write?")]
    Database(#[source] tokio_postgres::Error),
    /// An operator has paused the syncers: orders are written when they go on. Nothing was written.
    #[error("the syncers are paused")]
    Paused,
    /// Others wrote the same rows at each attempt. Nothing was written.
    #[error("others wrote the same at each attempt")]
    Contended,
    /// The tables could not be brought up to date.
    #[error("cannot migrate the database: {0}")]
    Migration(#[from] refinery::Error),
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        if error.code().is_none_or(passes) { Self::Passing(error) } else { Self::Database(error) }
    }
}

/// By the class of the SQLSTATE: connection, rollback (deadlock, serialisation), resources, object state (locks),
/// intervention (shutdown, cancel), system.
fn passes(code: &SqlState) -> bool {
    ["08", "40", "53", "55", "57", "58"].iter().any(|class| code.code().starts_with(class))
}
