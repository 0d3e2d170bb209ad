//! A room with sockets that take as much as a test lets them.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use flash_wire::SkuStatus;
use tokio::sync::Semaphore;

use super::*;
use crate::crowd::Crowd;
use crate::limits::{WATCHER_AGE_JITTER_MS, WATCHER_AGE_MS_MAX};

/// A socket with room for so many bytes, and what was written to it.
#[derive(Clone, Default)]
struct Pipe(Arc<Mutex<(usize, Vec<u8>)>>);

impl Pipe {
    fn with_room(room: usize) -> Self {
        Self(Arc::new(Mutex::new((room, Vec::new()))))
    }

    fn make_room(&self, room: usize) {
        self.0.lock().unwrap().0 = room;
    }

    /// What was written since the last look, without the head.
    fn read(&self) -> String {
        let bytes = std::mem::take(&mut self.0.lock().unwrap().1);
        let text = String::from_utf8(bytes).unwrap();
        text.split_once("\r\n\r\n").map_or(text.clone(), |(_, body)| body.to_owned())
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut pipe = self.0.lock().unwrap();
        let taken = bytes.len().min(pipe.0);
        if taken == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        pipe.0 -= taken;
        pipe.1.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn enter(room: &mut Room, pipe: &Pipe, now: Instant) {
    let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let place = Arc::new((permit, Crowd::new(0).enter([127, 0, 0, 1].into()).unwrap()));
    room.let_in(Watcher::new(Box::new(pipe.clone()), place, now), None, now);
}

fn status(seq: u64, phase: &'static str) -> SaleStatus<'static> {
    SaleStatus {
        epoch: 1,
        seq,
        acked: 0,
        phase: phase.into(),
        limit: 1,
        hold_ms: None,
        opens_at_ms: None,
        closes_at_ms: None,
        journal_events: 0,
        journal_events_max: None,
        relay: None,
        lease_until_ms: None,
        is_closed: false,
        was_open: true,
        term: 0,
        instance: 1,
        reservations: 0,
        digest: 0,
        skus: vec![SkuStatus { name: "s".into(), total: 9, available: 9, held: 0, confirmed: 0 }],
    }
}

/// The ids of the events in what a watcher was sent.
fn ids(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("id: ")).collect()
}

#[tokio::test(start_paused = true)]
async fn each_watcher_gets_each_change_once() {
    let (mut room, now) = (Room::default(), Instant::now());
    let [early, late] = [(); 2].map(|()| Pipe::with_room(usize::MAX));
    enter(&mut room, &early, now);
    assert!(early.read().starts_with("retry: "), "before anything is known");
    room.learn("drop", &status(2, "open"));
    room.tell(now);
    enter(&mut room, &late, now);
    assert_eq!((ids(&early.read()), ids(&late.read())), (vec!["1-2"], vec!["1-2"]), "at once");
    room.learn("drop", &status(2, "open"));
    room.tell(now);
    assert_eq!((early.read(), late.read()), (String::new(), String::new()), "nothing is new");
    room.learn("drop", &status(2, "closed"));
    room.tell(now);
    assert_eq!(ids(&early.read()), ["1-2"], "the phase is news too");
}

#[tokio::test(start_paused = true)]
async fn a_slow_watcher_gets_the_newest_frames_and_only_complete_ones() {
    let (mut room, now) = (Room::default(), Instant::now());
    let slow = Pipe::with_room(usize::MAX);
    enter(&mut room, &slow, now);
    slow.read();
    slow.make_room(10);
    for seq in 2..6 {
        room.learn("drop", &status(seq, "open"));
        room.tell(now);
    }
    slow.make_room(usize::MAX);
    room.tell(now);
    let text = slow.read();
    assert_eq!(ids(&text), ["1-2", "1-5"]);
    assert_eq!(text.matches("\n\n").count(), 2, "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_room_where_nothing_happens_is_pinged() {
    let mut room = Room::default();
    let pipe = Pipe::with_room(usize::MAX);
    enter(&mut room, &pipe, Instant::now());
    room.learn("drop", &status(2, "open"));
    room.tell(Instant::now());
    pipe.read();
    tokio::time::advance(Duration::from_millis(PING_EVERY_MS - 1)).await;
    room.tell(Instant::now());
    assert_eq!(pipe.read(), "");
    tokio::time::advance(Duration::from_millis(1)).await;
    room.tell(Instant::now());
    room.tell(Instant::now());
    assert_eq!(pipe.read(), ":\n\n");
}

#[tokio::test(start_paused = true)]
async fn who_reads_nothing_for_long_is_let_go() {
    let mut room = Room::default();
    let pipe = Pipe::with_room(usize::MAX);
    enter(&mut room, &pipe, Instant::now());
    pipe.make_room(0);
    room.learn("drop", &status(2, "open"));
    room.tell(Instant::now());
    tokio::time::advance(Duration::from_millis(WATCHER_STALL_MS - 1)).await;
    room.tell(Instant::now());
    assert!(!room.is_empty());
    tokio::time::advance(Duration::from_millis(1)).await;
    room.tell(Instant::now());
    assert!(room.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_at_its_age_and_not_within_an_event() {
    let mut room = Room::default();
    let [pipe, slow] = [(); 2].map(|()| Pipe::with_room(usize::MAX));
    for pipe in [&pipe, &slow] {
        enter(&mut room, pipe, Instant::now());
    }
    tokio::time::advance(Duration::from_millis(WATCHER_AGE_MS_MAX - WATCHER_AGE_JITTER_MS - 1)).await;
    room.tell(Instant::now());
    assert_eq!(room.watchers.len(), 2);
    tokio::time::advance(Duration::from_millis(WATCHER_AGE_JITTER_MS + 1)).await;
    slow.make_room(3);
    room.learn("drop", &status(2, "open"));
    room.tell(Instant::now());
    assert_eq!(room.watchers.len(), 1, "one has not taken all of its event");
    slow.make_room(usize::MAX);
    room.tell(Instant::now());
    assert!(room.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_sale_is_the_last_event() {
    let (mut room, now) = (Room::default(), Instant::now());
    let pipe = Pipe::with_room(usize::MAX);
    enter(&mut room, &pipe, now);
    room.learn("drop", &status(2, "ended"));
    room.tell(now);
    assert!(pipe.read().contains("\"phase\":\"ended\"") && room.is_empty());
}
