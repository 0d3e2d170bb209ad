//! Batches from a source.

use std::time::Duration;

use flash_wire::TraceParent;
use tokio::time::{Instant, timeout_at};

use crate::error::{Error, Fault};
use crate::source::{Received, Source, Token};

/// Bytes of messages in a batch: some 1,700 orders. PostgreSQL spends 10 µs of CPU on an order in batches of 1,000, and
/// hardly less in larger ones (17 in batches of 100); and what a larger batch holds waits longer for its commit.
pub const BATCH_BYTES_MAX: usize = 256 * 1024;
/// Messages in a batch: half of what is fetched ahead, so that a broker sends on while a batch is written.
pub const BATCH_MESSAGES_MAX: usize = 500;
/// How long a batch waits for more messages after its first.
pub const GATHER_MS: u64 = 5;

/// Messages that were taken and are not committed yet.
#[derive(Debug)]
pub struct Batch {
    /// In order.
    pub bodies: Vec<Vec<u8>>,
    /// When each of them was published, Unix milliseconds, where that came with it.
    pub published_at_ms: Vec<Option<u64>>,
    /// Whether each is authentic, as [`Received::is_authentic`].
    pub are_authentic: Vec<bool>,
    /// The traces that came with them.
    pub traces: Vec<TraceParent>,
    /// Commits all of them.
    pub token: Token,
}

/// A source, read in batches.
pub struct Batches<S> {
    source: S,
    gathered: Gathered,
    is_paused: bool,
}

#[derive(Default)]
struct Gathered {
    bodies: Vec<Vec<u8>>,
    published_at_ms: Vec<Option<u64>>,
    are_authentic: Vec<bool>,
    traces: Vec<TraceParent>,
    bytes: usize,
    last: Option<Token>,
    deadline: Option<Instant>,
}

impl<S: Source> Batches<S> {
    /// Of a source that was just opened.
    pub fn new(source: S) -> Self {
        Self { source, gathered: Gathered::default(), is_paused: false }
    }

    /// Waits for a message, and shortly for more. It may be dropped and asked again: nothing gets lost between, for
    /// what is left out of a batch would be committed with the next.
    ///
    /// # Errors
    /// When the way is lost.
    pub async fn next_batch(&mut self) -> Result<Batch, Error> {
        while !self.gathered.is_full() {
            let received = match self.gathered.deadline {
                None => self.source.receive().await?,
                Some(deadline) => match timeout_at(deadline, self.source.receive()).await {
                    Ok(received) => received?,
                    Err(_) => break,
                },
            };
            self.gathered.push(received);
        }
        let Gathered { bodies, published_at_ms, are_authentic, traces, last, .. } = std::mem::take(&mut self.gathered);
        let token = last.ok_or(Fault::EmptyBatch)?;
        Ok(Batch { bodies, published_at_ms, are_authentic, traces, token })
    }

    /// As [`Source::commit`].
    ///
    /// # Errors
    /// When the way is lost.
    pub async fn commit(&mut self, token: Token) -> Result<(), Error> {
        self.source.commit(token).await
    }

    /// Pauses or resumes; does nothing where that is so already.
    ///
    /// # Errors
    /// When the way is lost.
    pub async fn set_paused(&mut self, paused: bool) -> Result<(), Error> {
        if paused == self.is_paused {
            return Ok(());
        }
        if paused {
            self.gathered = Gathered::default();
            self.source.pause().await?;
        } else {
            self.source.resume().await?;
        }
        self.is_paused = paused;
        Ok(())
    }

    /// Whether it takes no messages.
    #[must_use]
    pub const fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// As [`Source::queued`].
    ///
    /// # Errors
    /// When the way is lost.
    pub async fn queued(&mut self) -> Result<u64, Error> {
        self.source.queued().await
    }

    /// Says good-bye.
    pub async fn close(self) {
        self.source.close().await;
    }
}

impl Gathered {
    fn push(&mut self, Received { body, published_at_ms, is_authentic, trace, token }: Received) {
        self.deadline.get_or_insert_with(|| Instant::now() + Duration::from_millis(GATHER_MS));
        self.bytes += body.len();
        self.bodies.push(body);
        self.published_at_ms.push(published_at_ms);
        self.are_authentic.push(is_authentic);
        self.traces.extend(trace);
        self.last = Some(token);
    }

    fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES_MAX || self.bodies.len() >= BATCH_MESSAGES_MAX
    }
}
