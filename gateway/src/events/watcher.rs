//! One watcher: a socket, and what it has not taken yet.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::time::Instant;

use super::places::{Place, Socket};
use crate::limits::{WATCHER_AGE_JITTER_MS, WATCHER_AGE_MS_MAX};

/// Who watches.
pub(super) struct Watcher {
    socket: Socket,
    /// What the socket has no room for yet: the end of one frame, never more.
    rest: Bytes,
    /// Since when there is a rest, or the socket itself has one.
    behind_since: Option<Instant>,
    /// The number of the frame that it was given last.
    pub(super) has: u64,
    /// When its stream ends. The client comes back, perhaps elsewhere.
    until: Instant,
    _place: Place,
}

/// The watcher has hung up, or reads nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gone;

impl Watcher {
    /// It was given nothing yet.
    pub(super) fn new(socket: Socket, place: Place, now: Instant) -> Self {
        let age_ms = WATCHER_AGE_MS_MAX - rand::random_range(0..=WATCHER_AGE_JITTER_MS);
        let until = now + Duration::from_millis(age_ms);
        Self { socket, rest: Bytes::new(), behind_since: None, has: 0, until, _place: place }
    }

    /// Whether its stream is to end here, between two events.
    pub(super) fn is_old(&self, now: Instant) -> bool {
        now >= self.until && self.behind_since.is_none()
    }

    /// Since when it has not taken what it was given.
    pub(super) const fn behind_since(&self) -> Option<Instant> {
        self.behind_since
    }

    /// Gives it `frame`, unless it still has to take another. Whether it was given.
    pub(super) fn offer(&mut self, frame: &Bytes, now: Instant) -> Result<bool, Gone> {
        self.flush(now)?;
        if self.behind_since.is_some() {
            return Ok(false);
        }
        self.rest = frame.clone();
        self.flush(now)?;
        Ok(true)
    }

    /// Writes what there is room for.
    pub(super) fn flush(&mut self, now: Instant) -> Result<(), Gone> {
        match self.try_flush() {
            // The last frame is not held in memory for it.
            Ok(()) => (self.rest, self.behind_since) = (Bytes::new(), None),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.behind_since = self.behind_since.or(Some(now));
            }
            Err(_) => return Err(Gone),
        }
        Ok(())
    }

    fn try_flush(&mut self) -> io::Result<()> {
        while !self.rest.is_empty() {
            match self.socket.write(&self.rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.rest.advance(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.socket.flush()
    }
}
