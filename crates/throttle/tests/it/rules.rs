//! The strategies by example.

use std::num::NonZeroU64;

use flash_sale::Mover;
use flash_throttle::limits::{CLOCK_LEAD_MS_MAX, DAY_MS};
use flash_throttle::{
    BucketTerms, BurstTerms, DailyTerms, Decision, NEVER, OffsetChange, Taken, Terms, Throttle, WindowTerms,
};

const HOUR_MS: u64 = 60 * 60 * 1000;
/// A midnight in UTC.
const START_MS: u64 = 20_000 * DAY_MS;

/// One call: the time after the start, the cost, and what comes of it: `allowed remaining retry_after reset`.
type Call<'a> = (u64, u64, &'a str);

fn call(throttle: &mut Throttle, terms: Terms, now_ms: u64, cost: u64) -> String {
    let (allowed, retry_after) = match throttle.decide(&terms, cost, now_ms) {
        Decision::Taken(taken) => {
            throttle.apply(&taken);
            (1, "-".to_owned())
        }
        Decision::Peeked => (1, "-".to_owned()),
        Decision::Refused { retry_after_ms } => (0, retry_after_ms.to_string()),
    };
    let standing = throttle.standing(&terms, now_ms);
    format!("{allowed} {} {retry_after} {}", standing.remaining, standing.reset_ms)
}

fn check(terms: Terms, calls: &[Call]) {
    let mut throttle = Throttle::new(&terms);
    for (after_ms, cost, want) in calls {
        assert_eq!(&call(&mut throttle, terms, START_MS + after_ms, *cost), want, "{cost} at {after_ms}");
    }
}

#[test]
fn a_bucket_gives_a_burst_at_once_and_then_the_rate() {
    let terms = Terms::Bucket(BucketTerms { rate: 10, period_ms: 1_000, burst: 3 });
    check(
        terms,
        &[
            (0, 0, "1 3 - 0"),
            (0, 1, "1 2 - 100"),
            (0, 2, "1 0 - 300"),
            (0, 1, "0 0 100 300"),
            (99, 1, "0 0 1 201"),
            (100, 1, "1 0 - 300"),
            (100, 3, "0 0 300 300"),
            (1_000, 3, "1 0 - 300"),
        ],
    );
}

#[test]
fn a_rate_that_a_millisecond_does_not_divide_is_kept_exactly() {
    // 7 in 3 seconds: a unit comes back every 428 and 4/7 ms.
    let bucket = |burst| Terms::Bucket(BucketTerms { rate: 7, period_ms: 3_000, burst });
    assert_eq!(greedy(bucket(1), 3_000_000), 6_994, "a full bucket loses 3/7 ms each time: 0, 429, 858, …");
    assert_eq!(greedy(bucket(2), 3_000_000), 7_001, "one with room loses nothing: two at once, and 6,999 and a part");
}

/// Asks for one unit at a time, in every millisecond of `span_ms` as long as it is given.
fn greedy(terms: Terms, span_ms: u64) -> u64 {
    let mut throttle = Throttle::new(&terms);
    let mut units = 0;
    for now_ms in START_MS..START_MS + span_ms {
        while let Decision::Taken(taken) = throttle.decide(&terms, 1, now_ms) {
            throttle.apply(&taken);
            units += 1;
        }
    }
    units
}

#[test]
fn thousands_a_second_are_limited_too() {
    let bucket = |rate, burst| Terms::Bucket(BucketTerms { rate, period_ms: 1_000, burst });
    assert_eq!(greedy(bucket(6_000, 6), 10_000), 60_000);
    assert_eq!(greedy(bucket(6_001, 50), 10_000), 60_053);
    assert_eq!(greedy(bucket(1_000_000, 1_000), 1_000), 1_000_000);
    let window = WindowTerms { limit: 1_000_000, window_ms: 1_000 };
    assert_eq!(greedy(Terms::Strict(window), 2_000), 2_000_000);
    assert_eq!(greedy(Terms::Sliding(window), 2_000), 2_000_000);
}

#[test]
fn a_burst_s_reserve_comes_back_whole_and_only_with_its_period() {
    let terms = Terms::Burst(BurstTerms { limit: 2, window_ms: 100, extra: 3, period_ms: 1_000 });
    check(
        terms,
        &[
            (0, 4, "1 1 - 1000"),
            (50, 2, "0 1 50 950"),
            (100, 4, "0 3 900 900"),
            (100, 3, "1 0 - 900"),
            (199, 1, "0 0 1 801"),
            (200, 2, "1 0 - 800"),
            (900, 0, "1 2 - 100"),
            (1_000, 5, "1 0 - 1000"),
        ],
    );
}

