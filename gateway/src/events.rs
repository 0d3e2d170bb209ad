//! Live stock for watchers: server-sent events, on a thread of their own.
//!
//! A watcher's connection leaves the thread that took it as soon as it has asked (`http/events.rs`), and is a bare
//! socket here: one look at a sale, one encoding of what changed, and one `write` for each watcher. There is no task
//! and no buffer for any of them. The thread rests three times as long as a round took, and gives way to those that
//! sell.

mod frame;
mod places;
mod room;
mod watcher;

use std::collections::HashMap;
use std::time::Duration;

use flash_client::{Call, Client};
use flash_worker::{Phase, reached};
use rustix::process::setpriority_process;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

pub(crate) use self::places::{Events, Newcomer, NoPlace, Place, Socket, handle};
use self::room::Room;
use self::watcher::Watcher;
use crate::limits::FRAME_EVERY_MS;

/// How much longer than a round the rest after it is, at least: watchers take a quarter of one core at most.
const REST_PER_ROUND: u32 = 3;
/// How the kernel ranks the thread, beside 0 for those that sell. (19 is the lowest.)
const NICENESS: i32 = 10;

/// The watchers' thread.
pub(crate) struct Rooms {
    redis: Client,
    newcomers: mpsc::Receiver<Newcomer>,
    /// The watchers of each sale that is watched.
    rooms: HashMap<String, Room>,
}

impl Rooms {
    /// No watcher yet.
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
        room.let_in(
            Watcher::new(newcomer.socket, newcomer.place, Instant::now()),
            newcomer.origin.as_ref(),
            Instant::now(),
        );
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
