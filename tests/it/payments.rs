//! Payments: once for a reservation, never of what is not there, and given back where the order was not confirmed.

use std::thread;

use serde_json::{Value, json};

use crate::support::http::{Answer, Http};
use crate::support::redis::run;
use crate::support::rival::Rival;
use crate::support::wait;
use crate::support::world::World;

pub(crate) const PRICE: u64 = 300;
pub(crate) const BALANCE: &str = "{\"payment\":\"balance\"}";

/// A sale with a pay window, of a product that costs [`PRICE`], and buyers with 1000 each.
pub(crate) fn selling(buyers: &[&str]) -> World {
    let world = World::start();
    let http = &mut world.http();
    let product = json!({"product": "shirt", "name": "A shirt", "price": PRICE, "currency": "EUR"});
    let sale = json!({"sale": "drop", "total": 99, "limit": 9, "hold_ms": 600_000, "product": "shirt"});
    let accounts = buyers.iter().map(|buyer| ("/v1/buyers", account(buyer)));
    for (path, body) in [("/v1/products", product), ("/v1/sales", sale)].into_iter().chain(accounts) {
        let answer = http.post(path, &body.to_string()).expect("an answer");
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    world
}

fn account(buyer: &str) -> Value {
    json!({"buyer": buyer, "balance": 1_000, "currency": "EUR"})
}

/// The id of a new reservation. It lives as long as the tests.
pub(crate) fn reserve(world: &World, buyer: &str, quantity: u64) -> &'static str {
    let body = json!({"buyer": buyer, "quantity": quantity}).to_string();
    let answer = wait::until("a reservation", || {
        let answer = world.http().post("/v1/sales/drop/reservations", &body).expect("an answer");
        // On a busy machine the gateway may not have got to PostgreSQL yet.
        (answer.status != 503).then_some(answer)
    });
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.body["id"].as_str().expect("a reservation has an id").to_owned().leak()
}

/// What PostgreSQL calls it.
pub(crate) fn number(id: &str) -> &str {
    id.split_once('-').map_or(id, |(number, _)| number)
}

pub(crate) fn path(id: &str) -> String {
    format!("/v1/sales/drop/reservations/{id}")
}

pub(crate) fn confirm(http: &mut Http, id: &str, body: &str) -> Answer {
    wait::until("an answer", || {
        let answer = http.post(&format!("{}/confirm", path(id)), body).expect("an answer");
        // On a busy machine an answer may be "unknown": then one asks again.
        (![503, 504].contains(&answer.status)).then_some(answer)
    })
}

pub(crate) fn check(world: &World, id: &str, body: &str, want: (u16, &str)) {
    let answer = confirm(&mut world.http(), id, body);
    assert_eq!((answer.status, answer.problem()), want, "{body}: {answer:?}");
}

pub(crate) fn balance(world: &World, buyer: &str) -> u64 {
    wait::until("an answer", || {
        let answer = world.http().get(&format!("/v1/buyers/{buyer}")).expect("an answer");
        (![503, 504].contains(&answer.status)).then(|| answer.body["balance"].as_u64().expect("a balance"))
    })
}

pub(crate) fn wait_for_payment(world: &World, id: &str, state: &str) {
    let question = format!("SELECT state FROM payments WHERE sale = 'drop' AND id = {}", number(id));
    wait::until(&format!("payment {id} to be {state}"), || (world.rows(&question) == [state]).then_some(()));
}

/// A payment elsewhere, as a payment service reports it.
pub(crate) fn external(reference: &str) -> String {
    json!({"payment": "external", "reference": reference}).to_string()
}

/// What was not given back is what the balances lack.
pub(crate) fn check_books(world: &World) {
    let lacking = "SELECT sum(opening_balance - balance)::bigint FROM buyers";
    let paid = "SELECT coalesce(sum(amount), 0)::bigint FROM payments
        WHERE means = 'balance' AND state IN ('pending', 'settled')";
    assert_eq!(world.rows(lacking), world.rows(paid));
}

#[test]
fn a_confirm_by_balance_debits_once_and_no_more_than_there_is() {
    let world = selling(&["ada"]);
    let (two, one, rest) = (reserve(&world, "ada", 2), reserve(&world, "ada", 1), reserve(&world, "ada", 1));
    check(&world, two, BALANCE, (200, ""));
    check(&world, two, BALANCE, (200, ""));
    assert_eq!(balance(&world, "ada"), 1_000 - 2 * PRICE);
    check(&world, one, BALANCE, (200, ""));
    check(&world, rest, BALANCE, (402, "insufficient-balance"));
    let held = world.http().get(&path(rest)).expect("an answer");
    assert_eq!(held.body["state"], "held", "it may be paid otherwise: {held:?}");
    check(&world, rest, "", (422, "invalid"));
    check(&world, rest, &external("pi_1"), (200, ""));
    check(&world, rest, BALANCE, (409, "conflict"));
    let stranger = reserve(&world, "nobody", 1);
    check(&world, stranger, BALANCE, (402, "no-account"));
    wait_for_payment(&world, two, "settled");
    wait_for_payment(&world, one, "settled");
    assert_eq!(balance(&world, "ada"), 1_000 - 3 * PRICE);
    check_books(&world);
}