#[test]
fn a_strict_window_begins_with_the_clock_s() {
    let terms = Terms::Strict(WindowTerms { limit: 3, window_ms: 1_000 });
    check(
        terms,
        &[
            (900, 3, "1 0 - 100"),
            (999, 1, "0 0 1 1"),
            (1_000, 3, "1 0 - 1000"),
            (1_500, 1, "0 0 500 500"),
            (9_000, 0, "1 3 - 0"),
        ],
    );
}

#[test]
fn a_sliding_window_gives_each_unit_back_when_it_is_as_old_as_the_window() {
    let terms = Terms::Sliding(WindowTerms { limit: 3, window_ms: 1_000 });
    check(
        terms,
        &[
            (0, 1, "1 2 - 1000"),
            (400, 2, "1 0 - 1000"),
            (999, 1, "0 0 1 401"),
            (999, 2, "0 0 401 401"),
            (1_000, 1, "1 0 - 1000"),
            (1_000, 3, "0 0 1000 1000"),
            (1_400, 2, "1 0 - 1000"),
        ],
    );
}

#[test]
fn a_day_ends_at_midnight_in_its_zone() {
    let daily = |offset_minutes| Terms::Daily(DailyTerms { limit: 2, offset_minutes, change: None });
    check(daily(0), &[(0, 2, "1 0 - 86400000"), (DAY_MS - 1, 1, "0 0 1 1"), (DAY_MS, 1, "1 1 - 86400000")]);
    check(daily(120), &[(22 * HOUR_MS - 1, 2, "1 0 - 1"), (22 * HOUR_MS, 2, "1 0 - 86400000")]);
    check(daily(-720), &[(12 * HOUR_MS - 1, 2, "1 0 - 1"), (12 * HOUR_MS, 2, "1 0 - 86400000")]);
}

/// The hour in which a zone's clock changes, and the calls around it: no quota is given twice, and each answer names
/// the right midnight. Callers that know of the change before and of the one after it take turns.
#[test]
fn a_day_ends_at_midnight_where_the_clock_changes_meanwhile() {
    let change = |after_ms: u64, offset_minutes| {
        NonZeroU64::new(START_MS + after_ms).map(|at_ms| OffsetChange { at_ms, offset_minutes })
    };
    let daily = |offset_minutes, change| Terms::Daily(DailyTerms { limit: 2, offset_minutes, change });
    // A day of 23 hours: at 01:00 UTC the clock goes from one hour ahead to two.
    let spring = daily(60, change(HOUR_MS, 120));
    check(spring, &[(0, 2, "1 0 - 79200000"), (22 * HOUR_MS - 1, 1, "0 0 1 1"), (22 * HOUR_MS, 2, "1 0 - 86400000")]);
    // A day of 25 hours, in which the hour before midnight comes twice.
    let autumn = daily(-120, change(2 * HOUR_MS, -180));
    check(
        autumn,
        &[(HOUR_MS, 2, "1 0 - 7200000"), (2 * HOUR_MS, 1, "0 0 3600000 3600000"), (3 * HOUR_MS, 1, "1 1 - 86400000")],
    );
    let mut throttle = Throttle::new(&spring);
    let next = daily(120, change(100 * DAY_MS, 60));
    assert_eq!(call(&mut throttle, spring, START_MS + 2 * HOUR_MS, 1), "1 1 - 72000000");
    assert_eq!(call(&mut throttle, next, START_MS + 3 * HOUR_MS, 1), "1 0 - 68400000");
    assert_eq!(call(&mut throttle, spring, START_MS + 4 * HOUR_MS, 1), "0 0 64800000 64800000");
}

#[test]
fn a_call_that_costs_more_than_the_limit_is_never_allowed() {
    let terms = Terms::Strict(WindowTerms { limit: 3, window_ms: 1_000 });
    assert_eq!(Throttle::new(&terms).decide(&terms, 4, START_MS), Decision::Refused { retry_after_ms: NEVER });
}

/// Two units at once, and two more a second later.
fn two_a_second() -> [Terms; 4] {
    let window = WindowTerms { limit: 2, window_ms: 1_000 };
    [
        Terms::Bucket(BucketTerms { rate: 2, period_ms: 1_000, burst: 2 }),
        Terms::Burst(BurstTerms { limit: 1, window_ms: 1_000, extra: 1, period_ms: 1_000 }),
        Terms::Strict(window),
        Terms::Sliding(window),
    ]
}

#[test]
fn a_clock_that_steps_back_grants_nothing() {
    let daily = Terms::Daily(DailyTerms { limit: 2, offset_minutes: 0, change: None });
    for terms in two_a_second().into_iter().chain([daily]) {
        let mut throttle = Throttle::new(&terms);
        assert!(call(&mut throttle, terms, START_MS, 2).starts_with("1 0"), "{terms:?}");
        for back_ms in [1, 999, 1_000, DAY_MS, START_MS] {
            let now_ms = START_MS - back_ms;
            let standing = throttle.standing(&terms, now_ms);
            assert_eq!(standing.remaining, 0, "{terms:?}");
            let Decision::Refused { retry_after_ms } = throttle.decide(&terms, 1, now_ms) else { panic!("{terms:?}") };
            assert!(retry_after_ms > back_ms, "{terms:?}: by the clock that stepped back");
        }
    }
}

