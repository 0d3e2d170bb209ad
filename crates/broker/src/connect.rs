//! A connection to RabbitMQ.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_compat::Compat;
use lapin::tcp::AsyncTcpStream;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionProperties};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::runtime;
use crate::socket::Socket;
use crate::stream::{self, Stream};

/// How long RabbitMQ may take to accept a connection.
pub const CONNECT_TIMEOUT_MS: u64 = 10_000;
/// How often both sides say that they live, unless the URL's `heartbeat` says otherwise. A peer that vanished without a
/// word is noticed after twice this; RabbitMQ's own 60 s would let messages lie with a dead syncer for minutes.
pub const HEARTBEAT_S: u16 = 10;

/// Why there is no connection. No text of it holds the URL, for that holds the password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL cannot be read.
    #[error("the AMQP URL is not of the form amqp://user:password@host:port/vhost (an IPv6 address goes by a name)")]
    Url,
    /// The file of certificate authorities that the URL names is of no use.
    #[error("RabbitMQ: {0}")]
    Trust(#[from] flash_tls::Error),
    /// No answer within [`CONNECT_TIMEOUT_MS`].
    #[error("RabbitMQ at {at} did not answer within {CONNECT_TIMEOUT_MS} ms")]
    Timeout {
        /// Host, port and vhost.
        at: String,
    },
    /// No process listens, or RabbitMQ refused: credentials, vhost.
    #[error("RabbitMQ at {at}: {source}")]
    Refused {
        /// Host, port and vhost.
        at: String,
        /// What happened.
        source: lapin::Error,
    },
}

/// Connects to the vhost that the URL's path names; with `amqps://` encrypted, RabbitMQ's name being verified by the
/// authorities in the file `cacertfile` if the URL names one. The connection does not reconnect: a caller that loses it
/// makes a new one, for what was unconfirmed on the old one must be dealt with first.
///
/// `name` is shown in RabbitMQ's list of connections.
///
/// # Errors
/// See [`ConnectError`].
pub async fn connect(url: &str, name: &str) -> Result<Connection, ConnectError> {
    Ok(connect_with_socket(url, name).await?.0)
}

/// As [`connect`], with the socket, for a connection that must be cut.
pub(crate) async fn connect_with_socket(url: &str, name: &str) -> Result<(Connection, Socket), ConnectError> {
    let (url, authorities) = flash_tls::take_parameter(url, "cacertfile");
    let uri = parse(&url)?;
    let tls = match uri.scheme {
        AMQPScheme::AMQPS => Some(stream::trust(authorities.as_deref().map(Path::new))?),
        AMQPScheme::AMQP => None,
    };
    let at = format!("{}:{}/{}", uri.authority.host, uri.authority.port, uri.vhost);
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    match timeout(Duration::from_millis(CONNECT_TIMEOUT_MS), open(uri, tls, properties)).await {
        Ok(Ok(connected)) => Ok(connected),
        Ok(Err(source)) => Err(ConnectError::Refused { at, source }),
        Err(_) => Err(ConnectError::Timeout { at }),
    }
}

async fn open(
    uri: AMQPUri,
    tls: Option<TlsConnector>,
    properties: ConnectionProperties,
) -> lapin::Result<(Connection, Socket)> {
    let socket = Arc::new(OnceLock::new());
    let made = socket.clone();
    let connect = Connection::connector(
        uri,
        runtime::current(),
        async move |uri, _| {
            let (stream, socket) = Stream::connect(&uri.authority.host, uri.authority.port, tls.as_ref()).await?;
            // A connection is made once: it does not heal itself.
            let _ = made.set(socket);
            Ok(AsyncTcpStream::Plain(Compat::new(stream)))
        },
        properties,
    );
    let connection = connect.await?;
    let socket = socket.get().map(Socket::try_clone).transpose()?.unwrap_or_default();
    Ok((connection, socket))
}

fn parse(url: &str) -> Result<AMQPUri, ConnectError> {
    // The parser takes an IPv6 address for no host at all, and would connect to localhost.
    if url.contains("//[") || url.contains("@[") {
        return Err(ConnectError::Url);
    }
    let mut uri: AMQPUri = url.parse().map_err(|_| ConnectError::Url)?;
    uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vhost_and_the_heartbeat_come_from_the_url() {
        let uri = parse("amqp://ada:secret@host:99/test%2F1?heartbeat=3").unwrap();
        assert_eq!((uri.authority.port, uri.vhost.as_str(), uri.query.heartbeat), (99, "test/1", Some(3)));
        assert_eq!(parse("amqp://host").unwrap().query.heartbeat, Some(HEARTBEAT_S));
    }

    #[test]
    fn a_bad_url_is_refused_without_showing_its_password() {
        for url in
            ["", "ada:secret@host", "http://ada:secret@host", "amqp://ada:secret@host:port", "amqp://u:secret@[::1]/"]
        {
            let error = parse(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{url}: {error}");
        }
    }

    #[tokio::test]
    async fn a_closed_port_is_an_error_that_says_where() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = connect(&format!("amqp://ada:secret@127.0.0.1:{port}/drop"), "test").await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(&format!("127.0.0.1:{port}/drop")), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
}
