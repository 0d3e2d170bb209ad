//! Bytes from outside: a dump, an AOF, a replication link. None of them is believed.

use std::num::NonZeroU64;

use flash_throttle::limits::EXPIRY_SLACK_MS;
use flash_throttle::{
    BucketTerms, BurstTerms, DailyTerms, Decision, OffsetChange, Taken, Terms, Throttle, WindowTerms,
};
use proptest::prelude::*;

const START_MS: u64 = 1_700_000_000_000;

fn some_terms() -> impl Strategy<Value = Terms> {
    let window = (1..50u64, 1..500u64).prop_map(|(limit, window_ms)| WindowTerms { limit, window_ms });
    prop_oneof![
        (1..50u64, 1..500u64, 50..100u64).prop_map(|(rate, period_ms, burst)| Terms::Bucket(BucketTerms {
            rate,
            period_ms,
            burst
        })),
        (1..50u64, 1..50u64, 1..50u64, 50..500u64).prop_map(|(limit, window_ms, extra, period_ms)| {
            Terms::Burst(BurstTerms { limit, window_ms, extra, period_ms })
        }),
        window.clone().prop_map(Terms::Strict),
        window.prop_map(Terms::Sliding),
        (1..50u64, -720..=840i32, prop::option::of((1..2 * START_MS, -720..=840i32))).prop_map(
            |(limit, offset_minutes, change)| {
                let change = change.and_then(|(at_ms, offset_minutes)| {
                    NonZeroU64::new(at_ms).map(|at_ms| OffsetChange { at_ms, offset_minutes })
                });
                Terms::Daily(DailyTerms { limit, offset_minutes, change })
            }
        ),
    ]
}

/// A rate limit of which something was taken at each of `steps_ms`.
fn used(terms: Terms, steps_ms: &[u64]) -> Throttle {
    let mut throttle = Throttle::new(&terms);
    let mut now_ms = START_MS;
    for step_ms in steps_ms {
        now_ms += step_ms;
        if let Decision::Taken(taken) = throttle.decide(&terms, 1, now_ms) {
            throttle.apply(&taken);
        }
    }
    throttle
}

/// What loaded keeps every promise, whatever is asked of it.
fn check_sound(throttle: &mut Throttle, payload_bytes: usize) {
    assert!(throttle.memory_bytes() <= 128 + 64 + 16 * payload_bytes);
    let reloaded = Throttle::load(&throttle.save());
    assert_eq!(reloaded.as_ref(), Ok(&*throttle), "what was saved loads");
    let other = Terms::Bucket(BucketTerms { rate: 1, period_ms: 1, burst: 7 });
    for now_ms in [0, START_MS, START_MS + 1, START_MS + EXPIRY_SLACK_MS, u64::MAX] {
        for terms in [Terms::Sliding(WindowTerms { limit: 9, window_ms: 99 }), other] {
            for cost in [0, 1, 7] {
                if let Decision::Taken(taken) = throttle.decide(&terms, cost, now_ms) {
                    throttle.apply(&taken);
                }
                assert!(throttle.standing(&terms, now_ms).remaining <= terms.limit());
            }
        }
    }
}

/// [`START_MS`] in every snapshot and taking.
const START: [u8; 6] = [128, 208, 149, 255, 188, 49];

/// Of 3 units taken at [`START_MS`]: both kinds of bytes have the terms and the time; a snapshot goes on with its
/// expiry and what is in use.
fn check_saved(terms: Terms, terms_bytes: &[u8], snapshot: &[u8]) {
    let taken = Taken { terms, at_ms: START_MS, units: 3 };
    let mut throttle = Throttle::new(&terms);
    throttle.apply(&taken);
    let head = [&[1], terms_bytes, &START].concat();
    assert_eq!(Taken::decode(&[&head[..], &[3]].concat()), Ok(taken));
    assert_eq!(Throttle::load(&[&head, snapshot].concat()), Ok(throttle));
}

#[test]
fn what_version_1_wrote_still_loads() {
    let window = WindowTerms { limit: 10, window_ms: 60_000 };
    let minute_s_end = [224, 164, 153, 255, 188, 49];
    let bucket = Terms::Bucket(BucketTerms { rate: 10, period_ms: 1_000, burst: 300 });
    check_saved(bucket, &[1, 10, 232, 7, 172, 2], &[204, 238, 150, 255, 188, 49, 184, 23]);
    let burst = Terms::Burst(BurstTerms { limit: 2, window_ms: 1_000, extra: 50, period_ms: 60_000 });
    check_saved(burst, &[2, 2, 232, 7, 50, 224, 212, 3], &[&minute_s_end[..], &[2, 1]].concat());
    check_saved(Terms::Strict(window), &[3, 10, 224, 212, 3], &[&minute_s_end[..], &[3]].concat());
    check_saved(Terms::Sliding(window), &[4, 10, 224, 212, 3], &[128, 193, 154, 255, 188, 49, 1, 224, 212, 3, 3]);
    let daily = Terms::Daily(DailyTerms { limit: 10, offset_minutes: -60, change: None });
    check_saved(daily, &[5, 10, 148, 5], &[160, 153, 249, 131, 189, 49, 3]);
    let change = Some(OffsetChange { at_ms: NonZeroU64::new(START_MS).expect("not 0"), offset_minutes: 0 });
    let changing = Terms::Daily(DailyTerms { limit: 10, offset_minutes: -60, change });
    let terms = [&[6, 10, 148, 5][..], &START, &[208, 5]].concat();
    check_saved(changing, &terms, &[160, 188, 157, 130, 189, 49, 3]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn bytes_of_any_kind_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(mut throttle) = Throttle::load(&bytes) {
            check_sound(&mut throttle, bytes.len());
        }
        if let Ok(taken) = Taken::decode(&bytes) {
            let mut throttle = Throttle::new(&taken.terms);
            throttle.apply(&taken);
            check_sound(&mut throttle, bytes.len());
        }
    }

    /// Damaged by a few bytes, which gets further than mere noise.
    #[test]
    fn a_damaged_snapshot_is_refused_or_sound(
        terms in some_terms(),
        steps_ms in prop::collection::vec(0..100u64, 1..40),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = used(terms, &steps_ms).save();
        prop_assert!(Throttle::load(&bytes[..cut.index(bytes.len())]).is_err());
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(mut throttle) = Throttle::load(&bytes) {
            prop_assert_eq!(throttle.save(), &bytes[..], "a state has one encoding");
            check_sound(&mut throttle, bytes.len());
        }
    }

    #[test]
    fn a_damaged_taking_is_refused_or_sound(
        terms in some_terms(),
        steps_ms in prop::collection::vec(0..100u64, 1..10),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut throttle = used(terms, &steps_ms);
        let mut bytes = Vec::new();
        Taken { terms, at_ms: START_MS, units: terms.limit() }.encode(&mut bytes);
        prop_assert!(Taken::decode(&bytes[..at.index(bytes.len())]).is_err());
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(taken) = Taken::decode(&bytes) {
            throttle.apply(&taken);
            check_sound(&mut throttle, 16 * 40);
        }
    }
}
