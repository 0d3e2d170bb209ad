//! Connections by TLS: how they begin, and the socket that is left when hyper lets go of one.

use std::io::{self, Write};
use std::net;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConnection;
use tokio_rustls::server::TlsStream;

use super::stream::{Stream, watching};
use super::unread::Abort;
use crate::certificates::Shown;
use crate::events::Socket;
use crate::limits::{HANDSHAKE_TIMEOUT_MS, WATCHER_TLS_BYTES_MAX};

/// Shakes hands; none: the client does not speak TLS, does not trust us, or is too slow.
pub(super) async fn accept(stream: TcpStream, shown: &Shown) -> Option<TlsStream<TcpStream>> {
    let acceptor = TlsAcceptor::from(shown.borrow().clone());
    let limit = Duration::from_millis(HANDSHAKE_TIMEOUT_MS);
    // Anybody can make it fail, and as often as they like: no line of a log for each.
    timeout(limit, acceptor.accept(stream)).await.ok()?.ok()
}

impl Abort for TlsStream<TcpStream> {
    fn abort(&self) {
        self.get_ref().0.abort();
    }
}

impl Stream for TlsStream<TcpStream> {
    fn leave(self) -> io::Result<Socket> {
        let (stream, mut session) = self.into_inner();
        session.set_buffer_limit(Some(WATCHER_TLS_BYTES_MAX));
        Ok(Box::new(TlsSocket { stream: watching(stream)?, session }))
    }
}

/// A socket that does not block, by TLS. What is written is encrypted at once, and what the socket has no room for
/// waits here; `flush` says when nothing does.
struct TlsSocket {
    stream: net::TcpStream,
    session: ServerConnection,
}

impl Write for TlsSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.flush()?;
        self.session.writer().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            if self.session.write_tls(&mut self.stream)? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }
}

impl Drop for TlsSocket {
    /// Marks the end, so that it does not look like a cut.
    fn drop(&mut self) {
        self.session.send_close_notify();
        let _ = self.flush();
    }
}

#[cfg(test)]
pub(super) mod tests;
