//! One key, one request: a repeat gets the real outcome, and another request with the key is refused.

mod routes;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::http::Answer;
use crate::support::redis::{check, run};
use crate::support::wait;
use crate::support::world::World;

const RESERVE: &str = "/v1/sales/drop/reservations";

fn send(world: &World, method: &str, path: &str, key: &str, body: &str) -> Answer {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    world.http().send(method, path, &headers, body).expect("an answer")
}

/// Asks again as long as the outcome is not known.
fn send_patiently(world: &World, key: &str, body: &str) -> Answer {
    wait::until("a yes or a no", || {
        let answer = send(world, "POST", RESERVE, key, body);
        (answer.status < 500).then_some(answer)
    })
}

fn check_replayed(answer: &Answer, id: &str) {
    let seen = (answer.status, answer.body["id"].as_str(), answer.header("idempotency-replayed"));
    assert_eq!(seen, (200, Some(id), Some("true")), "{answer:?}");
}

fn check_reused(answer: &Answer) {
    assert_eq!((answer.status, answer.problem()), (422, "key-reused"), "{answer:?}");
}

const WISH: &str = "{\"buyer\":\"ada\",\"data\":{\"size\":42}}";

/// What contradicts [`WISH`] under the same key.
const OTHERS: [&str; 4] = [
    "{\"buyer\":\"ada\",\"data\":{\"size\":43}}",
    "{\"buyer\":\"ada\"}",
    "{\"buyer\":\"ada\",\"quantity\":2,\"data\":{\"size\":42}}",
    "{\"buyer\":\"ada\",\"data\":null,\"quantity\":1}",
];

#[test]
fn a_key_means_its_reservation_at_every_gateway_through_crash_and_rebuild() {
    let mut world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9,\"limit\":5,\"hold_ms\":600000}");
    let first = send(&world, "POST", RESERVE, "k", WISH);
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None), "{first:?}");
    let id = first.body["id"].as_str().expect("an id");
    let check_all = |world: &World| {
        check_replayed(&send_patiently(world, "\"k\"", WISH), id);
        OTHERS.iter().for_each(|other| check_reused(&send_patiently(world, "k", other)));
    };
    check_all(&world);
    world.start_second_gateway();
    check_all(&world);
    world.crash_redis();
    check_all(&world);
    // Redis writes its AOF anew from the state: the key must be in that, too.
    let mut redis = world.redis.connect();
    let _: redis::Value = run(&mut redis, "BGREWRITEAOF");
    wait::until("a rewritten AOF", || {
        let info: String = run(&mut redis, "INFO persistence");
        info.contains("aof_rewrite_in_progress:0\r\n").then_some(())
    });
    world.crash_redis();
    check_all(&world);
    // Redis forgets all of it, and PostgreSQL brings it back.
    world.wait_for_empty_journal("drop");
    check(&mut world.redis.connect(), "DEL flash:drop", "1");
    check_all(&world);
    let buyer_of_his_own = send_patiently(&world, "k", "{\"buyer\":\"bob\"}");
    assert_eq!(buyer_of_his_own.status, 201, "a key is its buyer's: {buyer_of_his_own:?}");
}

#[test]
fn an_answer_that_did_not_come_is_unknown_and_the_same_key_learns_it() {
    let world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9,\"limit\":5}");
    let pid = world.redis.redis.server.pid().and_then(|pid| Pid::from_raw(pid.cast_signed())).expect("Redis runs");
    kill_process(pid, Signal::STOP).expect("ours to stop");
    let unknown = send(&world, "POST", RESERVE, "k", WISH);
    kill_process(pid, Signal::CONT).expect("ours to wake");
    assert_eq!((unknown.status, unknown.problem()), (504, "outcome-unknown"), "{unknown:?}");
    // Redis finds the first request in its socket when it wakes: the second is its repeat, or the first of the two.
    let learnt = send_patiently(&world, "k", WISH);
    let id = learnt.body["id"].as_str().expect("an id");
    check_replayed(&send_patiently(&world, "k", WISH), id);
    check_reused(&send_patiently(&world, "k", OTHERS[0]));
    let sale = world.http().get("/v1/sales/drop").expect("an answer");
    assert_eq!(sale.body["available"], 8, "one unit is sold: {sale:?}");
}

