//! Measures the parts of a pipeline while it works.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use flash_servers::usage;

/// Between two looks at a pipeline.
const POLL_MS: u64 = 20;
/// A pipeline in which nothing moves for so long is stuck.
const STALL_S: u64 = 60;

/// What one part took.
#[derive(Debug, Clone)]
pub struct Took {
    /// Its name.
    pub part: &'static str,
    /// On all cores.
    pub cpu: Duration,
    /// The most that one of its processes ever had.
    pub peak_bytes: u64,
}

/// The memory of a part over time: the most that it had in each half of it.
#[derive(Debug, Clone)]
pub struct Memory {
    /// Its name.
    pub part: &'static str,
    /// In the first and the second half.
    pub halves_bytes: [u64; 2],
}

/// Parts by their root processes.
pub struct Meter {
    parts: Vec<(&'static str, u32, Duration)>,
    begin: Instant,
    samples: Vec<Vec<u64>>,
}

impl Meter {
    /// Begins to measure parts, those that there are.
    pub fn start(parts: &[(&'static str, Option<u32>)]) -> Self {
        let root = |&(part, pid): &(&'static str, Option<u32>)| pid.map(|pid| (part, pid, usage::cpu(pid)));
        Self { parts: parts.iter().filter_map(root).collect(), begin: Instant::now(), samples: Vec::new() }
    }

    /// Looks again and again, until nothing is left.
    ///
    /// # Errors
    /// That of `left`; when nothing moves any more.
    pub fn until(&mut self, mut left: impl FnMut() -> anyhow::Result<u64>) -> anyhow::Result<()> {
        let (mut least, mut moved) = (u64::MAX, Instant::now());
        loop {
            let left = left()?;
            if left == 0 {
                return Ok(());
            }
            if left < least {
                (least, moved) = (left, Instant::now());
            }
            ensure!(moved.elapsed() < Duration::from_secs(STALL_S), "{least} events are left, for {STALL_S} s now");
            self.samples.push(self.parts.iter().map(|(_, pid, _)| usage::resident_bytes(*pid)).collect());
            thread::sleep(Duration::from_millis(POLL_MS));
        }
    }

    /// Since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    /// What each part took since the beginning.
    pub fn took(&self) -> Vec<Took> {
        let took = |(part, pid, before): &(&'static str, u32, Duration)| Took {
            part,
            cpu: usage::cpu(*pid).saturating_sub(*before),
            peak_bytes: usage::peak_bytes(*pid),
        };
        self.parts.iter().map(took).collect()
    }

    /// Of each part: what it had at most, before and after the middle.
    pub fn memory(&self) -> Vec<Memory> {
        let (first, second) = self.samples.split_at(self.samples.len() / 2);
        let most = |half: &[Vec<u64>], at: usize| half.iter().map(|sample| sample[at]).max().unwrap_or(0);
        let memory = |(at, (part, _, _)): (usize, &(&'static str, u32, Duration))| Memory {
            part,
            halves_bytes: [most(first, at), most(second, at)],
        };
        self.parts.iter().enumerate().map(memory).collect()
    }
}
