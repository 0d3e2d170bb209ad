//! A million random calls against the oracle: the same decisions, the same numbers. A failure prints its seed; set
//! `THROTTLE_SEED` to it to see it again.

use std::num::NonZeroU64;

use flash_throttle::limits::{DAY_MS, EXPIRY_SLACK_MS, PERIOD_MS_MAX, TIME_MS_MAX, UNITS_MAX};
use flash_throttle::{
    BucketTerms, BurstTerms, DailyTerms, Decision, OffsetChange, Taken, Terms, Throttle, WindowTerms,
};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::oracle::Oracle;

const CALLS: u32 = 1_000_000;
const CALLS_PER_LIFE: u32 = 500;

fn seed() -> u64 {
    std::env::var("THROTTLE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random)
}

/// Small numbers show most, as they meet at the edges; the largest show what overflows.
fn units(rng: &mut SmallRng) -> u64 {
    match rng.random_range(0..20) {
        0 => UNITS_MAX,
        1 => rng.random_range(1..=UNITS_MAX),
        2 => rng.random_range(1..=2),
        _ => rng.random_range(1..=30),
    }
}

fn period_ms(rng: &mut SmallRng) -> u64 {
    match rng.random_range(0..20) {
        0 => PERIOD_MS_MAX,
        1 => rng.random_range(1..=PERIOD_MS_MAX),
        2 => 1,
        _ => rng.random_range(1..=300),
    }
}

/// A change of a zone's clock within some days of now.
fn change(rng: &mut SmallRng, now_ms: u64) -> Option<OffsetChange> {
    let at_ms =
        now_ms.saturating_add_signed(rng.random_range(-3..=3) * DAY_MS.cast_signed() / 2 + rng.random_range(-9..=9));
    let offset_minutes = rng.random_range(-720..=840);
    NonZeroU64::new(at_ms).filter(|_| rng.random_ratio(2, 3)).map(|at_ms| OffsetChange { at_ms, offset_minutes })
}

fn terms(rng: &mut SmallRng, now_ms: u64) -> Terms {
    loop {
        let (limit, window_ms) = (units(rng), period_ms(rng));
        let terms = match rng.random_range(0..5) {
            0 => Terms::Bucket(BucketTerms { rate: limit, period_ms: window_ms, burst: units(rng) }),
            1 => Terms::Burst(BurstTerms { limit, window_ms, extra: units(rng), period_ms: period_ms(rng) }),
            2 => Terms::Strict(WindowTerms { limit, window_ms }),
            3 => Terms::Sliding(WindowTerms { limit, window_ms }),
            _ => Terms::Daily(DailyTerms {
                limit,
                offset_minutes: rng.random_range(-720..=840),
                change: change(rng, now_ms),
            }),
        };
        if let Ok(terms) = terms.check() {
            return terms;
        }
    }
}

/// How far the clock moves between two calls: mostly a little, sometimes to the far side of a window, sometimes back.
fn step_ms(rng: &mut SmallRng, terms: Terms) -> i64 {
    let span_ms = match terms {
        Terms::Bucket(terms) => terms.period_ms,
        Terms::Burst(terms) => terms.period_ms,
        Terms::Strict(terms) | Terms::Sliding(terms) => terms.window_ms,
        Terms::Daily(_) => DAY_MS,
    };
    let span_ms = span_ms.cast_signed();
    match rng.random_range(0..20) {
        0 => -rng.random_range(0..=span_ms),
        1 => span_ms,
        2 | 3 => rng.random_range(0..=2 * span_ms),
        4..8 => 0,
        _ => rng.random_range(0..=span_ms / 8 + 1),
    }
}

/// A rate limit, the oracle beside it, and a replica that only ever sees bytes.
struct World {
    throttle: Throttle,
    oracle: Oracle,
    replica: Option<Throttle>,
    now_ms: u64,
}

impl World {
    fn new(terms: Terms, now_ms: u64) -> Self {
        Self { throttle: Throttle::new(&terms), oracle: Oracle::new(terms), replica: None, now_ms }
    }

    fn call(&mut self, terms: Terms, cost: u64) {
        let allowed = cost <= self.oracle.remaining(terms, self.now_ms);
        match self.throttle.decide(&terms, cost, self.now_ms) {
            Decision::Peeked => assert_eq!(cost, 0),
            Decision::Taken(taken) => {
                assert!(allowed && cost > 0, "{taken:?}");
                self.happen(taken);
            }
            Decision::Refused { retry_after_ms } => {
                assert!(!allowed);
                let allowed_at = |now_ms| cost <= self.oracle.remaining(terms, now_ms);
                assert!(allowed_at(self.now_ms + retry_after_ms), "refused still after {retry_after_ms} ms");
                assert!(!allowed_at(self.now_ms + retry_after_ms - 1), "allowed before {retry_after_ms} ms");
            }
        }
        self.check(terms);
    }

    fn happen(&mut self, taken: Taken) {
        self.throttle.apply(&taken);
        self.oracle.take(taken.terms, self.now_ms, taken.units);
        self.oracle.prune(self.now_ms);
        let mut bytes = Vec::new();
        taken.encode(&mut bytes);
        let decoded = Taken::decode(&bytes).expect("what was encoded decodes");
        assert_eq!(decoded, taken);
        self.replica.get_or_insert_with(|| Throttle::new(&decoded.terms)).apply(&decoded);
        let reset_at_ms = taken.at_ms + self.throttle.standing(&taken.terms, taken.at_ms).reset_ms;
        let after = |slack_ms: u64| (reset_at_ms + slack_ms).min(TIME_MS_MAX);
        let expires_at_ms = self.throttle.expires_at_ms();
        assert!((after(EXPIRY_SLACK_MS)..=after(2 * EXPIRY_SLACK_MS)).contains(&expires_at_ms), "{expires_at_ms}");
    }

    fn check(&self, terms: Terms) {
        let standing = self.throttle.standing(&terms, self.now_ms);
        assert_eq!(standing.limit, terms.limit());
        assert_eq!(standing.remaining, self.oracle.remaining(terms, self.now_ms));
        assert_eq!(self.oracle.used(self.now_ms + standing.reset_ms), 0, "{standing:?}");
        if standing.reset_ms > 0 {
            assert!(self.oracle.used(self.now_ms + standing.reset_ms - 1) > 0, "{standing:?}");
        }
    }

    /// What the replica knows is what there is, and so is what a snapshot says.
    fn end(self) {
        let saved = self.throttle.save();
        if let Some(replica) = self.replica {
            assert_eq!(replica.save(), saved);
            assert_eq!(Throttle::load(&saved).as_ref(), Ok(&self.throttle));
        }
    }
}

#[test]
fn a_rate_limit_decides_as_a_log_of_everything_would() {
    let seed = seed();
    println!("THROTTLE_SEED={seed}");
    let rng = &mut SmallRng::seed_from_u64(seed);
    for _ in 0..CALLS / CALLS_PER_LIFE {
        let start_ms = rng.random_range(1..=2_000_000_000_000);
        let mut current = terms(rng, start_ms);
        let mut world = World::new(current, start_ms);
        for _ in 0..CALLS_PER_LIFE {
            if rng.random_ratio(1, 100) {
                current = terms(rng, world.now_ms);
            }
            world.now_ms = world.now_ms.saturating_add_signed(step_ms(rng, current)).max(1);
            let cost = match rng.random_range(0..10) {
                0 => 0,
                1 => rng.random_range(0..=current.limit()),
                _ => rng.random_range(1..=current.limit().min(5)),
            };
            world.call(current, cost);
        }
        world.end();
    }
}
