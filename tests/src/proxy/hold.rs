//! A message that is held on its way, and goes on later: what a stopped process or a slow network does to it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::rules::Direction;

/// Which message is held. What comes after it on its connection waits too; other connections go on.
#[derive(Debug, Clone)]
pub struct Hold {
    /// Which way it goes.
    pub direction: Direction,
    /// It has one of these texts in it, and is held from there on. None: each piece that is read counts as a message.
    pub texts: Vec<&'static str>,
    /// So many such messages pass before.
    pub skip: u64,
    /// Only on a connection on which this was said before, or in the same piece.
    pub after: Option<&'static str>,
}

/// What is waited for, and what is held, of one proxy.
#[derive(Debug)]
pub(super) struct Holds {
    waiting: Mutex<Option<Hold>>,
    stage: watch::Sender<Stage>,
    connections: AtomicU64,
    pieces: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Nothing,
    /// A message of this connection is held.
    Held(u64),
    /// It goes on in a moment.
    LetGo(u64),
    Dropped,
}

/// One direction of one connection, as a hold sees it.
pub(super) struct Watch<'a> {
    holds: &'a Holds,
    direction: Direction,
    connection: u64,
    /// The end of what was read before: a text may begin there.
    tail: Vec<u8>,
    /// The text that marks connections, once it was seen here.
    marked_by: Option<&'static str>,
}

/// No text that is looked for is longer.
const TEXT_BYTES_MAX: usize = 64;

impl Hold {
    /// The first message to the server with one of these texts.
    #[must_use]
    pub fn first(texts: &[&'static str]) -> Self {
        Self { direction: Direction::ToServer, texts: texts.to_vec(), skip: 0, after: None }
    }

    /// So many such messages pass before.
    #[must_use]
    pub fn skip(self, skip: u64) -> Self {
        Self { skip, ..self }
    }

    /// Only on a connection on which this was said before.
    #[must_use]
    pub fn after(self, text: &'static str) -> Self {
        Self { after: Some(text), ..self }
    }
}

impl Default for Holds {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            stage: watch::Sender::new(Stage::Nothing),
            connections: AtomicU64::new(0),
            pieces: AtomicU64::new(0),
        }
    }
}

impl Holds {
    pub(super) fn new_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn pieces(&self) -> u64 {
        self.pieces.load(Ordering::Relaxed)
    }

    pub(super) fn watch(&self, direction: Direction, connection: u64) -> Watch<'_> {
        Watch { holds: self, direction, connection, tail: Vec::new(), marked_by: None }
    }

    pub(super) fn wait_for(&self, hold: Hold) {
        *self.waiting() = Some(hold);
    }

    pub(super) fn is_held(&self) -> bool {
        matches!(*self.stage.borrow(), Stage::Held(_))
    }

    pub(super) fn let_go(&self) {
        *self.waiting() = None;
        self.leave(Stage::LetGo);
    }

    pub(super) fn drop_held(&self) {
        *self.waiting() = None;
        self.leave(|_| Stage::Dropped);
    }

    fn leave(&self, to: impl FnOnce(u64) -> Stage) {
        self.stage.send_if_modified(|stage| {
            let Stage::Held(connection) = *stage else { return false };
            *stage = to(connection);
            true
        });
    }

    /// Waits until what is held is let go (true) or dropped.
    pub(super) async fn released(&self) -> bool {
        let mut stages = self.stage.subscribe();
        let left = stages.wait_for(|stage| !matches!(stage, Stage::Held(_))).await;
        // Without a proxy any more there is nothing to deliver.
        let is_let_go = left.is_ok_and(|stage| matches!(*stage, Stage::LetGo(_)));
        if !is_let_go {
            self.nothing_is_held();
        }
        is_let_go
    }

    pub(super) fn nothing_is_held(&self) {
        self.stage.send_replace(Stage::Nothing);
    }

    /// Waits until nothing of this connection is held.
    pub(super) async fn nothing_held(&self, of: u64) {
        let mut stages = self.stage.subscribe();
        let _ = stages.wait_for(|stage| !matches!(stage, Stage::Held(id) | Stage::LetGo(id) if *id == of)).await;
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Hold>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch<'_> {
    /// From where on in this piece all is to be held; none: it passes.
    pub(super) fn look_at(&mut self, piece: &[u8]) -> Option<usize> {
        self.holds.pieces.fetch_add(1, Ordering::Relaxed);
        let before = self.tail.len();
        self.tail.extend_from_slice(piece);
        let from = self.find(before);
        self.tail.drain(..self.tail.len().saturating_sub(TEXT_BYTES_MAX - 1));
        from
    }

    fn find(&mut self, before: usize) -> Option<usize> {
        let mut waiting = self.holds.waiting();
        let hold = waiting.as_mut().filter(|hold| hold.direction == self.direction)?;
        let is_marked = hold.after.is_none_or(|text| {
            let is_here = self.marked_by == Some(text) || !places(&self.tail, text, 0).is_empty();
            self.marked_by = is_here.then_some(text).or(self.marked_by);
            is_here
        });
        if !is_marked {
            return None;
        }
        let mut found: Vec<usize> = hold.texts.iter().flat_map(|text| places(&self.tail, text, before)).collect();
        if hold.texts.is_empty() {
            found.push(before);
        }
        found.sort_unstable();
        let Some(place) = usize::try_from(hold.skip).ok().and_then(|skip| found.get(skip)) else {
            hold.skip -= found.len() as u64;
            return None;
        };
        *waiting = None;
        self.holds.stage.send_replace(Stage::Held(self.connection));
        // A text that began in an earlier piece has passed in part: the rest of it is held.
        Some(place.saturating_sub(before))
    }
}

/// Where a text begins, of those places that end after the bytes of `before`.
fn places(bytes: &[u8], text: &str, before: usize) -> Vec<usize> {
    let windows = bytes.windows(text.len()).enumerate();
    let ends_here = |(at, window): &(usize, &[u8])| at + text.len() > before && *window == text.as_bytes();
    windows.filter(ends_here).map(|(at, _)| at).collect()
}
