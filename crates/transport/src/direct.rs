//! The transport within one process: a bounded channel. A message is confirmed when it is committed. What a source had
//! in hand, the next one gets first: so nothing overtakes it, as in a queue.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};

use flash_wire::TraceParent;
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::{Error, Fault};
use crate::outgoing::Outgoing;
use crate::publisher::{Outcome, Publisher, Settling};
use crate::source::{Received, Source, Token};
use crate::{Transport, WINDOW_MESSAGES_MAX};

/// Messages that wait for the syncer; with the window of their relay, that bounds their bytes as well.
pub const DIRECT_MESSAGES_MAX: usize = WINDOW_MESSAGES_MAX;

/// Messages that a source may leave to the next one: a window, and all of it once more. What lies beyond is no more
/// than what its relay has sent again.
const LEFT_MESSAGES_MAX: usize = 2 * DIRECT_MESSAGES_MAX;

/// Both ends of it. Clones are the same one. It has one source at a time: the newest.
#[derive(Debug, Clone, Default)]
pub struct Direct {
    newest: Arc<watch::Sender<Option<mpsc::Sender<Passed>>>>,
    /// What the last source has left.
    left: Left,
}

type Left = Arc<Mutex<VecDeque<Passed>>>;

/// A message, and who waits until it is committed.
#[derive(Debug)]
struct Passed {
    body: Vec<u8>,
    published_at_ms: Option<u64>,
    trace: Option<TraceParent>,
    committed: oneshot::Sender<()>,
}

impl Transport for Direct {
    type Publisher = DirectPublisher;
    type Source = DirectSource;

    /// Waits for a source: a message without a reader is not published.
    async fn publisher(&self, _name: &str) -> Result<DirectPublisher, Error> {
        let mut newest = self.newest.subscribe();
        let is_open = |sender: &Option<mpsc::Sender<Passed>>| sender.as_ref().is_some_and(|sender| !sender.is_closed());
        // This holds the other end, so it cannot be closed.
        let sender = newest.wait_for(is_open).await.ok().and_then(|sender| sender.clone());
        Ok(DirectPublisher { sender: sender.ok_or(Fault::NoSyncer)? })
    }

    async fn source(&self, _name: &str) -> Result<DirectSource, Error> {
        let (sender, receiver) = mpsc::channel(DIRECT_MESSAGES_MAX);
        let again = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        self.newest.send_replace(Some(sender));
        let (left, taken) = (self.left.clone(), VecDeque::new());
        Ok(DirectSource { receiver, left, again, taken, opening: 0, place: 0, is_paused: false })
    }
}

/// The relay's end.
#[derive(Debug)]
pub struct DirectPublisher {
    sender: mpsc::Sender<Passed>,
}

impl Publisher for DirectPublisher {
    async fn publish(&mut self, message: &Outgoing) -> Result<Settling, Error> {
        let (committed, commit) = oneshot::channel();
        let Outgoing { body, published_at_ms, trace, .. } = message.clone();
        self.sender.send(Passed { body, published_at_ms, trace, committed }).await.map_err(|_| Fault::NoSyncer)?;
        Ok(Box::pin(async move {
            match commit.await {
                Ok(()) => Outcome::Confirmed,
                Err(_) => Outcome::Unknown(Fault::SyncerBeganAnew.into()),
            }
        }))
    }

    fn is_connected(&self) -> bool {
        !self.sender.is_closed()
    }

    /// What was confirmed is in PostgreSQL.
    fn begins_anew(&self) -> bool {
        false
    }

    async fn close(self) {}
}

/// The syncer's end. Dropped, it leaves everything that is not committed to the next one.
#[derive(Debug)]
pub struct DirectSource {
    receiver: mpsc::Receiver<Passed>,
    left: Left,
    /// What comes again, before anything else.
    again: VecDeque<Passed>,
    /// The messages that were taken and are not committed; the last one is at `place`.
    taken: VecDeque<Passed>,
    opening: u64,
    place: u64,
    is_paused: bool,
}

impl DirectSource {
    fn give_back(&mut self) {
        let mut again = std::mem::take(&mut self.taken);
        again.append(&mut self.again);
        self.again = again;
    }
}

impl Drop for DirectSource {
    fn drop(&mut self) {
        self.give_back();
        self.receiver.close();
        while let Ok(passed) = self.receiver.try_recv() {
            self.again.push_back(passed);
        }
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.append(&mut self.again);
        left.truncate(LEFT_MESSAGES_MAX);
    }
}

impl Source for DirectSource {
    async fn receive(&mut self) -> Result<Received, Error> {
        if self.is_paused {
            pending::<()>().await;
        }
        let passed = match self.again.pop_front() {
            Some(passed) => passed,
            None => self.receiver.recv().await.ok_or(Fault::NoSyncer)?,
        };
        self.place += 1;
        let token = Token { opening: self.opening, place: self.place };
        let Passed { body, published_at_ms, trace, .. } = &passed;
        // Nothing from outside this process comes here.
        let (body, published_at_ms, is_authentic) = (body.clone(), *published_at_ms, true);
        let received = Received { body, published_at_ms, is_authentic, trace: *trace, token };
        self.taken.push_back(passed);
        Ok(received)
    }

    async fn commit(&mut self, token: Token) -> Result<(), Error> {
        if token.opening != self.opening || token.place > self.place {
            return Err(Fault::GivenBack.into());
        }
        let still_taken = usize::try_from(self.place - token.place).unwrap_or(usize::MAX);
        while self.taken.len() > still_taken {
            // A relay that has given up waiting sends it again, and it is passed over.
            let _ = self.taken.pop_front().map(|passed| passed.committed.send(()));
        }
        Ok(())
    }

    async fn pause(&mut self) -> Result<(), Error> {
        self.give_back();
        self.opening += 1;
        self.is_paused = true;
        Ok(())
    }

    async fn resume(&mut self) -> Result<(), Error> {
        self.is_paused = false;
        Ok(())
    }

    async fn queued(&mut self) -> Result<u64, Error> {
        Ok((self.again.len() + self.receiver.len()) as u64)
    }

    async fn close(self) {}
}
