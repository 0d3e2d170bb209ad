//! Once everything is sold, a gateway refuses without asking Redis. No buyer gets less for it.

use std::time::{Duration, Instant};

use redis::{Connection, Value};

use crate::support::http::Answer;
use crate::support::redis::run;
use crate::support::wait;
use crate::support::world::World;

/// How long a gateway may believe that everything is sold: `SOLD_OUT_KNOWN_MS_MAX`.
const KNOWN: Duration = Duration::from_millis(200);

/// Asks without a key, again as long as the outcome is unknown.
fn reserve(world: &World, sale: &str, buyer: &str) -> Answer {
    reserve_with(world, sale, buyer, &[("content-type", "application/json")])
}

fn reserve_with(world: &World, sale: &str, buyer: &str, headers: &[(&str, &str)]) -> Answer {
    let path = format!("/v1/sales/{sale}/reservations");
    let body = format!("{{\"buyer\":\"{buyer}\"}}");
    wait::until("a yes or a no", || {
        let answer = world.http().send("POST", &path, headers, &body).ok()?;
        (answer.status < 500).then_some(answer)
    })
}

fn check_refused(answer: &Answer) {
    assert_eq!((answer.status, answer.problem()), (409, "sold-out"), "{answer:?}");
}

/// Reservations that Redis was asked for so far.
fn asked(redis: &mut Connection) -> u64 {
    let stats: String = run(redis, "INFO commandstats");
    let calls = stats.lines().find_map(|line| line.strip_prefix("cmdstat_FLASH.RESERVE:calls="));
    calls.and_then(|calls| calls.split(',').next()?.parse().ok()).expect("the calls of FLASH.RESERVE")
}

/// Asks for buyers who never had anything, each once a turn, until most of their refusals come without Redis.
fn wait_until_known(world: &World, sale: &str) {
    const REQUESTS: u64 = 40;
    let mut redis = world.redis.connect();
    wait::until("refusals without Redis", || {
        let before = asked(&mut redis);
        (0..REQUESTS).for_each(|buyer| check_refused(&reserve(world, sale, &format!("late-{buyer}"))));
        (asked(&mut redis) - before < REQUESTS / 2).then_some(())
    });
}

#[test]
fn who_has_a_unit_hears_of_it_however_well_it_is_known_that_everything_is_sold() {
    let world = World::start_direct("sold_out_repeats");
    world.create_sale("{\"sale\":\"drop\",\"total\":2,\"hold_ms\":600000}");
    let key = [("content-type", "application/json"), ("idempotency-key", "k")];
    let (ada, eve) = (reserve(&world, "drop", "ada"), reserve_with(&world, "drop", "eve", &key));
    assert_eq!((ada.id().is_some(), eve.id().is_some()), (true, true), "{ada:?} {eve:?}");
    wait_until_known(&world, "drop");
    for _ in 0..20 {
        check_refused(&reserve(&world, "drop", "bob"));
        let (first, keyed) = (reserve(&world, "drop", "ada"), reserve_with(&world, "drop", "eve", &key));
        assert_eq!((first.status, first.id()), (200, ada.id()), "{first:?}");
        assert_eq!((keyed.status, keyed.id()), (200, eve.id()), "{keyed:?}");
    }
}

#[test]
fn stock_that_returns_elsewhere_is_sold_after_a_moment() {
    let world = World::start_direct("sold_out_restock");
    for (sale, limit) in [("one", 1), ("two", 2)] {
        world.create_sale(&format!("{{\"sale\":\"{sale}\",\"total\":1,\"limit\":{limit}}}"));
        assert_eq!(reserve(&world, sale, "ada").status, 201);
        for buyer in ["bob", "eve"] {
            wait_until_known(&world, sale);
            let _: Value = run(&mut world.redis.connect(), &format!("FLASH.RESTOCK flash:{sale} 1"));
            check_sold(&world, sale, buyer, Instant::now());
        }
    }
}

/// Before the moment is over either answer is right.
fn check_sold(world: &World, sale: &str, buyer: &str, back: Instant) {
    let answer = wait::until("a moment", || {
        let (is_over, answer) = (back.elapsed() >= KNOWN, reserve(world, sale, buyer));
        (is_over || answer.status != 409).then_some(answer)
    });
    assert!(matches!(answer.status, 200 | 201), "{sale}, {buyer}: {answer:?}");
}