#[test]
fn confirms_at_the_same_time_debit_once_and_accounts_never_fall_below_zero() {
    const AT_ONCE: usize = 8;
    let world = selling(&["ada"]);
    let ids: Vec<&str> = (0..6).map(|_| reserve(&world, "ada", 1)).collect();
    let statuses: Vec<u16> = thread::scope(|scope| {
        let confirms = ids.iter().flat_map(|id| std::iter::repeat_n(*id, AT_ONCE)).map(|id| {
            let address = world.address;
            scope.spawn(move || confirm(&mut Http::connect(address).expect("it listens"), id, BALANCE).status)
        });
        let confirms: Vec<_> = confirms.collect();
        confirms.into_iter().map(|confirm| confirm.join().expect("no panic")).collect()
    });
    let paid = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!((paid, statuses.len() - paid), (3 * AT_ONCE, 3 * AT_ONCE), "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 402].contains(status)), "{statuses:?}");
    assert_eq!(balance(&world, "ada"), 1_000 - 3 * PRICE);
    check_books(&world);
}

/// Holds a buyer's row, so that the next debit waits.
fn hold_up_debits(world: &World, buyer: &str) {
    world.sql(&format!("BEGIN; SELECT FROM buyers WHERE buyer = '{buyer}' FOR UPDATE"));
}

fn wait_for_a_debit_that_waits(world: &World) {
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))";
    wait::until("a debit that waits", || (world.rows(waiting) != ["0"]).then_some(()));
}

fn let_it_go_on(world: &World) {
    world.sql("COMMIT");
}

#[test]
fn what_was_debited_for_a_hold_that_ended_meanwhile_is_given_back() {
    let world = selling(&["ada"]);
    let id = reserve(&world, "ada", 1);
    hold_up_debits(&world, "ada");
    thread::scope(|scope| {
        let late = scope.spawn(|| confirm(&mut Http::connect(world.address).expect("it listens"), id, BALANCE));
        wait_for_a_debit_that_waits(&world);
        let released = world.http().send("DELETE", &path(id), &[], "").expect("an answer");
        assert_eq!(released.status, 200, "{released:?}");
        let_it_go_on(&world);
        let late = late.join().expect("no panic");
        assert_eq!((late.status, late.problem()), (409, "conflict"), "{late:?}");
    });
    wait_for_payment(&world, id, "refunded");
    assert_eq!(balance(&world, "ada"), 1_000);
    check(&world, id, BALANCE, (409, "conflict"));
    check_books(&world);
}

#[test]
fn a_gateway_that_dies_between_debit_and_confirm_costs_no_buyer_anything() {
    let mut world = selling(&["ada", "bob"]);
    let (ada, bob) = (reserve(&world, "ada", 1), reserve(&world, "bob", 1));
    world.wait_for_orders("drop", 2);
    for (buyer, id) in [("ada", ada), ("bob", bob)] {
        let address = world.address;
        hold_up_debits(&world, buyer);
        let asking = thread::spawn(move || {
            let mut http = Http::connect(address).expect("it listens");
            let confirm = format!("{}/confirm", path(id));
            // Until the gateway is dead. No answer before is a yes.
            while let Ok(answer) = http.post(&confirm, BALANCE) {
                assert!([503, 504].contains(&answer.status), "{answer:?}");
            }
        });
        // Redis is away when the debit is done, so that no confirm comes through; and then the gateway is gone.
        wait_for_a_debit_that_waits(&world);
        world.redis.redis.server.kill().expect("ours to kill");
        let_it_go_on(&world);
        wait_for_payment(&world, id, "pending");
        world.kill_gateway();
        asking.join().expect("no panic");
        world.redis.redis.server.restart().expect("Redis starts again");
        world.start_gateway();
        assert_eq!(balance(&world, buyer), 1_000 - PRICE, "it is debited");
    }
    // Ada asks again. Bob has thought better of it.
    wait::until("ada's confirm", || {
        let answer = world.http().post(&format!("{}/confirm", path(ada)), BALANCE).ok()?;
        (answer.status == 200).then_some(())
    });
    wait::until("bob's release", || {
        let answer = world.http().send("DELETE", &path(bob), &[], "").ok()?;
        (answer.status == 200).then_some(())
    });
    wait_for_payment(&world, ada, "settled");
    wait_for_payment(&world, bob, "refunded");
    assert_eq!((balance(&world, "ada"), balance(&world, "bob")), (1_000 - PRICE, 1_000));
    check_books(&world);
}