#[test]
fn a_hold_ends_once_under_whatever_key() {
    let world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9,\"hold_ms\":600000}");
    for (buyer, method, end) in [("ada", "POST", "/confirm"), ("bob", "DELETE", "")] {
        let made = world.http().post(RESERVE, &format!("{{\"buyer\":\"{buyer}\"}}")).expect("an answer");
        let id = made.body["id"].as_str().expect("an id");
        let path = format!("{}{end}", made.header("location").expect("a place"));
        let first = send(&world, method, &path, "k", "");
        assert_eq!((first.status, first.header("idempotency-replayed")), (200, None), "{first:?}");
        check_replayed(&send(&world, method, &path, "k", ""), id);
        check_replayed(&send(&world, method, &path, "another", ""), id);
        assert_eq!(send(&world, method, &path, "\"k", "").status, 400, "what is no key is refused");
    }
}

#[test]
fn a_key_makes_one_sale() {
    let mut world = World::start();
    let create = |world: &World, key: &str, body: &str| send(world, "POST", "/v1/sales", key, body);
    let first = create(&world, "k", "{\"total\":9}");
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None), "{first:?}");
    let again = create(&world, "k", "{\"total\":9}");
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")), "{again:?}");
    assert_eq!(again.body, first.body, "the sale has the id that the first request gave it");
    check_reused(&create(&world, "k", "{\"total\":8}"));
    check_reused(&create(&world, "k", "{\"sale\":\"drop\",\"total\":9}"));
    world.start_second_gateway();
    assert_eq!(create(&world, "k", "{\"total\":9}").body, first.body);
    assert_eq!(create(&world, "k-2", "{\"sale\":\"drop\",\"total\":9}").status, 201);
    assert_eq!(create(&world, "k-3", "{\"sale\":\"drop\",\"total\":9}").status, 200, "the sale is the same sale");
    let differs = create(&world, "k-4", "{\"sale\":\"drop\",\"total\":8}");
    assert_eq!((differs.status, differs.problem()), (409, "sale-differs"), "{differs:?}");
}

#[test]
fn a_key_restocks_once() {
    const RESTOCK: &str = "/v1/sales/drop/restock";
    let mut world = World::start_direct("idempotency_restock");
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    world.create_sale("{\"sale\":\"other\",\"total\":9}");
    let more = |world: &World, key: &str, path: &str| send(world, "POST", path, key, "{\"delta\":5}");
    let total = |world: &World| world.http().get("/v1/sales/drop").expect("an answer").body["total"].as_u64();
    let first = more(&world, "k", RESTOCK);
    assert_eq!((first.status, first.header("idempotency-replayed")), (200, None), "{first:?}");
    send(&world, "POST", RESERVE, "r", "{\"buyer\":\"ada\"}");
    let check_again = |world: &World| {
        let again = more(world, "\"k\"", RESTOCK);
        assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")), "{again:?}");
        assert_eq!((&again.body, total(world)), (&first.body, Some(14)));
    };
    check_again(&world);
    check_reused(&send(&world, "POST", RESTOCK, "k", "{\"delta\":6}"));
    world.start_second_gateway();
    check_again(&world);
    let elsewhere = more(&world, "k", "/v1/sales/other/restock");
    assert_eq!(elsewhere.header("idempotency-replayed"), None, "a key is its sale's: {elsewhere:?}");
    // What changed nothing is asked for anew.
    for _ in 0..2 {
        let refused = send(&world, "POST", RESTOCK, "k-2", "{\"delta\":-14}");
        assert_eq!((refused.status, refused.problem()), (409, "conflict"), "{refused:?}");
    }
    // And where it is unknown, nothing is done twice.
    world.sql("UPDATE request_keys SET answer = NULL WHERE key = 'k' AND route LIKE '%drop%'");
    let unknown = more(&world, "k", RESTOCK);
    assert_eq!((unknown.status, unknown.problem()), (504, "outcome-unknown"), "{unknown:?}");
    assert_eq!(total(&world), Some(14));
}

#[test]
fn a_restock_whose_answer_did_not_come_is_not_done_again_under_its_key() {
    const RESTOCK: &str = "/v1/sales/drop/restock";
    let world = World::start_direct("idempotency_restock_unknown");
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    let pid = world.redis.redis.server.pid().and_then(|pid| Pid::from_raw(pid.cast_signed())).expect("Redis runs");
    kill_process(pid, Signal::STOP).expect("ours to stop");
    let first = send(&world, "POST", RESTOCK, "k", "{\"delta\":5}");
    kill_process(pid, Signal::CONT).expect("ours to wake");
    assert_eq!((first.status, first.problem()), (504, "outcome-unknown"), "{first:?}");
    let second = send(&world, "POST", RESTOCK, "k", "{\"delta\":5}");
    assert_eq!((second.status, second.problem()), (504, "outcome-unknown"), "{second:?}");
    let total = world.http().get("/v1/sales/drop").expect("an answer").body["total"].as_u64();
    assert!([Some(9), Some(14)].contains(&total), "{total:?}");
}