/// The same call again and again, by a clock that was set back: first it steps back, as every caller sees to it.
#[test]
fn a_clock_that_was_set_back_grants_nothing_that_is_in_use_and_everything_one_period_later() {
    for terms in two_a_second() {
        for back_ms in [CLOCK_LEAD_MS_MAX + 1, HOUR_MS, 365 * DAY_MS, START_MS] {
            let mut throttle = Throttle::new(&terms);
            assert!(call(&mut throttle, terms, START_MS + back_ms, 2).starts_with("1 0"), "{terms:?}");
            let (mut told, mut steps) = (Vec::new(), 0);
            for now_ms in [START_MS, START_MS + 1, START_MS + 1_000] {
                if let Some(step) = throttle.steps_back(now_ms) {
                    let mut bytes = Vec::new();
                    step.encode(&mut bytes);
                    throttle.apply(&Taken::decode(&bytes).expect("what was encoded decodes"));
                    steps += 1;
                }
                told.push(call(&mut throttle, terms, now_ms, 2).starts_with('1'));
            }
            assert_eq!((told, steps), (vec![false, false, true], 1), "{terms:?} by {back_ms} ms");
            assert!(throttle.expires_at_ms() < START_MS + HOUR_MS, "it is not kept for longer than it means something");
        }
    }
    assert_eq!(Throttle::new(&two_a_second()[0]).steps_back(0), None);
}

#[test]
fn what_is_in_use_stays_in_use_when_the_terms_change() {
    let strict = |limit| Terms::Strict(WindowTerms { limit, window_ms: 1_000 });
    let bucket = Terms::Bucket(BucketTerms { rate: 10, period_ms: 1_000, burst: 10 });
    let sliding = Terms::Sliding(WindowTerms { limit: 4, window_ms: 5_000 });
    let mut throttle = Throttle::new(&strict(8));
    let mut check = |terms, after_ms, cost, want| {
        assert_eq!(call(&mut throttle, terms, START_MS + after_ms, cost), want, "{terms:?} at {after_ms}");
    };
    check(strict(8), 100, 6, "1 2 - 900");
    check(strict(10), 200, 1, "1 3 - 800");
    check(strict(5), 300, 1, "0 0 700 700");
    check(bucket, 400, 1, "1 2 - 800");
    check(sliding, 500, 1, "0 0 400 700");
    check(sliding, 899, 1, "0 0 1 301");
    check(sliding, 900, 1, "1 0 - 5000");
    check(strict(8), 950, 4, "1 0 - 50");
    check(bucket, 1_000, 10, "1 0 - 1000");
}

#[test]
fn two_callers_with_different_terms_get_no_more_by_taking_turns() {
    let strict = Terms::Strict(WindowTerms { limit: 10, window_ms: 1_000 });
    let sliding = Terms::Sliding(WindowTerms { limit: 10, window_ms: 1_000 });
    let mut throttle = Throttle::new(&strict);
    let turns = [strict, sliding].into_iter().cycle().take(100);
    let allowed = turns.filter(|terms| call(&mut throttle, *terms, START_MS, 1).starts_with('1'));
    assert_eq!(allowed.count(), 10);
}

#[test]
fn a_sliding_window_s_memory_is_bounded_and_comes_back() {
    let terms = Terms::Sliding(WindowTerms { limit: 65_536, window_ms: DAY_MS });
    let mut throttle = Throttle::new(&terms);
    for after_ms in 0..100_000 {
        call(&mut throttle, terms, START_MS + after_ms, 1);
    }
    assert!(throttle.memory_bytes() <= 128 + 16 * 65_536, "{}", throttle.memory_bytes());
    call(&mut throttle, terms, START_MS + 2 * DAY_MS, 1);
    assert!(throttle.memory_bytes() <= 128 + 16 * 8, "{}", throttle.memory_bytes());
}

/// Moves everything, as an allocator in need would.
struct MoveAll(usize);

impl Mover for MoveAll {
    fn moved<T>(&mut self, piece: Vec<T>) -> Vec<T> {
        self.0 += 1;
        let mut moved = Vec::with_capacity(piece.capacity());
        moved.extend(piece);
        moved
    }
}

#[test]
fn a_sliding_window_is_the_same_after_its_memory_was_moved() {
    let terms = Terms::Sliding(WindowTerms { limit: 100, window_ms: 50 });
    let mut throttle = Throttle::new(&terms);
    for after_ms in 0..200 {
        call(&mut throttle, terms, START_MS + after_ms, 1);
        let (before, mut mover) = (throttle.clone(), MoveAll(0));
        throttle.defrag(&mut mover);
        assert_eq!((&throttle, mover.0), (&before, 1));
    }
}
