//! The simulations of the console: one at a time, or they would measure each other; the last few are remembered.

mod ground;
mod outcome;
mod record;
mod watch;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use flash_gateway::{Busy, Simulated};
use tokio::sync::watch as signal;

pub(super) use self::ground::Ground;
use self::record::Record;
use crate::clock::now_ms;
use crate::{buyers, runtime};

/// Simulations that are remembered, with the one that runs.
const SIMULATIONS_KEPT: usize = 8;

/// All of them.
#[derive(Debug)]
pub(super) struct Simulations {
    ground: Ground,
    kept: Mutex<VecDeque<Simulation>>,
}

#[derive(Debug)]
struct Simulation {
    id: u64,
    record: Arc<Record>,
    stop: signal::Sender<bool>,
}

/// Says that a simulation is over, however it ended.
struct Ends(Arc<Record>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Simulations {
    pub(super) fn on(ground: Ground) -> Self {
        Self { ground, kept: Mutex::default() }
    }

    /// Begins one, on a thread of its own, and gives its id.
    ///
    /// # Errors
    /// When another one runs.
    pub(super) fn begin(&self, wanted: Simulated) -> Result<String, Busy> {
        let mut kept = self.kept();
        if let Some(running) = kept.iter().find(|simulation| simulation.record.is_running()) {
            return Err(Busy(running.id.to_string()));
        }
        let seed = wanted.seed.unwrap_or_else(|| rand::random::<u32>().into());
        let id = now_ms().max(kept.back().map_or(0, |last| last.id + 1));
        let record = Arc::new(Record::new(id, &wanted, seed));
        let (stop, stopped) = signal::channel(false);
        let (ground, ends) = (self.ground.clone(), Ends(record.clone()));
        let begun = thread::Builder::new().name(buyers::THREAD.to_owned()).spawn(move || {
            let Ends(record) = &ends;
            runtime::block_on(ground.simulate(&wanted, seed, record, stopped))
        });
        if let Err(error) = begun {
            record.log("", format!("cannot start: {error}"));
        }
        if kept.len() == SIMULATIONS_KEPT {
            kept.pop_front();
        }
        kept.push_back(Simulation { id, record, stop });
        Ok(id.to_string())
    }

    /// Whether one runs.
    pub(super) fn is_running(&self) -> bool {
        self.kept().iter().any(|simulation| simulation.record.is_running())
    }

    /// The current state of one, as JSON.
    pub(super) fn show(&self, id: &str) -> Option<String> {
        let record = self.kept().iter().find(|simulation| simulation.id.to_string() == id)?.record.clone();
        Some(record.json())
    }

    /// Stops one, if it is not over. False: there is none of this id.
    pub(super) fn stop(&self, id: &str) -> bool {
        let kept = self.kept();
        let simulation = kept.iter().find(|simulation| simulation.id.to_string() == id);
        simulation.is_some_and(|simulation| {
            simulation.stop.send_replace(true);
            true
        })
    }

    /// Stops whatever runs.
    pub(super) fn stop_all(&self) {
        for simulation in self.kept().iter() {
            simulation.stop.send_replace(true);
        }
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Simulation>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
