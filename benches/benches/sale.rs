//! The state machine alone, without a server: what deciding and applying cost.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Bencher, BenchmarkId, Criterion, criterion_group, criterion_main};
use flash_sale::{Command, Event, HashKey, Items, Refusal, Reserve, Sale, Terms};
use flash_sale::{
    Details,
    limits::{EXPIRED_PER_EVENT_MAX, JOURNAL_EVENTS_MAX},
};

const KEY: HashKey = HashKey([1, 2]);
const NOW_MS: u64 = 1_790_000_000_000;
const HOLD_MS: u64 = 60_000;
/// Buyers of the benchmarks that do not depend on how many there are.
const BUYERS: usize = 100_000;
/// Events that a relay pulls at once, and a syncer acknowledges.
const RUN_EVENTS: usize = 256;

/// An id of 17 bytes.
fn buyer(number: usize) -> String {
    format!("{number:017}")
}

fn buyers(first: usize, count: usize) -> Vec<String> {
    (first..first + count).map(buyer).collect()
}

/// A sale with a pay window and a journal, of which `buyers` have a unit each.
fn sale(units: usize, buyers: usize) -> Sale {
    let terms =
        Terms { hold_ms: Some(HOLD_MS), journal_events_max: Some(JOURNAL_EVENTS_MAX), ..Terms::simple(units as u64) };
    let mut sale = Sale::new(&Sale::warmed(terms, 1, 0, NOW_MS), KEY).expect("a warmed event makes a sale");
    for number in 0..buyers {
        reserve(&mut sale, &buyer(number));
    }
    sale
}

fn sold_out() -> Sale {
    sale(BUYERS, BUYERS)
}

fn decide<'a>(sale: &Sale, buyer: &'a str) -> Result<Event<'a>, Refusal> {
    let items = Items::one(0, 1).expect("one unit is a quantity");
    sale.decide(&Command::Reserve(Reserve { buyer, items, details: Details::NONE, is_new: false }), NOW_MS)
}

/// Reserves as the module does: first what is due expires, then the sale decides.
fn reserve(sale: &mut Sale, buyer: &str) {
    assert!(sale.expire(NOW_MS, EXPIRED_PER_EVENT_MAX, Some(buyer)).is_none(), "nothing is due");
    let event = decide(sale, buyer).expect("there is a unit for each buyer");
    sale.apply(&event);
}

/// A sale for steps that use it up. It is made anew when it is; that takes no time on the clock.
struct Consumed<F: Fn() -> Sale> {
    make: F,
    sale: Sale,
    steps: usize,
    steps_max: usize,
}

impl<F: Fn() -> Sale> Consumed<F> {
    fn new(steps_max: usize, make: F) -> Self {
        Self { sale: make(), make, steps: 0, steps_max }
    }

    fn time(&mut self, bencher: &mut Bencher, step: impl Fn(&mut Sale, usize)) {
        bencher.iter_custom(|steps| {
            let (mut left, mut spent) = (usize::try_from(steps).unwrap_or(usize::MAX), Duration::ZERO);
            while left > 0 {
                if self.steps == self.steps_max {
                    (self.sale, self.steps) = ((self.make)(), 0);
                }
                let until = self.steps_max.min(self.steps + left);
                let start = Instant::now();
                (self.steps..until).for_each(|at| step(&mut self.sale, at));
                spent += start.elapsed();
                left -= until - self.steps;
                self.steps = until;
            }
            spent
        });
    }
}

fn reserving(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reserve, accepted");
    for size in [1_000, 100_000, 1_000_000] {
        // The sale grows by a quarter before it is made anew, which keeps its size near the one in the name.
        let newcomers = buyers(size, size / 4);
        let mut consumed = Consumed::new(newcomers.len(), || sale(2 * size, size));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            consumed.time(bencher, |sale, at| reserve(sale, &newcomers[at]));
        });
    }
    group.finish();
}

fn refusing(criterion: &mut Criterion) {
    let sale = sold_out();
    let mut refused = |name, buyers: Vec<String>, want: fn(&Refusal) -> bool| {
        let mut buyers = buyers.iter().cycle();
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let refusal = decide(&sale, buyers.next().expect("endless")).expect_err("refused");
                assert!(want(&refusal), "{refusal:?}");
            });
        });
    };
    refused("reserve, sold out", buyers(BUYERS, BUYERS), |refusal| matches!(refusal, Refusal::SoldOut));
    refused("reserve, replayed", buyers(0, BUYERS), |refusal| matches!(refusal, Refusal::Replayed { .. }));
}

fn ending(criterion: &mut Criterion) {
    let mut consumed = Consumed::new(BUYERS, sold_out);
    criterion.bench_function("confirm", |bencher| {
        consumed.time(bencher, |sale, at| {
            // The first event made the sale, and the first reservation followed.
            let event = sale.decide(&Command::Confirm { id: at as u64 + 2 }, NOW_MS).expect("a hold");
            sale.apply(&event);
        });
    });
    let mut consumed = Consumed::new(BUYERS / EXPIRED_PER_EVENT_MAX, sold_out);
    criterion.bench_function("expire 64 holds", |bencher| {
        consumed.time(bencher, |sale, _| {
            let event = sale.expire(NOW_MS + HOLD_MS, EXPIRED_PER_EVENT_MAX, None).expect("holds are due");
            sale.apply(&event);
        });
    });
}

fn relaying(criterion: &mut Criterion) {
    let mut consumed = Consumed::new(BUYERS / RUN_EVENTS, sold_out);
    criterion.bench_function("pull and ack 256 events", |bencher| {
        consumed.time(bencher, |sale, at| {
            let acked = (at * RUN_EVENTS) as u64;
            let bytes: usize = sale.journal_after(acked).take(RUN_EVENTS).map(<[u8]>::len).sum();
            assert!(black_box(bytes) > 0);
            sale.ack(1, acked + RUN_EVENTS as u64).expect("these events have happened");
        });
    });
}

fn saving(criterion: &mut Criterion) {
    let sale = sold_out();
    let bytes = sale.save();
    criterion.bench_function("save 100000 reservations", |bencher| bencher.iter(|| sale.save()));
    criterion.bench_function("load 100000 reservations", |bencher| {
        bencher.iter(|| Sale::load(&bytes, KEY).expect("what was saved loads"));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = reserving, refusing, ending, relaying, saving
}
criterion_main!(benches);
