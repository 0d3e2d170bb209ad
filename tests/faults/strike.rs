//! What a fault has at hand: the world, chance, and the schedule that it writes as it goes.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::checker::Excuses;
use crate::eyes::Eyes;
use crate::world::World;

/// Prints schedules as they go, not only those of violations.
const SHOW: &str = "FAULT_SHOW";

/// Faults being done to a world.
pub(crate) struct Strike<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) random: StdRng,
    pub(crate) excuses: Excuses,
    /// The ids of the round's sales.
    pub(crate) sales: Vec<String>,
    /// Times count from here: the load began then.
    begun: Instant,
    schedule: Vec<String>,
}

impl<'a> Strike<'a> {
    pub(crate) fn new(world: &'a mut World, seed: u64, begun: Instant, sales: Vec<String>) -> Self {
        let random = StdRng::seed_from_u64(seed ^ 0xfa17);
        Self { world, random, excuses: Excuses::default(), sales, begun, schedule: Vec::new() }
    }

    /// Writes down what is done now.
    pub(crate) fn note(&mut self, what: impl AsRef<str>) {
        let line = format!("{:>6} ms  {}", self.begun.elapsed().as_millis(), what.as_ref());
        if std::env::var_os(SHOW).is_some() {
            eprintln!("    {line}");
        }
        self.schedule.push(line);
    }

    /// Since the load began.
    pub(crate) fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Lets a fault last.
    pub(crate) fn last(&self, time: Duration) {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            thread::park_timeout(left);
        }
    }

    /// So many milliseconds, by chance.
    pub(crate) fn ms(&mut self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.random.random_range(range))
    }

    pub(crate) fn eyes(&self) -> Result<Eyes> {
        Eyes::new(&self.world.background.handle, self.world.servers.urls())
    }

    pub(crate) fn into_parts(self) -> (Vec<String>, Excuses) {
        (self.schedule, self.excuses)
    }
}
