//! What was published and is not settled yet.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::timeout;

use crate::error::{Error, Fault};
use crate::outgoing::Outgoing;
use crate::publisher::{Outcome, Publisher, Settling};

/// Messages that wait to be settled; the gains of more end near 1,000.
pub const WINDOW_MESSAGES_MAX: usize = 512;
/// Bytes of the messages that wait to be settled.
pub const WINDOW_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long a publish may take until it is settled. Beyond it its fate is unknown. (A RabbitMQ that is short of disk or
/// memory does not answer.)
pub const CONFIRM_TIMEOUT_MS: u64 = 15_000;

const SILENT: Fault = Fault::Silent(CONFIRM_TIMEOUT_MS);

/// A publisher and its messages in flight, each with a cargo that says whose it is.
pub struct Window<P, C> {
    publisher: P,
    in_flight: FuturesUnordered<InFlight<C>>,
    bytes: usize,
}

struct InFlight<C> {
    /// None, once it is settled.
    cargo: Option<C>,
    bytes: usize,
    settling: Settling,
}

impl<C: Unpin> Future for InFlight<C> {
    type Output = (Option<C>, usize, Outcome);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = ready!(self.settling.as_mut().poll(cx));
        Poll::Ready((self.cargo.take(), self.bytes, outcome))
    }
}

impl<P: Publisher, C: Unpin> Window<P, C> {
    /// Of a new publisher.
    pub fn new(publisher: P) -> Self {
        Self { publisher, in_flight: FuturesUnordered::new(), bytes: 0 }
    }

    /// The publisher.
    pub const fn publisher(&self) -> &P {
        &self.publisher
    }

    /// Whether another message may be published.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.in_flight.len() < WINDOW_MESSAGES_MAX && self.bytes < WINDOW_BYTES_MAX
    }

    /// Whether nothing is in flight.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Publishes a message. It is in flight until [`Window::settled`] tells.
    ///
    /// # Errors
    /// As [`Publisher::publish`], or when there is no room for too long.
    pub async fn publish(&mut self, cargo: C, message: &Outgoing) -> Result<(), Error> {
        let limit = Duration::from_millis(CONFIRM_TIMEOUT_MS);
        let settling = timeout(limit, self.publisher.publish(message)).await;
        let settling = settling.map_err(|_| SILENT)??;
        let settling =
            async move { timeout(limit, settling).await.unwrap_or_else(|_| Outcome::Unknown(SILENT.into())) };
        self.bytes += message.body.len();
        self.in_flight.push(InFlight { cargo: Some(cargo), bytes: message.body.len(), settling: Box::pin(settling) });
        Ok(())
    }

    /// The next message in flight that is settled. Waits for ever when none is in flight. It may be dropped and asked
    /// again.
    ///
    /// An outcome that is not [`Outcome::Confirmed`] says nothing good of the others in flight: give the window up.
    pub async fn settled(&mut self) -> (Option<C>, Outcome) {
        match self.in_flight.next().await {
            Some((cargo, bytes, outcome)) => {
                self.bytes -= bytes;
                (cargo, outcome)
            }
            None => std::future::pending().await,
        }
    }

    /// Gives the publisher up, and tells what was in flight: all of it is unknown.
    #[must_use]
    pub fn give_up(self) -> Vec<C> {
        self.in_flight.into_iter().filter_map(|message| message.cargo).collect()
    }

    /// Says good-bye.
    pub async fn close(self) {
        self.publisher.close().await;
    }
}
