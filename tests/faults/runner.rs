//! Runs scenarios: how often, how long, with which seeds; and keeps what came of it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::checker::Tally;
use crate::queues;
use crate::scenarios::Scenario;
use crate::world::{Terms, World};

/// One scenario under way.
pub(crate) struct Runner {
    /// Rounds that are wanted.
    count: u64,
    /// The seed of the first round; each next one has the next.
    seed: u64,
    deadline: Instant,
    pub(crate) tally: Tally,
    done: u64,
    /// Why rounds were left out.
    pub(crate) skipped: Option<String>,
}

/// What came of a scenario.
pub(crate) struct Outcome {
    pub(crate) scenario: &'static Scenario,
    pub(crate) done: u64,
    pub(crate) tally: Tally,
    pub(crate) took: Duration,
    pub(crate) skipped: Option<String>,
    /// Each ends a run of rounds.
    pub(crate) failed: Vec<anyhow::Error>,
}

impl Outcome {
    /// This and more of the same scenario.
    pub(crate) fn and(mut self, more: Self) -> Self {
        self.done += more.done;
        self.tally.add(more.tally);
        self.took += more.took;
        self.skipped = self.skipped.or(more.skipped);
        self.failed.extend(more.failed);
        self
    }
}

/// Runs one scenario within its time.
pub(crate) fn run(scenario: &'static Scenario, count: u64, seed: u64, time: Duration) -> Outcome {
    let begun = Instant::now();
    let mut runner = Runner { count, seed, deadline: begun + time, tally: Tally::default(), done: 0, skipped: None };
    let failed = (scenario.run)(&mut runner).err().into_iter().collect();
    let Runner { done, tally, skipped, .. } = runner;
    Outcome { scenario, done, tally, took: begun.elapsed(), skipped, failed }
}

impl Runner {
    /// Runs rounds in a world until there are enough of them or the time is over.
    pub(crate) fn rounds(
        &mut self,
        terms: &Terms,
        mut round: impl FnMut(&mut World, u64) -> Result<Tally>,
    ) -> Result<()> {
        let mut world = World::start(terms).context("the world does not start")?;
        self.repeat(|seed| round(&mut world, seed))?;
        queues::ensure_empty(&world)
    }

    /// The same, for one of several worlds among which the rounds are shared out.
    pub(crate) fn rounds_of(
        &mut self,
        worlds: usize,
        terms: &Terms,
        round: impl FnMut(&mut World, u64) -> Result<Tally>,
    ) -> Result<()> {
        let all = self.count;
        self.count = all.min(self.done + all.div_ceil(worlds as u64));
        let result = self.rounds(terms, round);
        self.count = all;
        result
    }

    /// The same without a world.
    pub(crate) fn repeat(&mut self, mut round: impl FnMut(u64) -> Result<Tally>) -> Result<()> {
        while self.done < self.count && Instant::now() < self.deadline {
            let seed = self.seed.wrapping_add(self.done);
            let tally = round(seed).with_context(|| format!("round {} with FAULT_SEED={seed}", self.done + 1))?;
            self.tally.add(tally);
            self.done += 1;
        }
        Ok(())
    }

    /// All of them in one go, by something that gets their number and the seed.
    pub(crate) fn all_at_once(&mut self, round: impl FnOnce(u64, u64) -> Result<Tally>) -> Result<()> {
        let tally = round(self.count, self.seed).with_context(|| format!("with FAULT_SEED={}", self.seed))?;
        self.tally.add(tally);
        self.done = self.count;
        Ok(())
    }

    /// Leaves the rest out, and reports the reason.
    pub(crate) fn skip(&mut self, why: impl Into<String>) {
        self.skipped = Some(why.into());
    }

    pub(crate) const fn count(&self) -> u64 {
        self.count
    }
}
