//! Whether a reservation is in PostgreSQL, and waiting until it is.

use std::thread;
use std::time::Instant;

use crate::support::http::Answer;
use crate::support::redis::run;
use crate::support::wait;
use crate::support::world::World;

const RESERVE: &str = "/v1/sales/drop/reservations";
const WAIT: (&str, &str) = ("prefer", "wait=60");
/// The longest wait that is granted.
const GRANTED: Option<&str> = Some("wait=5");

fn reserve(world: &World, buyer: &str, headers: &[(&str, &str)]) -> Answer {
    let headers = [&[("content-type", "application/json")], headers].concat();
    world.http().send("POST", RESERVE, &headers, &format!("{{\"buyer\":\"{buyer}\"}}")).expect("an answer")
}

fn location(answer: &Answer) -> String {
    answer.header("location").unwrap_or_else(|| panic!("{answer:?} says no place")).to_owned()
}

fn check_is(answer: &Answer, status: u16, state: &str, persisted: bool) {
    let seen = (answer.status, answer.body["state"].as_str(), answer.body["persisted"].as_bool());
    assert_eq!(seen, (status, Some(state), Some(persisted)), "{answer:?}");
}

/// Waits as often as it takes: on a slow day PostgreSQL may need longer than one wait.
fn wait_for(world: &World, path: &str, state: &str) {
    let answer = wait::until("what is in PostgreSQL", || {
        let answer = world.http().send("GET", path, &[WAIT], "").expect("an answer");
        assert_eq!(answer.header("preference-applied"), GRANTED, "{answer:?}");
        (answer.body["persisted"] == true && answer.body["state"] == state).then_some(answer)
    });
    check_is(&answer, 200, state, true);
}

#[test]
fn a_reservation_says_whether_it_is_in_postgresql_and_waits_until_it_is() {
    let mut world = World::start_without_syncer();
    world.create_sale("{\"sale\":\"drop\",\"total\":9,\"hold_ms\":600000}");
    let path = location(&reserve(&world, "ada", &[]));
    check_is(&world.http().get(&path).expect("an answer"), 200, "held", false);
    let waited = world.http().send("GET", &path, &[("prefer", "wait=1")], "").expect("an answer");
    check_is(&waited, 200, "held", false);
    assert_eq!(waited.header("preference-applied"), Some("wait=1"), "the wait ended, and not the reservation");
    world.start_syncer();
    wait_for(&world, &path, "held");
    assert_eq!(world.order_state("drop", 2).as_deref(), Some("held"));

    let confirmed = world.http().send("POST", &format!("{path}/confirm"), &[WAIT], "").expect("an answer");
    assert_eq!((confirmed.status, confirmed.body["state"].as_str()), (200, Some("confirmed")), "{confirmed:?}");
    assert_eq!(confirmed.header("preference-applied"), GRANTED);
    if confirmed.body["persisted"] == true {
        assert_eq!(world.order_state("drop", 2).as_deref(), Some("confirmed"), "it is where it is said to be");
    }
    wait_for(&world, &path, "confirmed");
    let made = reserve(&world, "bob", &[WAIT]);
    assert_eq!((made.status, made.body["state"].as_str()), (201, Some("held")), "{made:?}");
    assert_eq!(made.header("preference-applied"), GRANTED);
    wait_for(&world, &location(&made), "held");
    let repeated = reserve(&world, "bob", &[WAIT]);
    check_is(&repeated, 200, "held", true);
    assert_eq!(repeated.header("idempotency-replayed"), Some("true"));
    assert_eq!(world.http().send("DELETE", &location(&made), &[WAIT], "").expect("an answer").status, 200);
    wait_for(&world, &location(&made), "released");
}

#[test]
fn a_waiting_caller_gets_what_postgresql_refuses() {
    let mut world = World::start_without_syncer();
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    world.sql("UPDATE skus SET total = 0");
    let path = location(&reserve(&world, "ada", &[]));
    check_is(&world.http().get(&path).expect("an answer"), 200, "confirmed", false);
    world.start_syncer();
    wait_for(&world, &path, "rejected");
    assert_eq!(world.http().get(&path).expect("an answer").body["reason"], "oversold");
}

#[test]
fn a_hold_that_ran_out_is_expired_here_first_and_then_there() {
    let world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9,\"hold_ms\":1}");
    let path = location(&reserve(&world, "ada", &[]));
    wait_for(&world, &path, "expired");
    assert_eq!(world.order_state("drop", 2).as_deref(), Some("expired"));
}

/// One look at the sale serves all of them.
#[test]
fn many_wait_for_one_batch() {
    const WAITERS: u64 = 50;
    let mut world = World::start_without_syncer();
    world.create_sale("{\"sale\":\"drop\",\"total\":100}");
    let paths: Vec<String> = (0..WAITERS).map(|buyer| location(&reserve(&world, &format!("b{buyer}"), &[]))).collect();
    let address = world.address;
    world.http().get(&paths[0]).expect("an answer");
    let (before, start) = (looks(&world), Instant::now());
    thread::scope(|scope| {
        let waiters: Vec<_> = paths
            .iter()
            .map(|path| {
                scope.spawn(move || {
                    let mut http = crate::support::http::Http::connect(address).expect("a connection");
                    http.send("GET", path, &[("prefer", "wait=2")], "").expect("an answer")
                })
            })
            .collect();
        for waiter in waiters {
            check_is(&waiter.join().expect("an answer"), 200, "confirmed", false);
        }
    });
    // Each request looks twice itself, at its reservation and its sale, before it waits and afterwards. However many
    // wait, one looks for all of them, every 20 ms.
    let (looks, shared) = (looks(&world) - before, 50 * (start.elapsed().as_secs() + 1) + 2);
    assert!((2 * WAITERS..=4 * WAITERS + shared).contains(&looks), "{looks} looks for {WAITERS} waiters");
    world.start_syncer();
    paths.iter().for_each(|path| wait_for(&world, path, "confirmed"));
}

/// How often Redis was asked for a status.
fn looks(world: &World) -> u64 {
    let stats: String = run(&mut world.redis.connect(), "INFO commandstats");
    let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_FLASH.STATUS:calls="));
    line.and_then(|line| line.split(',').next()?.parse().ok()).expect("it was asked before")
}

#[test]
fn a_stopping_gateway_keeps_no_caller_waiting() {
    let mut world = World::start_without_syncer();
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    let path = location(&reserve(&world, "ada", &[]));
    world.http().get(&path).expect("an answer");
    let (address, before) = (world.address, looks(&world));
    let waiter = thread::spawn(move || {
        let mut http = crate::support::http::Http::connect(address).expect("a connection");
        http.send("GET", &path, &[WAIT], "").expect("an answer")
    });
    // A request by itself looks twice.
    wait::until("somebody who waits", || (looks(&world) > before + 2).then_some(()));
    world.stop_gateway();
    check_is(&waiter.join().expect("an answer"), 200, "confirmed", false);
}