/// What Redis cannot take is refused before PostgreSQL has it: it is never on sale later, and its id is free.
#[test]
fn a_sale_that_redis_refuses_is_not_created() {
    let world = World::start_direct("create_refused");
    let create =
        |total: u64| send(&world, "POST", "/v1/sales", "k", &format!("{{\"sale\":\"drop\",\"total\":{total}}}"));
    let check_refused = |answer: &Answer, want: (u16, &str)| {
        assert_eq!((answer.status, answer.problem()), want, "{answer:?}");
        assert_eq!(world.rows("SELECT count(*) FROM sales"), ["0"], "{answer:?}");
        assert_eq!(world.rows("SELECT count(*) FROM request_keys"), ["0"], "{answer:?}");
    };
    let set = |setting: &str| drop(run::<redis::Value>(&mut world.redis.connect(), &format!("CONFIG SET {setting}")));
    set("flash.total-units-max 10");
    check_refused(&create(11), (422, "invalid"));
    set("maxmemory 1");
    check_refused(&create(10), (503, "redis-away"));
    set("maxmemory 0");
    assert_eq!(create(10).status, 201);
}

/// Redis remembers a few of a buyer's reservations that ended; PostgreSQL remembers all.
#[test]
fn a_key_means_its_reservation_when_redis_has_forgotten_it() {
    /// More than Redis remembers of what ended.
    const ENDED: usize = 40;
    let world = World::start_direct("forgotten_key");
    world.create_sale("{\"sale\":\"drop\",\"total\":99,\"limit\":99,\"hold_ms\":600000}");
    let end = |answer: &Answer| {
        let path = answer.header("location").unwrap_or_else(|| panic!("{answer:?}"));
        let ended = world.http().send("DELETE", path, &[], "").expect("an answer");
        assert_eq!(ended.status, 200, "{ended:?}");
    };
    let first = send(&world, "POST", RESERVE, "k", WISH);
    end(&first);
    for _ in 0..ENDED {
        end(&world.http().post(RESERVE, "{\"buyer\":\"ada\"}").expect("an answer"));
    }
    world.wait_for_empty_journal("drop");
    let again = send_patiently(&world, "k", WISH);
    check_replayed(&again, first.body["id"].as_str().expect("an id"));
    assert_eq!(again.body["state"], "released", "{again:?}");
    OTHERS.iter().for_each(|other| check_reused(&send_patiently(&world, "k", other)));
    // What waits in the quarantine may have come with any key.
    world.sql("INSERT INTO quarantine (reason, body) VALUES ('of a later release', '')");
    let unknown = send(&world, "POST", RESERVE, "k-2", WISH);
    assert_eq!((unknown.status, unknown.problem()), (503, "postgres-away"), "{unknown:?}");
    let available = || world.http().get("/v1/sales/drop").expect("an answer").body["available"].as_u64();
    assert_eq!(available(), Some(99), "nothing is reserved");
    world.sql("UPDATE quarantine SET discarded_at = now()");
    assert_eq!(send_patiently(&world, "k-2", WISH).status, 201, "PostgreSQL does not know it: it is new");
    assert_eq!(available(), Some(98));
}

#[test]
fn another_request_of_a_buyer_at_the_limit_is_refused_and_names_what_there_is() {
    let world = World::start_direct("another_request");
    world.create_sale("{\"sale\":\"drop\",\"total\":9,\"hold_ms\":600000}");
    let first = send(&world, "POST", RESERVE, "k", WISH);
    let id = first.body["id"].as_str().expect("an id");
    let check_refused = |answer: &Answer| {
        let seen = (answer.status, answer.problem(), answer.body["reservation"].as_str());
        assert_eq!(seen, (409, "limit-exceeded", Some(id)), "{answer:?}");
    };
    check_refused(&send_patiently(&world, "k-2", WISH));
    check_refused(&send_patiently(&world, "k-2", OTHERS[0]));
    check_refused(&world.http().post(RESERVE, OTHERS[0]).expect("an answer"));
    check_replayed(&send_patiently(&world, "k", WISH), id);
}