#[test]
fn a_payment_elsewhere_is_written_down_once_with_its_reference() {
    let world = selling(&[]);
    let (paid, released) = (reserve(&world, "ada", 1), reserve(&world, "ada", 1));
    check(&world, paid, &external("pi_1"), (200, ""));
    check(&world, paid, &external("pi_1"), (200, ""));
    check(&world, paid, BALANCE, (409, "conflict"));
    wait_for_payment(&world, paid, "settled");
    check(&world, paid, &external("pi_1"), (200, ""));
    assert_eq!(world.rows("SELECT reference FROM payments"), ["pi_1"]);
    // Paid, and never confirmed: the payment service must refund it.
    world.sql(&format!(
        "INSERT INTO payments (sale, id, buyer, means, reference) VALUES ('drop', {}, 'ada', 'external', 'pi_3')",
        number(released)
    ));
    world.http().send("DELETE", &path(released), &[], "").expect("an answer");
    wait_for_payment(&world, released, "refund_due");
    let listed = |query: &str| world.http().get(&format!("/v1/payments?{query}")).expect("an answer");
    let due = listed("state=refund_due").body;
    assert_eq!((&due["payments"][0]["reference"], due["payments"].as_array().map(Vec::len)), (&"pi_3".into(), Some(1)));
    let last = due["payments"][0]["payment"].as_u64().expect("a number");
    assert_eq!(listed(&format!("state=refund_due&after={last}")).body["payments"], json!([]));
    assert_eq!(listed("sale=drop&limit=1").body["payments"][0]["reference"], "pi_1");
    assert_eq!(listed("sale=other").body["payments"], json!([]));
    for bad in ["state=lost", "sale=dr%20op", "after=drop/7", "limit=0"] {
        assert_eq!(listed(bad).status, 400, "{bad}");
    }
    let bad = [
        "{\"payment\":\"cash\"}",
        "{\"payment\":7}",
        "{}",
        "{\"payment\":\"external\"}",
        "{\"payment\":\"balance\",\"reference\":\"a\"}",
        &external(&"a".repeat(257)),
    ];
    let id = reserve(&world, "ada", 1);
    for body in bad {
        check(&world, id, body, (422, "invalid"));
    }
}

#[test]
fn a_sale_of_no_product_has_no_price() {
    let world = World::start_without_syncer();
    world.create_sale("{\"sale\":\"drop\",\"total\":9,\"hold_ms\":600000}");
    let id = reserve(&world, "ada", 1);
    check(&world, id, BALANCE, (422, "invalid"));
    check(&world, id, "", (200, ""));
}

#[test]
fn what_was_debited_for_a_reservation_that_was_lost_before_it_was_written_is_given_back() {
    const LOST: &str = "1000";
    let world = selling(&["ada", "bob"]);
    world.sql(&format!(
        "INSERT INTO payments (sale, id, buyer, means, amount, currency)
        VALUES ('drop', {LOST}, 'ada', 'balance', {PRICE}, 'EUR');
        UPDATE buyers SET balance = balance - {PRICE} WHERE buyer = 'ada'"
    ));
    let bobs = reserve(&world, "bob", 1);
    check(&world, bobs, BALANCE, (200, ""));
    wait_for_payment(&world, bobs, "settled");
    assert_eq!(balance(&world, "ada"), 1_000 - PRICE, "the reservation may still come");
    // As a recovery does that begins the sale's next life after it.
    world.sql(&format!("UPDATE epochs SET head = {LOST} WHERE sale = 'drop'"));
    wait_for_payment(&world, LOST, "refunded");
    assert_eq!(balance(&world, "ada"), 1_000);
    check_books(&world);
}

#[test]
fn an_account_is_opened_once() {
    let world = selling(&["ada"]);
    let post = |body: &Value| {
        let answer = world.http().post("/v1/buyers", &body.to_string()).expect("an answer");
        (answer.status, answer.problem().to_owned())
    };
    assert_eq!(post(&account("ada")), (200, String::new()));
    let mut richer = account("ada");
    richer["balance"] = json!(2_000);
    assert_eq!(post(&richer), (409, "buyer-differs".to_owned()));
    assert_eq!(post(&account("auth0|eve lovelace")), (201, String::new()));
    assert_eq!(balance(&world, "auth0%7Ceve%20lovelace"), 1_000);
    let answer = world.http().get("/v1/buyers/nobody").expect("an answer");
    assert_eq!((answer.status, answer.problem()), (404, "unknown-buyer"));
}

