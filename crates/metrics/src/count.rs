//! Numbers that any thread may change at any time. Each is true by itself; no two are of the same moment.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Upper bounds for latencies, in seconds: from a local commit to a timeout.
pub const LATENCY_SECONDS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// Upper bounds for how many there are of something in a batch.
pub const SIZES: [f64; 12] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 10_000.0];

/// Only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// So many more.
    pub fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// How many so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Goes up and down. It is unknown until it is set, and unknown is not zero.
#[derive(Debug, Default)]
pub struct Gauge {
    one_more: AtomicU64,
}

impl Gauge {
    /// Unknown.
    #[must_use]
    pub const fn new() -> Self {
        Self { one_more: AtomicU64::new(0) }
    }

    /// It is this now.
    pub fn set(&self, value: u64) {
        self.one_more.store(value.saturating_add(1), Ordering::Relaxed);
    }

    /// Its value is unknown again.
    pub fn forget(&self) {
        self.one_more.store(0, Ordering::Relaxed);
    }

    /// What it was last, if that is known.
    #[must_use]
    pub fn get(&self) -> Option<u64> {
        self.one_more.load(Ordering::Relaxed).checked_sub(1)
    }
}

/// Says how long something is waited for already.
#[derive(Debug, Default)]
pub struct Stopwatch {
    /// By [`now_ms`]; zero while it is stopped.
    since_ms: AtomicU64,
}

impl Stopwatch {
    /// A stopped one.
    #[must_use]
    pub const fn new() -> Self {
        Self { since_ms: AtomicU64::new(0) }
    }

    /// Runs from zero, from now on.
    pub fn restart(&self) {
        self.since_ms.store(now_ms(), Ordering::Relaxed);
    }

    /// Runs from now on, unless it runs already.
    pub fn start(&self) {
        // Where it fails, it runs.
        let _ = self.since_ms.compare_exchange(0, now_ms(), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Stops.
    pub fn stop(&self) {
        self.since_ms.store(0, Ordering::Relaxed);
    }

    /// How long it has run; none while it is stopped.
    #[must_use]
    pub fn elapsed(&self) -> Option<Duration> {
        let since_ms = Some(self.since_ms.load(Ordering::Relaxed)).filter(|since_ms| *since_ms > 0)?;
        Some(Duration::from_millis(now_ms().saturating_sub(since_ms)))
    }
}

/// By a clock of this process that begins at 1.
fn now_ms() -> u64 {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(BEGIN.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
}

/// How often a value fell between bounds.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [f64; 12],
    /// One for each bound, and one beyond the last.
    counts: [AtomicU64; 13],
    /// In millionths, so that it can be added to without a lock.
    sum_millionths: AtomicU64,
}

impl Histogram {
    /// Nothing yet.
    #[must_use]
    pub const fn new(bounds: &'static [f64; 12]) -> Self {
        Self { bounds, counts: [const { AtomicU64::new(0) }; 13], sum_millionths: AtomicU64::new(0) }
    }

    /// Something took so long.
    pub fn took(&self, time: Duration) {
        self.note(time.as_secs_f64(), u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// There were so many of something.
    pub fn had(&self, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.note(count.into(), u64::from(count) * 1_000_000);
    }

    fn note(&self, value: f64, millionths: u64) {
        let at = self.bounds.iter().position(|bound| value <= *bound).unwrap_or(self.bounds.len());
        self.counts[at].fetch_add(1, Ordering::Relaxed);
        self.sum_millionths.fetch_add(millionths, Ordering::Relaxed);
    }

    /// The bounds, how many values are at most each, how many there are at all, and their sum.
    pub(crate) fn read(&self) -> (Vec<(f64, u64)>, u64, f64) {
        let mut so_far = 0;
        let mut add = |count: &AtomicU64| {
            so_far += count.load(Ordering::Relaxed);
            so_far
        };
        let counts: Vec<u64> = self.counts.iter().map(&mut add).collect();
        let below = self.bounds.iter().copied().zip(counts.iter().copied()).collect();
        let sum = Duration::from_micros(self.sum_millionths.load(Ordering::Relaxed)).as_secs_f64();
        (below, so_far, sum)
    }
}

#[cfg(test)]
mod tests {
    use std::thread::yield_now;

    use super::*;

    #[test]
    fn a_gauge_is_unknown_until_it_is_set_and_when_it_is_forgotten() {
        let gauge = Gauge::new();
        assert_eq!(gauge.get(), None);
        gauge.set(0);
        assert_eq!(gauge.get(), Some(0));
        gauge.forget();
        assert_eq!(gauge.get(), None);
    }

    #[test]
    fn a_stopwatch_runs_from_its_first_start_until_it_begins_anew_or_is_stopped() {
        let watch = Stopwatch::new();
        assert_eq!(watch.elapsed(), None);
        watch.start();
        let runs_for = |time| watch.elapsed().is_some_and(|elapsed| elapsed >= time);
        let time = Duration::from_millis(50);
        while !runs_for(time) {
            yield_now();
        }
        watch.start();
        assert!(runs_for(time), "it ran already");
        watch.stop();
        assert_eq!(watch.elapsed(), None);
        let before = now_ms();
        watch.restart();
        assert!(watch.since_ms.load(Ordering::Relaxed) >= before && watch.elapsed().is_some());
    }
}
