//! A client's connection, as plain TCP.

use std::io;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::unread::Abort;
use crate::events::Socket;
use crate::limits::WATCHER_SEND_BUFFER_BYTES;

/// A client's connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Abort + Unpin {
    /// The socket, for the watchers' thread.
    fn leave(self) -> io::Result<Socket>;
}

impl Abort for TcpStream {
    fn abort(&self) {
        // Where it cannot be, the kernel's own time for such a connection ends it (`listener.rs`).
        let _ = SockRef::from(self).set_linger(Some(Duration::ZERO));
    }
}

impl Stream for TcpStream {
    fn leave(self) -> io::Result<Socket> {
        Ok(Box::new(watching(self)?))
    }
}

/// The socket of a watcher, who is sent little.
pub(super) fn watching(stream: TcpStream) -> io::Result<std::net::TcpStream> {
    SockRef::from(&stream).set_send_buffer_size(WATCHER_SEND_BUFFER_BYTES)?;
    stream.into_std()
}
