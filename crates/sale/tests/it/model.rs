//! Random command sequences against a naive oracle. A failure prints its seed and the shortest sequence that shows it;
//! both are kept in `proptest-regressions/`.

use crate::oracle::{Done, Oracle};
use flash_sale::limits::{CLOCK_LEAD_MS_MAX, TIME_MS_MAX};
use flash_sale::{Command, Content, Event, HashKey, Item, Items, Refusal, Reserve, Sale, SkuTerms, State, Terms};
use flash_sale::{
    Details,
    digest::{element, sku_hash},
};
use proptest::prelude::*;

const KEY: HashKey = HashKey([1, 2]);
const START_MS: u64 = 1_000_000;

#[derive(Debug, Clone)]
enum Step {
    Reserve { buyer: u8, items: Vec<(u16, u32)>, request: Option<u8>, data: Option<bool> },
    Confirm { back: u64 },
    Release { back: u64 },
    Reap { holds_max: usize },
    Ack { back: u64 },
    Clock { ms: i64 },
    Restock { sku: u16, delta: i64 },
    Switch { close: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let items = prop::collection::vec((0..2u16, 1..4u32), 1..3);
    let step = prop_oneof![
        6 => (0..6u8, items, prop::option::of(0..4u8), prop::option::of(any::<bool>()))
            .prop_map(|(buyer, items, request, data)| Step::Reserve { buyer, items, request, data }),
        2 => (0..20u64).prop_map(|back| Step::Confirm { back }),
        2 => (0..20u64).prop_map(|back| Step::Release { back }),
        1 => (1..5usize).prop_map(|holds_max| Step::Reap { holds_max }),
        1 => (0..9u64).prop_map(|back| Step::Ack { back }),
        2 => (-50..200i64).prop_map(|ms| Step::Clock { ms }),
        1 => jump().prop_map(|ms| Step::Clock { ms }),
        1 => (0..2u16, -9..9i64).prop_map(|(sku, delta)| Step::Restock { sku, delta }),
        1 => prop_oneof![1 => Just(true), 3 => Just(false)].prop_map(|close| Step::Switch { close }),
    ];
    prop::collection::vec(step, 1..200)
}

/// A clock that is set, by some seconds or by centuries.
fn jump() -> impl Strategy<Value = i64> {
    prop_oneof![-3_000..3_000i64, -100_000_000_000..100_000_000_000i64, -10_000_000_000_000..10_000_000_000_000i64]
}

prop_compose! {
    fn terms()(
        totals in prop::collection::vec(1..30u64, 2..3),
        limit in prop_oneof![Just(1u32), 2..9u32, Just(1_000)],
        hold_ms in prop::option::of(1..400u64),
        opens in prop::option::of(START_MS - 100..START_MS + 300),
        lasts in prop::option::of(1..2_000u64),
        journal_events_max in prop::option::of(1..60u64),
    ) -> Terms {
        let sku = |(at, total): (usize, &u64)| SkuTerms { name: format!("sku-{at}"), total: *total };
        Terms {
            skus: totals.iter().enumerate().map(sku).collect(),
            limit,
            hold_ms,
            opens_at_ms: opens,
            closes_at_ms: lasts.map(|lasts| opens.unwrap_or(START_MS) + lasts),
            journal_events_max,
        }
        .check()
        .expect("the ranges above are valid")
    }
}

/// The sale under test, the oracle beside it, and a replica that only ever sees events.
struct World {
    sale: Sale,
    oracle: Oracle,
    replica: Sale,
    now_ms: u64,
}

impl World {
    fn new(terms: Terms) -> Self {
        let warmed = Sale::warmed(terms.clone(), 1, 0, 0);
        let new = |key| Sale::new(&warmed, key).expect("a warmed event makes a sale");
        Self { sale: new(KEY), oracle: Oracle::new(terms), replica: new(HashKey([3, 4])), now_ms: START_MS }
    }

