//! Keeps one connection to Redis: opens it, watches it, opens it again.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::backoff::Backoff;
use crate::client::CALLS_IN_FLIGHT_MAX;
use crate::target::{Target, Tls};

/// How long opening a connection may take, from the first packet to the answer of the handshake.
pub const CONNECT_TIMEOUT_MS: u64 = 1_000;
/// The first wait before a lost connection is opened again.
pub const RECONNECT_WAIT_MS_MIN: u64 = 10;
/// The longest wait before a lost connection is opened again.
pub const RECONNECT_WAIT_MS_MAX: u64 = 1_000;
/// How often a connection is asked whether it lives: a peer that vanished without a word closes nothing.
pub const PING_EVERY_MS: u64 = 1_000;
/// How long it may take to answer that, before it is given up.
pub const PING_TIMEOUT_MS: u64 = 2_000;

/// Bytes of commands that are gathered into one write. The library's own 8 KiB cost a system call every 80 commands.
const WRITE_BYTES: usize = 64 * 1024;

/// The connection as callers see it: usable, or why it is not.
pub(crate) type State = Result<MultiplexedConnection, String>;

/// Keeps `state` up to date until nobody looks at it any more.
pub(crate) async fn keep(target: Target, state: watch::Sender<State>) {
    tokio::select! {
        () = state.closed() => {}
        () = reconnect(&target, &state) => {}
    }
}

/// Does not end.
async fn reconnect(target: &Target, state: &watch::Sender<State>) {
    let mut backoff = Backoff::new(RECONNECT_WAIT_MS_MIN, RECONNECT_WAIT_MS_MAX);
    let show = |now: State| drop(state.send_replace(now));
    loop {
        match timeout(Duration::from_millis(CONNECT_TIMEOUT_MS), open(target)).await {
            Ok(Ok((connection, driver))) => {
                backoff.reset();
                show(Ok(connection.clone()));
                let lost = tokio::select! {
                    () = driver => "the connection was lost",
                    () = answers(connection) => "it stopped answering",
                };
                show(Err(lost.to_owned()));
            }
            Ok(Err(error)) => show(Err(error.to_string())),
            Err(_) => show(Err(format!("no connection within {CONNECT_TIMEOUT_MS} ms"))),
        }
        sleep(backoff.wait()).await;
    }
}

/// Moves a connection's bytes until it ends.
type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The driver in hand tells at once that the connection has ended, which the library's own connections tell only to the
/// next call.
async fn open(Target { info, tls }: &Target) -> Result<(MultiplexedConnection, Driver), RedisError> {
    match info.addr() {
        ConnectionAddr::Tcp(host, port) => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            match tls {
                Some(tls) => greet(info, encrypt(tls, host, stream).await?).await,
                None => greet(info, stream).await,
            }
        }
        ConnectionAddr::Unix(path) => greet(info, UnixStream::connect(path).await?).await,
        _ => Err((ErrorKind::InvalidClientConfig, "Redis is reached by TCP or by a Unix socket").into()),
    }
}

async fn encrypt(tls: &Tls, host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let config = flash_tls::trust(tls.authorities.as_deref()).map_err(io::Error::other)?;
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(config).connect(name, stream).await
}

async fn greet<S>(info: &ConnectionInfo, stream: S) -> Result<(MultiplexedConnection, Driver), RedisError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = AsyncConnectionConfig::new()
        .set_pipeline_buffer_size(CALLS_IN_FLIGHT_MAX)
        .set_write_backpressure_boundary(WRITE_BYTES)
        .set_response_timeout(Some(Duration::from_millis(PING_TIMEOUT_MS)));
    let (connection, driver) = MultiplexedConnection::new_with_config(info.redis_settings(), stream, config).await?;
    Ok((connection, Box::pin(driver)))
}

/// Ends when a ping is not answered.
async fn answers(mut connection: MultiplexedConnection) {
    let mut ping = Cmd::new();
    ping.arg("PING");
    loop {
        sleep(Duration::from_millis(PING_EVERY_MS)).await;
        // An error reply is an answer as well: a server that loads its data lives.
        if connection.send_packed_command(&ping).await.is_err() {
            return;
        }
    }
}
