//! What lapin runs on: tokio, with connections that we made ourselves.
//!
//! lapin's own TLS would trust public authorities beside the given ones, and reads client certificates from PKCS#12
//! files, with 34 crates for that. A runtime whose stream is ours needs neither.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use async_compat::Compat;
use async_rs::traits::{Executor, Reactor, RuntimeKit};
use async_rs::util::Task;
use async_rs::{Runtime, Tokio};
use futures_util::io::{AsyncRead, AsyncWrite};
use futures_util::{Stream as Ticks, TryFutureExt};
use tokio::net::TcpStream;

use crate::stream::Stream;

/// The runtime of the caller's thread.
pub(crate) fn current() -> Runtime<Ours> {
    Runtime::new(Ours(Tokio::current()))
}

/// tokio, but for the type of its streams.
#[derive(Debug, Clone)]
pub(crate) struct Ours(Tokio);

impl RuntimeKit for Ours {}

impl Executor for Ours {
    type Task<T: Send + 'static> = <Tokio as Executor>::Task<T>;

    fn block_on<T, F: Future<Output = T>>(&self, future: F) -> T {
        self.0.block_on(future)
    }

    fn spawn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(&self, future: F) -> Task<Self::Task<T>> {
        self.0.spawn(future)
    }

    fn spawn_blocking<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(&self, work: F) -> Task<Self::Task<T>> {
        self.0.spawn_blocking(work)
    }
}

impl Reactor for Ours {
    type TcpStream = Compat<Stream>;
    type Sleep = <Tokio as Reactor>::Sleep;

    /// Part of the contract, and not called: a connection has one socket, which tokio made.
    fn register<H: Read + Write + Send + 'static>(
        &self,
        _socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Err::<Self::TcpStream, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, time: Duration) -> Self::Sleep {
        self.0.sleep(time)
    }

    fn interval(&self, time: Duration) -> impl Ticks<Item = Instant> + Send + 'static {
        self.0.interval(time)
    }

    /// Part of the contract, and not called: [`connect`](crate::connect) makes the connection.
    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        TcpStream::connect(address).map_ok(|stream| Compat::new(Stream::Plain(stream)))
    }
}
