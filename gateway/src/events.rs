//! Live stock for whoever watches: server-sent events, on a thread of their own.
//!
//! A watcher's connection leaves the thread that took it as soon as it has asked (`http/events.rs`), and is a bare socket
//! here: one look at a sale, one encoding of what changed, and one `write` for each watcher. There is no task and no buffer
//! for any of them. The thread rests three times as long as a round took, and gives way to those that sell.

mod frame;
mod room;
mod watcher;

use std::collections::HashMap;
use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use flash_client::{Call, Client};
use flash_worker::{Phase, reached};
use rustix::process::setpriority_process;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep_until};

use self::room::Room;
use self::watcher::Watcher;
use crate::crowd::{Crowd, Seat};
use crate::limits::{FRAME_EVERY_MS, NEWCOMERS_MAX, WATCHERS_MAX};

/// How much longer than a round the rest behind it is, at least: watchers take a quarter of one core at most.
const REST_PER_ROUND: u32 = 3;
/// How the kernel ranks the thread, beside 0 for those that sell. (19 is the lowest.)
const NICENESS: i32 = 10;

/// A socket that hyper has let go of. It does not block. What it takes it may keep until it is flushed.
pub(crate) type Socket = Box<dyn Write + Send>;

/// A place among the watchers, until the last of its clones is dropped.
pub(crate) type Place = Arc<(OwnedSemaphorePermit, Seat)>;

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// There are [`WATCHERS_MAX`].
    Full,
    /// The address has as many as it may have.
    TooMany,
}

/// Takes watchers from the threads that serve HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    newcomers: mpsc::Sender<Newcomer>,
    places: Arc<Semaphore>,
    crowd: Crowd,
}

impl Events {
    /// A place for one more watcher at this address.
    pub(crate) fn place(&self, from: IpAddr) -> Result<Place, NoPlace> {
        let seat = self.crowd.enter(from).ok_or(NoPlace::TooMany)?;
        let permit = self.places.clone().try_acquire_owned().map_err(|_| NoPlace::Full)?;
        Ok(Arc::new((permit, seat)))
    }

    /// Hands a watcher over. A gateway that stops has no thread for watchers any more: then the connection is closed.
    pub(crate) async fn take(&self, newcomer: Newcomer) {
        let _ = self.newcomers.send(newcomer).await;
    }
}

/// Who comes to watch a sale.
pub(crate) struct Newcomer {
    pub(crate) sale: String,
    pub(crate) socket: Socket,
    pub(crate) place: Place,
}

/// The two ends of the way to the watchers' thread. `crowd` counts the watchers of each address.
pub(crate) fn handle(crowd: Crowd) -> (Events, mpsc::Receiver<Newcomer>) {
    let (newcomers, receiver) = mpsc::channel(NEWCOMERS_MAX);
    (Events { newcomers, places: Arc::new(Semaphore::new(WATCHERS_MAX)), crowd }, receiver)
}

/// The watchers' thread.
pub(crate) struct Rooms {
    redis: Client,
    newcomers: mpsc::Receiver<Newcomer>,
    /// The watchers of each sale that is watched.
    rooms: HashMap<String, Room>,
}

impl Rooms {
    /// Nobody watches yet.
    pub(crate) fn new(redis: Client, newcomers: mpsc::Receiver<Newcomer>) -> Self {
        Self { redis, newcomers, rooms: HashMap::new() }
    }

    /// Serves watchers until the gateway drains: then their connections are closed, and they come back elsewhere.
    pub(crate) async fn run(mut self, mut phase: watch::Receiver<Phase>) {
        // On Linux this is the thread's own rank. Where it may not be changed, the rests alone must do.
        let _ = setpriority_process(Some(rustix::thread::gettid()), NICENESS);
        tokio::select! {
            () = self.serve() => {}
            () = reached(&mut phase, Phase::Draining) => {}
        }
    }

    /// Does not end while the gateway runs.
    async fn serve(&mut self) {
        let mut next = Instant::now();
        loop {
            tokio::select! {
                newcomer = self.newcomers.recv() => match newcomer {
                    Some(newcomer) => self.let_in(newcomer),
                    None => return,
                },
                () = sleep_until(next), if !self.rooms.is_empty() => {
                    let start = Instant::now();
                    self.round().await;
                    let rest = start.elapsed() * (REST_PER_ROUND + 1);
                    next = start + rest.max(Duration::from_millis(FRAME_EVERY_MS));
                }
            }
        }
    }

    fn let_in(&mut self, newcomer: Newcomer) {
        let room = self.rooms.entry(newcomer.sale).or_default();
        room.let_in(Watcher::new(newcomer.socket, newcomer.place, Instant::now()), Instant::now());
    }

    /// Looks at every sale that is watched, and tells its watchers.
    async fn round(&mut self) {
        let sales: Vec<String> = self.rooms.keys().cloned().collect();
        let calls = sales.iter().map(|sale| Call::sale_status(sale)).collect();
        let outcomes = self.redis.calls(calls).await;
        let now = Instant::now();
        for (sale, outcome) in sales.iter().zip(outcomes) {
            let Some(room) = self.rooms.get_mut(sale) else { continue };
            // Without an answer nothing is known to have changed.
            if let Ok(Ok(status)) = outcome {
                room.learn(sale, &status);
            }
            room.tell(now);
        }
        self.rooms.retain(|_, room| !room.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_only_so_many_watchers() {
        let (events, _newcomers) = handle(Crowd::new(0));
        let from = [127, 0, 0, 1].into();
        let mut places: Vec<Place> = std::iter::from_fn(|| events.place(from).ok()).take(WATCHERS_MAX + 1).collect();
        assert_eq!(places.len(), WATCHERS_MAX);
        assert_eq!(events.place(from).err(), Some(NoPlace::Full));
        places.pop();
        assert!(events.place(from).is_ok(), "one that leaves makes room");
    }

    #[test]
    fn one_address_holds_only_so_many_places() {
        let (events, _newcomers) = handle(Crowd::new(2));
        let places = [(); 3].map(|()| events.place([192, 0, 2, 1].into()));
        assert!(places[1].is_ok() && places[2].as_ref().err() == Some(&NoPlace::TooMany));
        assert!(events.place([192, 0, 2, 2].into()).is_ok());
    }
}
