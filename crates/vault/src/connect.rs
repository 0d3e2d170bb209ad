//! A connection to PostgreSQL.

use std::future::poll_fn;
use std::path::PathBuf;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::Error;
use crate::sql;

/// How long PostgreSQL may take to accept a connection.
pub const CONNECT_TIMEOUT_MS: u64 = 10_000;
/// How long one statement may take, its wait for locks included.
pub const STATEMENT_TIMEOUT_MS: u64 = 30_000;
/// How long a process may leave a transaction alone: then PostgreSQL ends its session, and others get its locks.
/// Whoever is stopped or cut off within one holds them up as long. The longest that a transaction waits for others is a
/// replay's question to Redis.
pub const IDLE_IN_TRANSACTION_MS_MAX: u64 = 10_000;
/// The same for a seal, which waits for nothing: another recovery of the sale waits for it.
pub(crate) const IDLE_IN_SEAL_MS_MAX: u64 = 3_000;
/// The same for a snapshot, which holds no locks, and is compared with what Redis says meanwhile, page by page.
pub(crate) const IDLE_IN_SNAPSHOT_MS_MAX: u64 = 60_000;
/// How long a peer may be silent before the connection counts as lost.
const SILENCE_MS_MAX: u64 = 30_000;

/// Connects, and drives the connection in a task of the current runtime until the client is dropped. With
/// `sslmode=require` or `verify-full` in the URL the connection is encrypted and PostgreSQL's name verified, by the
/// authorities in the file `sslrootcert` if there is one; with any other it is in plain text.
///
/// # Errors
/// When the URL cannot be read, or PostgreSQL not be reached.
pub async fn connect(url: &str) -> Result<Client, Error> {
    connect_with(url, Duration::from_millis(STATEMENT_TIMEOUT_MS)).await
}

/// As [`connect`], with another bound on each statement: shorter than the caller waits, so that nothing is written
/// after the caller has gone.
///
/// # Errors
/// As [`connect`].
pub async fn connect_with(url: &str, statement_timeout: Duration) -> Result<Client, Error> {
    let (mut config, authorities) = read(url)?;
    match config.get_ssl_mode() {
        SslMode::Require => {
            let trusted = flash_tls::trust(authorities.as_deref())?;
            greet(&config, MakeRustlsConnect::new((*trusted).clone()), statement_timeout).await
        }
        // To prefer TLS would mean to do without it whenever somebody in between says so.
        _ => greet(config.ssl_mode(SslMode::Disable), NoTls, statement_timeout).await,
    }
}

/// As [`connect`], for one who is going to write.
///
/// # Errors
/// As [`connect`], and [`Error::ReadOnly`]: a session that begins so may stay so when PostgreSQL takes writes again.
pub async fn connect_to_write(url: &str) -> Result<Client, Error> {
    let client = connect(url).await?;
    if is_read_only(&client).await? { Err(Error::ReadOnly) } else { Ok(client) }
}

/// Whether this session takes no writes now: PostgreSQL is a standby, or `default_transaction_read_only` is on for the
/// server, or was on for this database or user when the session began.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn is_read_only(client: &Client) -> Result<bool, Error> {
    Ok(client.query_one(sql::inspect::IS_READ_ONLY, &[]).await?.get(0))
}

/// Reads a URL, and the file of authorities that it names.
fn read(url: &str) -> Result<(Config, Option<PathBuf>), Error> {
    let (url, authorities) = flash_tls::take_parameter(url, "sslrootcert");
    let (mut url, mode) = flash_tls::take_parameter(&url, "sslmode");
    if let Some(mode) = mode {
        // The library has no word for verifying: its connector does so, or does not.
        let mode = if mode == "verify-full" { "require" } else { &mode };
        let separator = if url.contains('?') { '&' } else { '?' };
        url = format!("{url}{separator}sslmode={mode}");
    }
    let mut config: Config = url.parse().map_err(|_| Error::Url)?;
    if config.get_application_name().is_none() {
        config.application_name("flash");
    }
    config.tcp_user_timeout(Duration::from_millis(SILENCE_MS_MAX));
    config.keepalives_idle(Duration::from_millis(SILENCE_MS_MAX));
    Ok((config, authorities.map(PathBuf::from)))
}

async fn greet<T>(config: &Config, tls: T, statement_timeout: Duration) -> Result<Client, Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let greeting = async {
        let (client, connection) = config.connect(tls).await?;
        // Its error also reaches the user of the client.
        tokio::spawn(async move {
            drive(connection).await.inspect_err(|error| tracing::debug!(%error, "PostgreSQL is gone"))
        });
        // A millisecond at least: 0 is no bound.
        let timeout = sql::statement_timeout(statement_timeout.as_millis().max(1));
        let idle = sql::idle_timeout(IDLE_IN_TRANSACTION_MS_MAX);
        client.batch_execute(&format!("{}; {idle}; {timeout}", sql::SESSION)).await?;
        Ok::<_, tokio_postgres::Error>(client)
    };
    match tokio::time::timeout(Duration::from_millis(CONNECT_TIMEOUT_MS), greeting).await {
        Ok(client) => Ok(client?),
        Err(_) => Err(Error::ConnectTimeout(CONNECT_TIMEOUT_MS)),
    }
}

/// What PostgreSQL (14 and later) says of a session after a statement, if it has changed: `on` makes it read-only.
const READ_ONLY_PARAMETERS: [&str; 2] = ["default_transaction_read_only", "in_hot_standby"];

/// Drives a connection until its client is dropped, it is lost, or its session becomes read-only. It might stay so when
/// PostgreSQL takes writes again, and a connection that ends is replaced by its owner.
async fn drive<S, T>(mut connection: Connection<S, T>) -> Result<(), tokio_postgres::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let is_read_only = |connection: &Connection<S, T>| {
        READ_ONLY_PARAMETERS.iter().any(|name| connection.parameter(name) == Some("on"))
    };
    let mut was_read_only = is_read_only(&connection);
    poll_fn(|context| {
        loop {
            let polled = connection.poll_message(context);
            let becomes_read_only = is_read_only(&connection) && !was_read_only;
            was_read_only = is_read_only(&connection);
            match polled {
                _ if becomes_read_only => return Poll::Ready(Ok(())),
                Poll::Ready(Some(message)) => drop(message?),
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bad_url_is_refused_without_showing_its_password() {
        for url in ["http://ada:secret@host", "postgres://ada:secret@host:port/db", "password=secret wrong=1"] {
            let error = connect(url).await.unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{url}: {error}");
        }
    }

    #[test]
    fn a_url_says_whether_there_is_tls_and_whom_to_trust() {
        let check = |query: &str, mode, authorities: Option<&str>| {
            let (config, file) = read(&format!("postgres://ada@host/db{query}")).unwrap();
            assert_eq!((config.get_ssl_mode(), file), (mode, authorities.map(PathBuf::from)), "{query}");
        };
        check("", SslMode::Prefer, None);
        check("?sslmode=disable", SslMode::Disable, None);
        check("?sslmode=require", SslMode::Require, None);
        check("?sslmode=verify-full&sslrootcert=/ca.pem", SslMode::Require, Some("/ca.pem"));
        check("?connect_timeout=3&sslmode=verify-full", SslMode::Require, None);
        assert!(matches!(read("postgres://ada@host/db?sslmode=maybe"), Err(Error::Url)));
    }

    #[tokio::test]
    async fn a_closed_port_is_a_passing_fault() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = connect(&format!("postgres://ada:secret@127.0.0.1:{port}/db")).await.unwrap_err();
        assert!(matches!(error, Error::Passing(_)), "{error}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
}
