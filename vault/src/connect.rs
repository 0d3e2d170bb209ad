//! A connection to PostgreSQL.

use std::time::Duration;

use tokio_postgres::{Client, Config, NoTls};

use crate::error::Error;
use crate::sql;

/// How long PostgreSQL may take to accept a connection.
pub const CONNECT_TIMEOUT_MS: u64 = 10_000;
/// How long one statement may take, its wait for locks included.
pub const STATEMENT_TIMEOUT_MS: u64 = 30_000;
/// How long a peer may be silent before the connection counts as lost.
const SILENCE_MS_MAX: u64 = 30_000;

/// Connects, and drives the connection in a task of the current runtime until the client is dropped.
///
/// # Errors
/// When the URL cannot be read, or PostgreSQL not be reached.
pub async fn connect(url: &str) -> Result<Client, Error> {
    let mut config: Config = url.parse().map_err(|_| Error::Url)?;
    if config.get_application_name().is_none() {
        config.application_name("flash");
    }
    config.tcp_user_timeout(Duration::from_millis(SILENCE_MS_MAX));
    config.keepalives_idle(Duration::from_millis(SILENCE_MS_MAX));
    let greeting = async {
        let (client, connection) = config.connect(NoTls).await?;
        // Its error also reaches whoever uses the client.
        tokio::spawn(
            async move { connection.await.inspect_err(|error| tracing::debug!(%error, "PostgreSQL is gone")) },
        );
        client.batch_execute(sql::SESSION).await?;
        Ok::<_, tokio_postgres::Error>(client)
    };
    match tokio::time::timeout(Duration::from_millis(CONNECT_TIMEOUT_MS), greeting).await {
        Ok(client) => Ok(client?),
        Err(_) => Err(Error::ConnectTimeout(CONNECT_TIMEOUT_MS)),
    }
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

    #[tokio::test]
    async fn nobody_listening_is_passing_trouble() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = connect(&format!("postgres://ada:secret@127.0.0.1:{port}/db")).await.unwrap_err();
        assert!(matches!(error, Error::Passing(_)), "{error}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
}