    /// Journal, replication link and AOF carry bytes: so does the way to the replica here.
    fn happen(&mut self, event: &Event) -> Done {
        assert_eq!(self.sale.accepts(event), Ok(()));
        self.sale.apply(event);
        let mut bytes = Vec::new();
        event.encode(&mut bytes);
        let event = Event::decode(&bytes).expect("what was encoded decodes");
        assert_eq!(self.replica.accepts(&event), Ok(()));
        self.replica.apply(&event);
        Done::of(&event)
    }

    /// Steps back where the clock did.
    fn keep_time(&mut self) {
        let before_ms = self.sale.age_ms();
        if let Some(at_ms) = self.sale.steps_back_to(self.now_ms) {
            self.sale.step_back(at_ms);
            self.replica.step_back(at_ms);
            // A primary that says it twice changes nothing.
            self.replica.step_back(at_ms);
        }
        self.oracle.keep_time(self.now_ms);
        assert_eq!(self.sale.age_ms(), before_ms, "what was left of each hold is left of it");
        assert!(self.sale.clock_lead_ms(self.now_ms) <= CLOCK_LEAD_MS_MAX);
    }

    fn expire(&mut self, holds_max: usize, buyer: Option<&str>) {
        self.keep_time();
        let event = self.sale.expire(self.now_ms, holds_max, buyer);
        let done = event.map(|event| self.happen(&event));
        assert_eq!(done, self.oracle.expire(self.now_ms, holds_max, buyer));
    }

    fn decide(&mut self, command: &Command) -> Result<Done, Refusal> {
        self.keep_time();
        let before = self.sale.save();
        let decided = self.sale.decide(command, self.now_ms);
        assert_eq!(self.sale.save(), before, "deciding changes nothing");
        decided.map(|event| self.happen(&event))
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Reserve { buyer, items, request, data } => self.reserve(*buyer, items, *request, *data),
            Step::Confirm { back } => self.end(*back, State::Confirmed),
            Step::Release { back } => self.end(*back, State::Released),
            Step::Reap { holds_max } => self.expire(*holds_max, None),
            Step::Ack { back } => self.ack(*back),
            Step::Restock { sku, delta } => self.restock(*sku, *delta),
            Step::Switch { close } => self.switch(*close),
            Step::Clock { ms } => self.now_ms = self.now_ms.saturating_add_signed(*ms).min(TIME_MS_MAX / 2),
        }
    }

    fn reserve(&mut self, buyer: u8, items: &[(u16, u32)], request: Option<u8>, data: Option<bool>) {
        let buyer = format!("buyer-{buyer}");
        let request = request.map(|request| format!("request-{request}"));
        let data = data.map(|data| if data { "{\"size\":42}" } else { "{}" });
        let items = items.iter().map(|&(sku, quantity)| Item { sku, quantity }).collect();
        let items = Items::summed(items).expect("the ranges above are valid");
        self.expire(64, Some(&buyer));
        let details = Details { request: request.as_deref(), data };
        let reserve = Reserve { buyer: &buyer, items: items.clone(), details, is_new: false };
        let done = self.decide(&Command::Reserve(reserve));
        assert_eq!(done, self.oracle.reserve(self.now_ms, &buyer, &items, request.as_deref(), data));
    }

    fn end(&mut self, back: u64, end: State) {
        let id = self.sale.seq().saturating_sub(back);
        let command = if end == State::Confirmed { Command::Confirm { id } } else { Command::Release { id } };
        let done = self.decide(&command);
        assert_eq!(done, self.oracle.end(self.now_ms, id, end));
    }

    fn restock(&mut self, sku: u16, delta: i64) {
        let done = self.decide(&Command::Restock { sku, delta });
        assert_eq!(done, self.oracle.restock(self.now_ms, sku, delta));
    }

    fn switch(&mut self, close: bool) {
        let done = self.decide(if close { &Command::Close } else { &Command::Open });
        assert_eq!(done, self.oracle.switch(self.now_ms, close));
    }

