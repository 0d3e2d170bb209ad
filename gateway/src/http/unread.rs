//! A connection whose client may not read what it is sent.
//!
//! What is sent and not read lies in the kernel's memory or in this process. So the kernel keeps little of it for one
//! connection ([`SEND_BUFFER_BYTES`](crate::limits::SEND_BUFFER_BYTES)), no further request is worked on while an
//! answer waits for room ([`Gauge`]), and a connection that takes nothing for long is ended at once, without what it
//! did not read.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep};

use crate::limits::WRITE_STALL_MS;

/// A socket that can be ended so that the kernel keeps nothing for it.
pub(super) trait Abort {
    /// Whatever was not read yet is gone once this is closed.
    fn abort(&self);
}

/// Says whether the client has taken what it was sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Gauge(Arc<UnreadState>);

#[derive(Debug, Default)]
struct UnreadState {
    is_behind: AtomicBool,
    caught_up: Notify,
}

impl Gauge {
    /// Waits until the socket has room again. A connection that ends meanwhile is not waited for any more.
    pub(super) async fn room(&self) {
        while self.0.is_behind.load(Ordering::Relaxed) {
            self.0.caught_up.notified().await;
        }
    }

    fn set(&self, is_behind: bool) {
        // One thread serves a connection: nothing has to be ordered.
        if self.0.is_behind.swap(is_behind, Ordering::Relaxed) && !is_behind {
            self.0.caught_up.notify_one();
        }
    }
}

/// A connection that must take something of what it is sent within [`WRITE_STALL_MS`].
pub(super) struct Unread<S> {
    stream: S,
    gauge: Gauge,
    /// Runs while the socket has no room.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S: Abort> Unread<S> {
    pub(super) fn new(stream: S, gauge: Gauge) -> Self {
        Self { stream, gauge, stalled: None }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }

    /// What came of writing. Only nothing at all counts as no progress.
    fn progress<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            if self.stalled.take().is_some() {
                self.gauge.set(false);
            }
            return written;
        }
        self.gauge.set(true);
        let limit = || Box::pin(sleep(Duration::from_millis(WRITE_STALL_MS)));
        ready!(self.stalled.get_or_insert_with(limit).as_mut().poll(cx));
        self.stream.abort();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Unread<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Abort + Unpin> AsyncWrite for Unread<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.progress(cx, written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        // A flush without work says nothing of a write that waits.
        if flushed.is_ready() && this.stalled.is_some() { flushed } else { this.progress(cx, flushed) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = Pin::new(&mut this.stream).poll_shutdown(cx);
        this.progress(cx, shut)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, pieces);
        this.progress(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::{Instant, advance};

    use super::*;

    fn pair(room: usize) -> (Unread<DuplexStream>, Gauge, DuplexStream) {
        let ((near, far), gauge) = (duplex(room), Gauge::default());
        (Unread::new(near, gauge.clone()), gauge, far)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_given_up_after_its_time() {
        let (mut stream, gauge, _far) = pair(4);
        let began = Instant::now();
        let error = stream.write_all(b"12345").await.unwrap_err();
        assert_eq!((error.kind(), began.elapsed().as_millis()), (io::ErrorKind::TimedOut, WRITE_STALL_MS.into()));
        assert!(futures_util::poll!(Box::pin(gauge.room())).is_pending());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_a_little_now_and_then_is_waited_for() {
        let (mut stream, gauge, mut far) = pair(1);
        let writes = tokio::spawn(async move { stream.write_all(b"1234").await.map(|()| stream) });
        for want in b"1234" {
            advance(Duration::from_millis(WRITE_STALL_MS - 1)).await;
            assert_eq!(far.read_u8().await.unwrap(), *want);
            tokio::task::yield_now().await;
        }
        assert!(writes.await.unwrap().is_ok());
        gauge.room().await;
    }
}
