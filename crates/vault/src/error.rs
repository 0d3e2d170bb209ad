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
    #[error("PostgreSQL: {}", whole(.0))]
    Passing(tokio_postgres::Error),
    /// PostgreSQL took too long to accept a connection.
    #[error("PostgreSQL did not accept a connection within {0} ms")]
    ConnectTimeout(u64),
    /// Trouble that stays until someone acts: missing tables or rights.
    #[error("PostgreSQL refuses: {}; is the database migrated, and may this user write?", whole(.0))]
    Database(tokio_postgres::Error),
    /// PostgreSQL takes no writes: it is a standby, or `default_transaction_read_only` is on. Nothing was written. A
    /// session may stay read-only though PostgreSQL is not any more: open a new one.
    #[error("PostgreSQL is read-only: it is a standby, or default_transaction_read_only is on")]
    ReadOnly,
    /// An operator has paused the syncers: orders are written when they go on. Nothing was written.
    #[error("the syncers are paused")]
    Paused,
    /// Others wrote the same rows at each attempt. Nothing was written.
    #[error("others wrote the same at each attempt")]
    Contended,
    /// The database cannot hold every name: nothing was done.
    #[error("the database has the encoding {0}, and UTF8 is needed: make it with ENCODING 'UTF8' TEMPLATE template0")]
    Encoding(String),
    /// The tables could not be brought up to date.
    #[error("cannot migrate the database: {0}")]
    Migration(#[from] refinery::Error),
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) {
            return Self::ReadOnly;
        }
        if error.code().is_none_or(passes) { Self::Passing(error) } else { Self::Database(error) }
    }
}

/// What an error says, and what each of its sources adds: the library's own text for what PostgreSQL answers is "db
/// error". Of each, the first line: what PostgreSQL says on further ones may hold a row, and so a buyer.
#[must_use]
pub fn whole(error: &dyn std::error::Error) -> String {
    let line = |error: &dyn std::error::Error| error.to_string().lines().next().unwrap_or_default().to_owned();
    let mut text = line(error);
    let mut next = error.source();
    while let Some(source) = next {
        let more = line(source);
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = source.source();
    }
    text
}

/// By the class of the SQLSTATE: connection, rollback (deadlock, serialisation), resources, object state (locks),
/// intervention (shutdown, cancel), system.
fn passes(code: &SqlState) -> bool {
    ["08", "40", "53", "55", "57", "58"].iter().any(|class| code.code().starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}\nKey (buyer)=(ada)")]
    struct Nested {
        text: &'static str,
        source: Option<Box<Self>>,
    }

    #[test]
    fn an_error_says_what_its_sources_say_and_shows_no_row() {
        let check = |texts: &[&'static str], want: &str| {
            let nest = |source, text: &&'static str| Some(Box::new(Nested { text, source }));
            let error = texts.iter().rev().fold(None, nest).unwrap();
            assert_eq!(whole(&*error), want);
        };
        check(&["db error"], "db error");
        check(
            &["db error", "ERROR: relation \"orders\" does not exist"],
            "db error: ERROR: relation \"orders\" does not exist",
        );
        check(&["cannot: refused", "refused", "os error 111"], "cannot: refused: os error 111");
    }
}