    fn ack(&mut self, back: u64) {
        let seq = self.sale.seq().saturating_sub(back);
        for sale in [&mut self.sale, &mut self.replica] {
            assert_eq!(sale.ack(1, seq), Ok(()));
        }
        self.oracle.ack(seq);
    }

    fn check(&self) {
        for (sku, units) in self.sale.units().iter().enumerate() {
            let [total, available, held, confirmed] = self.oracle.units(sku);
            assert_eq!(
                [units.total, units.available(), units.held, units.confirmed],
                [total, available, held, confirmed]
            );
            assert_eq!(total, available + held + confirmed);
        }
        assert_eq!(self.sale.journal_events(), self.oracle.journal_events());
        assert_eq!(self.sale.content(), counted(&self.sale), "what is kept count of is what a count gives");
    }
}

/// What the active reservations are, counted anew.
fn counted(sale: &Sale) -> Content {
    let mut content = Content::default();
    for reservation in sale.active_after(0) {
        let hash = |sku: u16| sku_hash(&sale.terms().skus[usize::from(sku)].name);
        let items = reservation.made.items.iter().map(|item| (hash(item.sku), item.quantity));
        content.add(element(reservation.id, reservation.made.buyer, items, reservation.state));
    }
    content
}

/// Says how many histories are tried.
const CASES: &str = "FLASH_MODEL_CASES";
const CASES_DEFAULT: u32 = 2_000;

fn cases() -> u32 {
    std::env::var(CASES).map_or(CASES_DEFAULT, |cases| cases.parse().expect("a number"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    /// Same answers, same stock after every step; the events alone make the same state elsewhere; a snapshot of that
    /// state is the state, and goes on the same.
    #[test]
    fn a_sale_does_what_the_oracle_does(terms in terms(), steps in steps(), reload_at in 0..200usize) {
        let mut world = World::new(terms);
        for (at, step) in steps.iter().enumerate() {
            world.step(step);
            world.check();
            if at == reload_at {
                world.sale = Sale::load(&world.sale.save(), HashKey([5, 6])).expect("what was saved loads");
            }
        }
        prop_assert_eq!(world.sale.save(), world.replica.save());
        let journal: Vec<_> = world.sale.journal_after(0).map(Event::decode).collect();
        let first = world.sale.acked() + 1;
        prop_assert!((first..).zip(&journal).all(|(seq, event)| event.as_ref().is_ok_and(|event| event.seq == seq)));
        prop_assert_eq!(journal.len() as u64, world.sale.journal_events());
    }

    /// A damaged snapshot is refused, or loads into a sale whose sums hold and that goes on selling.
    #[test]
    fn a_damaged_snapshot_breaks_no_invariant(
        terms in terms(),
        steps in steps(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut world = World::new(terms);
        steps.iter().for_each(|step| world.step(step));
        let mut bytes = world.sale.save();
        prop_assert!(Sale::load(&bytes[..cut.index(bytes.len())], KEY).is_err());
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(mut sale) = Sale::load(&bytes, KEY) {
            for buyer in 0..9 {
                let buyer = format!("buyer-{buyer}");
                if let Some(event) = sale.expire(START_MS + 500, 64, Some(&buyer)) {
                    sale.apply(&event);
                }
                let reserve = Reserve { buyer: &buyer, items: Items::one(0, 1).unwrap(), details: Details::NONE, is_new: false };
                if let Ok(event) = sale.decide(&Command::Reserve(reserve), START_MS + 500) {
                    sale.apply(&event);
                }
            }
            prop_assert_eq!(sale.content(), counted(&sale));
            prop_assert!(sale.units().iter().all(|units| units.held + units.confirmed <= units.total));
            prop_assert_eq!(Sale::load(&sale.save(), KEY).map(|sale| sale.save()), Ok(sale.save()));
        }
    }
}
