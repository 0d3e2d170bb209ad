//! The watchers of one sale.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use flash_wire::SaleStatus;
use hyper::header::HeaderValue;
use tokio::time::Instant;

use super::frame::{self, PING};
use super::watcher::{Gone, Watcher};
use crate::limits::{PING_EVERY_MS, RETRY_MS_MAX, RETRY_MS_MIN, WATCHER_STALL_MS};

/// A sale, and who watches it. All of them are given the same bytes.
#[derive(Default)]
pub(super) struct Room {
    watchers: Vec<Watcher>,
    /// The newest frame, once there is one.
    frame: Bytes,
    /// Its number, from 1: a watcher that was behind gets the newest and not those between.
    number: u64,
    /// What it shows.
    shows: Option<FrameKey>,
    /// When everyone was sent something last.
    sent: Option<Instant>,
}

/// What makes a frame another one.
#[derive(Debug, PartialEq, Eq)]
struct FrameKey {
    epoch: u64,
    seq: u64,
    phase: String,
}

impl Room {
    pub(super) fn is_empty(&self) -> bool {
        self.watchers.is_empty()
    }

    /// Lets a watcher in: it gets the newest state at once.
    pub(super) fn let_in(&mut self, mut watcher: Watcher, origin: Option<&HeaderValue>, now: Instant) {
        // Those who are sent away together do not come back together.
        let head = frame::head(SystemTime::now(), origin, rand::random_range(RETRY_MS_MIN..=RETRY_MS_MAX));
        if watcher.offer(&head, now).is_ok() && self.catch_up(&mut watcher, now).is_ok() {
            self.watchers.push(watcher);
        }
    }

    /// Encodes what is new.
    pub(super) fn learn(&mut self, sale: &str, status: &SaleStatus) {
        let shown = FrameKey { epoch: status.epoch, seq: status.seq, phase: status.phase.clone().into_owned() };
        if self.shows.as_ref() == Some(&shown) {
            return;
        }
        (self.frame, self.number, self.shows) = (frame::stock(sale, status), self.number + 1, Some(shown));
    }

    /// Tells everyone what is new; where nothing is new for long, that the connection lives. After the end of the sale
    /// there is nothing to watch.
    pub(super) fn tell(&mut self, now: Instant) {
        let mut watchers = std::mem::take(&mut self.watchers);
        let is_new = watchers.iter().any(|watcher| watcher.has < self.number);
        let pings = !is_new && self.sent.is_some_and(|sent| now - sent >= Duration::from_millis(PING_EVERY_MS));
        if is_new || pings || self.sent.is_none() {
            self.sent = Some(now);
        }
        watchers.retain_mut(|watcher| {
            let told = if pings { watcher.offer(&PING, now).map(drop) } else { self.catch_up(watcher, now) };
            told.is_ok() && !is_stalled(watcher, now) && !watcher.is_old(now)
        });
        if self.shows.as_ref().is_none_or(|shown| shown.phase != "ended") {
            self.watchers = watchers;
        }
    }

    fn catch_up(&self, watcher: &mut Watcher, now: Instant) -> Result<(), Gone> {
        if watcher.has == self.number {
            return watcher.flush(now);
        }
        if watcher.offer(&self.frame, now)? {
            watcher.has = self.number;
        }
        Ok(())
    }
}

fn is_stalled(watcher: &Watcher, now: Instant) -> bool {
    watcher.behind_since().is_some_and(|since| now - since >= Duration::from_millis(WATCHER_STALL_MS))
}

#[cfg(test)]
mod tests;
