//! Scenarios side by side: a round mostly waits, so two of them hardly slow each other down.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::args::Args;
use crate::report;
use crate::runner::{self, Outcome};
use crate::scenarios::Scenario;

/// About how long a world takes to start.
const WORLD_MS: u64 = 8_000;

/// A scenario, or some of its rounds.
struct Piece {
    scenario: &'static Scenario,
    count: u64,
    /// Of its first round.
    seed: u64,
}

/// What is still to be run.
struct Queue<'a> {
    args: &'a Args,
    end: Instant,
    left: Mutex<Vec<Piece>>,
}

/// Runs scenarios within the time that there is; what came of them, in their order.
pub(crate) fn run(args: &Args, scenarios: &[&'static Scenario]) -> Vec<Outcome> {
    let mut left = pieces(args, scenarios);
    // The longest first, so that the lanes end together.
    left.sort_by_key(Piece::work_ms);
    let end = Instant::now() + Duration::from_secs(args.minutes * 60);
    let queue = Queue { args, end, left: Mutex::new(left) };
    let mut outcomes: Vec<Outcome> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..args.lanes).map(|_| scope.spawn(|| queue.run_lane())).collect();
        lanes.into_iter().flat_map(|lane| lane.join().expect("a lane does not panic")).collect()
    });
    let mut whole =
        |scenario| outcomes.extract_if(.., |piece| std::ptr::eq(piece.scenario, scenario)).reduce(Outcome::and);
    scenarios.iter().filter_map(|scenario| whole(*scenario)).collect()
}

/// What alone would last longer than all lanes together have to is cut into pieces for several of them.
fn pieces(args: &Args, scenarios: &[&'static Scenario]) -> Vec<Piece> {
    let seed = args.seed();
    let whole = scenarios.iter().map(|scenario| Piece { scenario, count: args.count(scenario), seed });
    let whole: Vec<Piece> = whole.collect();
    let fair_ms = whole.iter().map(Piece::work_ms).sum::<u64>().div_ceil(args.lanes.into());
    whole.into_iter().flat_map(|piece| piece.cut(fair_ms)).collect()
}

impl Piece {
    /// About how long it takes, its world included.
    fn work_ms(&self) -> u64 {
        WORLD_MS + self.count * self.scenario.round_ms
    }

    fn cut(self, longest_ms: u64) -> impl Iterator<Item = Self> {
        let pieces = self.work_ms().div_ceil(longest_ms).clamp(1, self.count.max(1));
        let before = move |piece| self.count * piece / pieces;
        (0..pieces).map(move |piece| Self {
            scenario: self.scenario,
            count: before(piece + 1) - before(piece),
            seed: self.seed.wrapping_add(before(piece)),
        })
    }
}

impl Queue<'_> {
    fn run_lane(&self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        while let Some((piece, time)) = self.next() {
            outcomes.push(self.run_one(&piece, time));
        }
        outcomes
    }

    /// The next piece, and its time: what one leaves of its own is for those after it.
    fn next(&self) -> Option<(Piece, Duration)> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted: u64 = left.iter().map(Piece::work_ms).sum();
        let piece = left.pop()?;
        let time = self.end.saturating_duration_since(Instant::now());
        let share = piece.work_ms() as f64 * f64::from(self.args.lanes) / wanted as f64;
        Some((piece, time.mul_f64(share.min(1.0))))
    }

    fn run_one(&self, piece: &Piece, time: Duration) -> Outcome {
        let Piece { scenario, count, seed } = *piece;
        eprintln!("{} {}: {count}, from FAULT_SEED={seed}", scenario.number, scenario.name);
        let outcome = runner::run(scenario, count, seed, time);
        eprintln!("{}", report::line(&outcome, count));
        for failed in &outcome.failed {
            eprintln!("VIOLATION in {} {}\n{failed:#}", scenario.number, scenario.name);
            eprintln!("repeat it with {}", self.args.repeat(scenario, failed));
        }
        outcome
    }
}
