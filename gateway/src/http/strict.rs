//! A client's connection, whose requests are looked at as they come ([`Framing`]), and whose heads must come in time.
//! (hyper counts a connection's rest before a head as part of the head's time.)

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::framing::Framing;
use crate::limits::HEADER_TIMEOUT_MS;

/// A connection through which only well-framed requests come.
pub(super) struct Strict<S> {
    stream: S,
    framing: Framing,
    /// Runs while a head has begun to come and has not ended.
    late: Option<Pin<Box<Sleep>>>,
}

impl<S> Strict<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, framing: Framing::new(), late: None }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S> Strict<S> {
    /// Nothing has come. A head that has begun must end within [`HEADER_TIMEOUT_MS`].
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.framing.is_within_head() {
            return Poll::Pending;
        }
        let limit = || Box::pin(sleep(Duration::from_millis(HEADER_TIMEOUT_MS)));
        ready!(self.late.get_or_insert_with(limit).as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, into) else {
            return this.wait(cx);
        };
        read?;
        this.framing.look(&mut into.filled_mut()[before..]);
        if !this.framing.is_within_head() {
            this.late = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
