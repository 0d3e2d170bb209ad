//! A server's clock that is set, by any amount and again and again, and what becomes of holds and windows.

use flash_sale::{Command, Event, HashKey, Items, Phase, Refusal, Reserve, Sale, State, Terms};
use flash_sale::{Details, limits::CLOCK_LEAD_MS_MAX};
use proptest::prelude::*;

const NOW_MS: u64 = 1_796_000_000_000;
const HOLD_MS: u64 = 3_000;
const HOUR_MS: u64 = 60 * 60 * 1_000;
const YEAR_MS: u64 = 365 * 24 * HOUR_MS;

struct Shop(Sale);

impl Shop {
    fn open(terms: Terms) -> Self {
        let warmed = Sale::warmed(terms, 1, 0, NOW_MS);
        Self(Sale::new(&warmed, HashKey([1, 2])).expect("a warmed event makes a sale"))
    }

    fn with_holds() -> Self {
        Self::open(Terms { hold_ms: Some(HOLD_MS), ..Terms::simple(100) })
    }

    /// As every command does.
    fn keep_time(&mut self, now_ms: u64) {
        self.0.step_back(now_ms);
        if let Some(event) = self.0.expire(now_ms, 64, None) {
            self.happen(&event);
        }
    }

    fn happen(&mut self, event: &Event) {
        assert_eq!(self.0.accepts(event), Ok(()));
        self.0.apply(event);
    }

    fn reserve(&mut self, buyer: &str, now_ms: u64) -> Result<u64, Refusal> {
        self.keep_time(now_ms);
        let items = Items::one(0, 1).expect("a quantity");
        let wish = Reserve { buyer, items, details: Details::NONE, is_new: false };
        let event = self.0.decide(&Command::Reserve(wish), now_ms)?;
        self.happen(&event);
        Ok(event.seq)
    }

    /// The reservation's state, and when its hold ends.
    fn state(&self, id: u64) -> (State, Option<u64>) {
        let reservation = self.0.reservation(id).expect("it is remembered");
        (reservation.state, reservation.made.expires_at_ms)
    }
}

#[test]
fn a_hold_that_is_made_after_the_clock_stepped_back_by_an_hour_lasts_as_long_as_any() {
    let mut shop = Shop::with_holds();
    let ada = shop.reserve("ada", NOW_MS).expect("a unit");
    let back_ms = NOW_MS - HOUR_MS;
    assert!(!shop.0.has_due_holds(NOW_MS) && shop.0.has_due_holds(back_ms), "its time waits: a reaper is called");
    let bob = shop.reserve("bob", back_ms).expect("a unit");
    assert_eq!(shop.state(ada), (State::Held, Some(back_ms + HOLD_MS)), "what was left of it is left of it");
    assert_eq!(shop.state(bob), (State::Held, Some(back_ms + HOLD_MS)));
    shop.keep_time(back_ms + HOLD_MS - 1);
    assert_eq!([ada, bob].map(|id| shop.state(id).0), [State::Held; 2]);
    shop.keep_time(back_ms + HOLD_MS);
    assert_eq!([ada, bob].map(|id| shop.state(id).0), [State::Expired; 2]);
}

#[test]
fn a_clock_that_jumps_by_a_year_and_returns_leaves_the_stock_safe_and_new_holds_in_time() {
    let mut shop = Shop::with_holds();
    let ada = shop.reserve("ada", NOW_MS).expect("a unit");
    let bob = shop.reserve("bob", NOW_MS + YEAR_MS).expect("a unit");
    assert_eq!(shop.state(ada).0, State::Expired);
    shop.keep_time(NOW_MS + 1);
    assert_eq!(shop.state(ada).0, State::Expired, "its unit may be somebody else's by now");
    assert_eq!(shop.state(bob), (State::Held, Some(NOW_MS + 1 + HOLD_MS)));
    let eve = shop.reserve("eve", NOW_MS + 10).expect("a unit");
    shop.keep_time(NOW_MS + 1 + HOLD_MS);
    assert_eq!([bob, eve].map(|id| shop.state(id).0), [State::Expired, State::Held]);
    shop.keep_time(NOW_MS + 10 + HOLD_MS);
    assert_eq!(shop.state(eve).0, State::Expired);
}