/// What is wrong with a confirm before anything is taken for it: its headers, and what each is answered.
const REFUSED: [((&str, &str), u16, &str); 4] = [
    (("idempotency-key", "\"k"), 400, "bad-request"),
    (("flash-durability", "often"), 400, "bad-request"),
    (("flash-durability", "replicas=1"), 503, "durability-unavailable"),
    (("content-type", "text/plain"), 415, "unsupported-media-type"),
];

#[test]
fn a_confirm_that_is_refused_has_debited_nothing() {
    let world = selling(&["ada"]);
    let id = reserve(&world, "ada", 1);
    let confirm = format!("{}/confirm", path(id));
    let send = |headers: &[(&str, &str)]| world.http().send("POST", &confirm, headers, BALANCE).expect("an answer");
    for (header, status, problem) in REFUSED {
        let json = ("content-type", "application/json");
        let headers: Vec<_> = [header].into_iter().chain((header.0 != json.0).then_some(json)).collect();
        let answer = send(&headers);
        assert_eq!((answer.status, answer.problem()), (status, problem), "{headers:?}: {answer:?}");
        assert_eq!(world.rows("SELECT count(*) FROM payments"), ["0"], "{headers:?}");
    }
    // Another gateway seems to bring the sale back, so that it stays fenced.
    let _rival = Rival::start(&world, "drop");
    let _: redis::Value = run(&mut world.redis.connect(), "FLASH.FENCE flash:drop");
    let fenced = send(&[("content-type", "application/json")]);
    assert_eq!((fenced.status, fenced.problem()), (503, "fenced"), "{fenced:?}");
    assert_eq!(world.rows("SELECT count(*) FROM payments"), ["0"]);
    assert_eq!(balance(&world, "ada"), 1_000);
}

#[test]
fn a_waiting_debit_delays_no_other() {
    const WAITING: usize = 2;
    let world = selling(&["ada", "bob"]);
    let adas: Vec<_> = (0..WAITING).map(|_| reserve(&world, "ada", 1)).collect();
    let bobs = reserve(&world, "bob", 1);
    hold_up_debits(&world, "ada");
    thread::scope(|scope| {
        let confirm_at = |id: &'static str| {
            Http::connect(world.address).expect("it listens").post(&format!("{}/confirm", path(id)), BALANCE)
        };
        let waiting: Vec<_> = adas.iter().map(|id| scope.spawn(move || confirm_at(id))).collect();
        wait_for_a_debit_that_waits(&world);
        let began = std::time::Instant::now();
        check(&world, bobs, BALANCE, (200, ""));
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
        for answer in waiting {
            let answer = answer.join().expect("no panic").expect("an answer");
            assert!([503, 504].contains(&answer.status), "{answer:?}");
        }
    });
    let_it_go_on(&world);
}

#[test]
fn a_debit_that_waited_is_not_made_once_its_confirm_was_answered() {
    let world = selling(&["ada"]);
    let (id, other) = (reserve(&world, "ada", 1), reserve(&world, "ada", 1));
    hold_up_debits(&world, "ada");
    let unknown = world.http().post(&format!("{}/confirm", path(id)), BALANCE).expect("an answer");
    assert!([503, 504].contains(&unknown.status), "{unknown:?}");
    check(&world, id, &external("pi_1"), (200, ""));
    let_it_go_on(&world);
    // What waited before this one was made before it, if at all.
    check(&world, other, BALANCE, (200, ""));
    assert_eq!(balance(&world, "ada"), 1_000 - PRICE);
    check_books(&world);
}

#[test]
fn a_payment_follows_its_own_buyers_order() {
    let world = selling(&["ada", "bob"]);
    let bobs = reserve(&world, "bob", 1);
    check(&world, bobs, &external("pi_1"), (200, ""));
    world.wait_for_orders("drop", 1);
    world.sql(&format!(
        "INSERT INTO payments (sale, id, buyer, means, amount, currency)
        VALUES ('drop', {}, 'ada', 'balance', {PRICE}, 'EUR');
        UPDATE buyers SET balance = balance - {PRICE} WHERE buyer = 'ada'",
        number(bobs)
    ));
    let states = "SELECT buyer || ' ' || state FROM payments ORDER BY 1";
    wait::until("ada's refund", || (world.rows(states) == ["ada refunded", "bob settled"]).then_some(()));
    assert_eq!(balance(&world, "ada"), 1_000);
}
