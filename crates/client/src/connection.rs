//! Keeps one connection to Redis: opens it, watches it, opens it again.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use redis::{Cmd, ConnectionAddr, ConnectionInfo, RedisConnectionInfo, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::backoff::Backoff;
use crate::error::{CallError, Unavailable};
use crate::limits::{CONNECT_TIMEOUT_MS, PING_EVERY_MS, RECONNECT_WAIT_MS_MAX, RECONNECT_WAIT_MS_MIN};
use crate::multiplexed::{self, Multiplexed};
use crate::target::{Target, Tls};

/// The connection as callers see it: usable, or why it is not.
pub(crate) type State = Result<Multiplexed, Unavailable>;

/// Keeps `state` up to date until it has no reader any more.
pub(crate) async fn keep(target: Target, timeout: Duration, state: watch::Sender<State>) {
    tokio::select! {
        () = state.closed() => {}
        () = reconnect(&target, timeout, &state) => {}
    }
}

/// Does not end.
async fn reconnect(target: &Target, limit: Duration, state: &watch::Sender<State>) {
    let mut backoff = Backoff::new(RECONNECT_WAIT_MS_MIN, RECONNECT_WAIT_MS_MAX);
    let show = |now: State| drop(state.send_replace(now));
    loop {
        match timeout(Duration::from_millis(CONNECT_TIMEOUT_MS), open(target)).await {
            Ok(Ok((connection, driver))) => {
                backoff.reset();
                show(Ok(connection.clone()));
                let lost = tokio::select! {
                    error = driver => Unavailable::lost(&error),
                    () = answers(connection, limit) => Unavailable::Silent,
                };
                show(Err(lost));
            }
            Ok(Err(error)) => show(Err(error.into())),
            Err(_) => show(Err(Unavailable::ConnectTimeout)),
        }
        sleep(backoff.wait()).await;
    }
}

/// Moves a connection's bytes until it ends, and says why it did.
type Driver = Pin<Box<dyn Future<Output = io::Error> + Send>>;

async fn open(Target { info, tls }: &Target) -> io::Result<(Multiplexed, Driver)> {
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
        _ => Err(io::Error::other("Redis is reached by TCP or by a Unix socket")),
    }
}

async fn encrypt(tls: &Tls, host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let config = flash_tls::trust(tls.authorities.as_deref()).map_err(io::Error::other)?;
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(config).connect(name, stream).await
}

async fn greet<S>(info: &ConnectionInfo, stream: S) -> io::Result<(Multiplexed, Driver)>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (connection, driver) = multiplexed::over(stream);
    let mut driver: Driver = Box::pin(driver.run());
    tokio::select! {
        error = &mut driver => Err(error),
        greeted = log_in(&connection, info.redis_settings()) => greeted.map(|()| (connection, driver)).map_err(io::Error::other),
    }
}

/// Says who we are and which database we mean, where the URL does.
async fn log_in(connection: &Multiplexed, settings: &RedisConnectionInfo) -> Result<(), CallError> {
    let mut commands = Vec::new();
    if let Some(password) = settings.password() {
        let mut auth = redis::cmd("AUTH");
        auth.arg(settings.username()).arg(password);
        commands.push(auth);
    }
    if settings.db() != 0 {
        let mut select = redis::cmd("SELECT");
        select.arg(settings.db());
        commands.push(select);
    }
    let values = connection.send_all(commands, Duration::from_millis(CONNECT_TIMEOUT_MS)).await?;
    let refused = values.iter().find_map(|value| match value {
        Value::ServerError(error) => Some(CallError::of_reply(error)),
        _ => None,
    });
    refused.map_or(Ok(()), Err)
}

/// Ends when a ping is not answered. It may take longer than a call: a connection that is given up takes all of its
/// calls with it, also those whose time has only begun.
async fn answers(connection: Multiplexed, call_limit: Duration) {
    let limit = call_limit + Duration::from_millis(PING_EVERY_MS);
    let mut ping = Cmd::new();
    ping.arg("PING");
    loop {
        sleep(Duration::from_millis(PING_EVERY_MS)).await;
        // An error reply is an answer as well: a server that loads its data lives.
        if connection.send(ping.clone(), limit).await.is_err() {
            return;
        }
    }
}