#[test]
fn a_clock_that_is_corrected_by_little_is_waited_for() {
    let mut shop = Shop::with_holds();
    shop.reserve("ada", NOW_MS).expect("a unit");
    let back_ms = NOW_MS - CLOCK_LEAD_MS_MAX;
    assert_eq!((shop.0.steps_back_to(back_ms), shop.0.clock_lead_ms(back_ms)), (None, CLOCK_LEAD_MS_MAX));
    let bob = shop.reserve("bob", back_ms).expect("a unit");
    assert_eq!(shop.state(bob), (State::Held, Some(NOW_MS + HOLD_MS)));
    assert_eq!(shop.0.steps_back_to(back_ms - 1), Some(back_ms - 1));
}

#[test]
fn a_window_opens_and_closes_by_the_server_s_clock_also_before_the_sale_has_stepped_back() {
    let terms = Terms { opens_at_ms: Some(NOW_MS), closes_at_ms: Some(NOW_MS + HOUR_MS), ..Terms::simple(100) };
    let mut shop = Shop::open(terms);
    shop.reserve("ada", NOW_MS).expect("a unit");
    assert_eq!(shop.0.phase(NOW_MS + HOUR_MS), Phase::Ended);
    assert_eq!(shop.0.phase(NOW_MS - HOUR_MS), Phase::NotStarted { opens_at_ms: NOW_MS });
    assert_eq!(shop.reserve("bob", NOW_MS - HOUR_MS), Err(Refusal::NotStarted { opens_at_ms: NOW_MS }));
    assert_eq!(shop.0.phase(NOW_MS), Phase::Open);
    shop.reserve("bob", NOW_MS).expect("a unit");
}

#[test]
fn what_a_sale_has_stepped_back_is_saved_with_it() {
    let mut shop = Shop::with_holds();
    shop.reserve("ada", NOW_MS + YEAR_MS).expect("a unit");
    let bob = shop.reserve("bob", NOW_MS).expect("a unit");
    let saved = shop.0.save();
    let again = Sale::load(&saved, HashKey([3, 4])).expect("what was saved loads");
    assert_eq!((again.save(), again.age_ms()), (saved, shop.0.age_ms()));
    assert_eq!(again.reservation(bob), shop.0.reservation(bob));
}

proptest! {
    /// Time goes on by true milliseconds; meanwhile the clock is set back again and again. A look at the holds comes
    /// every few of them.
    #[test]
    fn a_clock_that_steps_back_shortens_no_hold_and_prolongs_none_by_more_than_the_bound_for_each_step(
        steps in prop::collection::vec((1..400u64, prop_oneof![Just(0), 1..5_000u64, 1..YEAR_MS]), 1..60),
    ) {
        let mut shop = Shop::with_holds();
        let (mut true_ms, mut back_ms, mut steps_back, mut looks_ms) = (0, 0, 0u64, 0);
        let id = shop.reserve("ada", NOW_MS).expect("a unit");
        for (goes_on_ms, back) in steps {
            (true_ms, back_ms, steps_back) = (true_ms + goes_on_ms, back_ms + back, steps_back + u64::from(back > 0));
            looks_ms = goes_on_ms.max(looks_ms);
            shop.keep_time((NOW_MS + true_ms).saturating_sub(back_ms));
            let is_held = shop.state(id).0 == State::Held;
            prop_assert!(is_held || true_ms >= HOLD_MS, "ended after {true_ms} ms");
            let bound_ms = HOLD_MS + steps_back * (CLOCK_LEAD_MS_MAX + looks_ms);
            prop_assert!(!is_held || true_ms < bound_ms, "still held after {true_ms} ms and {steps_back} steps");
        }
    }
}
