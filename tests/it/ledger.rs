//! What is reported of payments is recorded, whatever became of the reservation, and answered the same each time.

use std::thread;

use serde_json::{Value, json};

use crate::metrics::wait_for;
use crate::payments::{
    BALANCE, PRICE, balance, check, check_books, confirm, external, number, path, reserve, selling, wait_for_payment,
};
use crate::support::http::{Answer, Http};
use crate::support::wait;
use crate::support::world::World;

/// Reports it twice; both are answered so, and the detail says this.
fn refused(world: &World, id: &str, body: &Value, want: (u16, &str), detail: &str) {
    for attempt in ["first", "again"] {
        let answer = confirm(&mut world.http(), id, &body.to_string());
        assert_eq!((answer.status, answer.problem()), want, "{attempt} {body}: {answer:?}");
        let said = answer.body["detail"].as_str().unwrap_or_default();
        assert!(said.contains(detail), "{attempt} {body}: {said} lacks {detail}");
    }
}

/// Gives the hold back. On a busy machine an answer may be "unknown": then one asks again.
fn release(world: &World, id: &str) -> Answer {
    wait::until("a release", || {
        let answer = world.http().send("DELETE", &path(id), &[], "").expect("an answer");
        (![503, 504].contains(&answer.status)).then_some(answer)
    })
}

fn told(reference: &str, more: Value) -> Value {
    let mut body = json!({"payment": "external", "reference": reference});
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

/// Reference, state and reason of all payments.
fn ledger(world: &World) -> Vec<String> {
    world.rows("SELECT concat_ws(' ', coalesce(reference, means), state, reason) FROM payments ORDER BY payment")
}

#[test]
fn a_late_payment_is_recorded_and_due_whatever_became_of_the_hold() {
    const DUE: (u16, &str) = (409, "refund-due");
    let world = selling(&[]);
    let (released, expired) = (reserve(&world, "ada", 1), reserve(&world, "ada", 1));
    release(&world, released);
    // A sale of its own, for its holds are short.
    let brief = json!({"sale": "brief", "total": 9, "hold_ms": 1, "product": "shirt"}).to_string();
    assert_eq!(world.http().post("/v1/sales", &brief).expect("an answer").status, 201);
    let made = world.http().post("/v1/sales/brief/reservations", "{\"buyer\":\"ada\"}").expect("an answer");
    let expire = format!("/v1/sales/brief/reservations/{}/confirm", made.id().expect("an id"));
    wait::until("an expired hold", || {
        let late = world.http().post(&expire, &external("expired")).expect("an answer");
        (late.problem() == "refund-due").then_some(())
    });
    refused(&world, released, &told("released", json!({})), DUE, "the hold had ended: the payment");
    let unknown = format!("999-{}", "0".repeat(32));
    refused(&world, &unknown, &told("unknown", json!({})), DUE, "no such reservation");
    refused(
        &world,
        &unknown,
        &told("unknown to all", json!({"buyer": "eve", "amount": 5})),
        DUE,
        "recorded as refund_due",
    );
    let elsewhere = format!("/v1/sales/never-was/reservations/{unknown}/confirm");
    wait::until("a payment for a sale that never was", || {
        (world.http().post(&elsewhere, &external("no sale")).expect("an answer").problem() == "refund-due")
            .then_some(())
    });
    let want = [
        "expired refund_due late",
        "released refund_due late",
        "unknown refund_due unknown",
        "unknown to all refund_due unknown",
        "no sale refund_due unknown",
    ];
    assert_eq!(ledger(&world), want);
    check(&world, expired, &external("in time"), (200, ""));
    wait_for(world.address, "flash_payments_due{currency=\"EUR\"}", |due| due == 4.0);
    wait_for(world.address, "flash_payments_due_amount{currency=\"EUR\"}", |due| due == 605.0);
    wait_for(world.address, "flash_payments_due{currency=\"unknown\"}", |due| due == 1.0);
}

#[test]
fn a_payment_that_does_not_fit_is_due_and_one_that_fits_still_pays() {
    const DUE: (u16, &str) = (409, "refund-due");
    let world = selling(&["ada"]);
    let id = reserve(&world, "ada", 2);
    let due = |reference: &str, more: Value, detail: &str| refused(&world, id, &told(reference, more), DUE, detail);
    due("less", json!({"amount": 2 * PRICE - 1}), "costs another amount");
    due("usd", json!({"currency": "USD"}), "in another currency");
    due("eve", json!({"buyer": "eve"}), "another buyer's");
    assert_eq!(world.http().get(&path(id)).expect("an answer").body["state"], "held", "nothing is confirmed");
    let fits = told("fits", json!({"amount": 2 * PRICE, "currency": "EUR", "buyer": "ada"})).to_string();
    check(&world, id, &fits, (200, ""));
    due("second", json!({}), "by another payment");
    check(&world, id, BALANCE, (409, "conflict"));
    check(&world, id, &fits, (200, ""));
    wait_until_ledger(
        &world,
        &[
            "less refund_due other_amount",
            "usd refund_due other_currency",
            "eve refund_due other_buyer",
            "fits settled",
            "second refund_due duplicate",
        ],
    );
    // What is recorded stays.
    let again = |more: Value, detail: &str| refused(&world, id, &told("fits", more), (409, "conflict"), detail);
    again(json!({"amount": 1}), "another amount: 600");
    again(json!({"currency": "USD"}), "another currency: EUR");
    again(json!({"buyer": "bob"}), "another buyer: ada");
    let other = reserve(&world, "ada", 2);
    let clash = format!("another reservation: {} of the sale drop", number(id));
    refused(&world, other, &told("fits", json!({})), (409, "conflict"), &clash);
    assert_eq!(world.rows("SELECT count(*) FROM payments"), ["5"]);
    assert_eq!(world.http().get(&path(other)).expect("an answer").body["state"], "held");
    assert_eq!(world.flash(&["audit", "drop"]).0, 0);
}

fn wait_until_ledger(world: &World, want: &[&str]) {
    wait::until("the ledger", || (ledger(world) == want).then_some(()));
}

#[test]
fn of_payments_at_once_for_one_reservation_one_pays() {
    const AT_ONCE: usize = 16;
    let world = selling(&["ada"]);
    let id = reserve(&world, "ada", 1);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let pay = |at: usize| {
            let body = if at == 0 { BALANCE.to_owned() } else { external(&format!("pi_{at}")) };
            let address = world.address;
            scope.spawn(move || confirm(&mut Http::connect(address).expect("it listens"), id, &body).status)
        };
        let paying: Vec<_> = (0..AT_ONCE).map(pay).collect();
        paying.into_iter().map(|paying| paying.join().expect("no panic")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
    wait::until("one that is settled", || {
        let settled =
            "SELECT count(*) FILTER (WHERE state = 'settled') || ' ' || count(*) FILTER (WHERE state = 'pending')
            FROM payments";
        (world.rows(settled) == ["1 0"]).then_some(())
    });
    let external = world.rows("SELECT count(*) FROM payments WHERE means = 'external'");
    assert_eq!(external, [(AT_ONCE - 1).to_string()], "each one that was reported is recorded");
    check_books(&world);
    assert_eq!(world.flash(&["audit", "drop"]).0, 0);
}

#[test]
fn a_payment_that_races_the_end_of_its_hold_is_settled_or_due() {
    const ROUNDS: usize = 12;
    let world = selling(&[]);
    let ids: Vec<_> = (0..ROUNDS).map(|round| reserve(&world, &format!("buyer-{round}"), 1)).collect();
    for id in &ids {
        let answers: [Answer; 2] = thread::scope(|scope| {
            let address = world.address;
            let pay = scope.spawn(move || confirm(&mut Http::connect(address).expect("it listens"), id, &external(id)));
            let released = release(&world, id);
            [pay.join().expect("no panic"), released]
        });
        let statuses = answers.each_ref().map(|answer| (answer.status, answer.problem().to_owned()));
        let (paid, freed) = ((200, String::new()), (409, "conflict".to_owned()));
        let late = (409, "refund-due".to_owned());
        assert!(statuses == [paid.clone(), freed] || statuses == [late, paid], "{answers:?}");
    }
    wait::until("each one settled or due", || {
        let states = "SELECT count(*) FROM payments JOIN orders USING (sale, id, buyer)
            WHERE (payments.state, orders.state) IN (('settled', 'confirmed'), ('refund_due', 'released'))";
        (world.rows(states) == [ROUNDS.to_string()]).then_some(())
    });
}

#[test]
fn a_payment_that_is_reported_while_redis_is_away_waits_and_is_not_dropped() {
    let mut world = selling(&[]);
    let (ada, bob) = (reserve(&world, "ada", 1), reserve(&world, "bob", 1));
    world.wait_for_orders("drop", 2);
    world.redis.redis.server.kill().expect("ours to kill");
    let report = |world: &World, id: &str| {
        world
            .http()
            .post(&format!("{}/confirm", path(id)), &external(&format!("pi {}", number(id))))
            .expect("an answer")
    };
    for id in [ada, bob] {
        wait::until("a record", || {
            let answer = report(&world, id);
            assert!([503, 504].contains(&answer.status), "{answer:?}");
            let said = answer.body["detail"].as_str().unwrap_or_default().to_owned();
            said.contains("recorded as pending").then_some(())
        });
        wait_for_payment(&world, id, "pending");
    }
    world.redis.redis.server.restart().expect("Redis starts again");
    wait::until("ada's confirm", || (report(&world, ada).status == 200).then_some(()));
    wait::until("bob's release", || {
        let answer = world.http().send("DELETE", &path(bob), &[], "").ok()?;
        (answer.status == 200).then_some(())
    });
    wait_for_payment(&world, ada, "settled");
    wait_for_payment(&world, bob, "refund_due");
    refused(&world, bob, &told(&format!("pi {}", number(bob)), json!({})), (409, "refund-due"), "the hold had ended");
}

/// Redis was away when it was reported, so that it could not be said that there is no such reservation. Its number is
/// beyond those of the epoch that a restart may begin.
#[test]
fn a_payment_for_a_reservation_that_was_never_made_becomes_due_without_another_report() {
    let mut world = selling(&[]);
    let id = reserve(&world, "ada", 1);
    world.wait_for_orders("drop", 1);
    world.redis.redis.server.kill().expect("ours to kill");
    for (reference, never) in [("made", id.to_owned()), ("never made", format!("99999999999-{}", "0".repeat(32)))] {
        let body = told(reference, json!({"buyer": "ada"})).to_string();
        wait::until("a record", || {
            let answer = world.http().post(&format!("{}/confirm", path(&never)), &body).ok()?;
            answer.body["detail"].as_str()?.contains("recorded as pending").then_some(())
        });
    }
    world.redis.redis.server.restart().expect("Redis starts again");
    // A minute passes for the payments.
    world.sql("UPDATE payments SET at = at - interval '1 hour'");
    wait_until_ledger(&world, &["made pending", "never made refund_due unknown"]);
    wait_for(world.address, "flash_payments_due{currency=\"EUR\"}", |due| due == 1.0);
}

#[test]
fn a_price_in_redis_is_never_charged() {
    let mut world = selling(&["ada"]);
    let id = reserve(&world, "ada", 1);
    world.stop_gateway();
    let mut redis = world.redis.connect();
    for facts in ["{\"price\":[1,\"EUR\"]}", "{}"] {
        let _: redis::Value = redis::cmd("SET").arg("flash:facts:drop").arg(facts).query(&mut redis).expect("OK");
        world.start_gateway();
        check(&world, id, "", (422, "invalid"));
        world.kill_gateway();
    }
    world.start_gateway();
    check(&world, id, BALANCE, (200, ""));
    assert_eq!(balance(&world, "ada"), 1_000 - PRICE);
}

#[test]
fn a_balance_in_another_currency_does_not_pay_and_says_so() {
    let world = selling(&[]);
    let dollars = json!({"buyer": "ada", "balance": 9_000, "currency": "USD"}).to_string();
    assert_eq!(world.http().post("/v1/buyers", &dollars).expect("an answer").status, 201);
    let id = reserve(&world, "ada", 1);
    let answer = confirm(&mut world.http(), id, BALANCE);
    assert_eq!((answer.status, answer.problem()), (402, "other-currency"), "{answer:?}");
    assert_eq!(answer.body["detail"], "the balance is in USD, and the price is in EUR");
    assert_eq!((balance(&world, "ada"), ledger(&world)), (9_000, vec![]));
    assert_eq!(world.flash(&["audit"]).0, 0);
    world.sql("UPDATE buyers SET balance = balance + 1");
    let (code, reports) = world.flash(&["audit"]);
    assert_eq!(code, 1, "{reports:?}");
    assert!(reports.iter().any(|report| report["findings"][0]["kind"] == "books"), "{reports:?}");
}

#[test]
fn a_refund_is_reported_once_by_the_service_that_paid() {
    let world = selling(&[]);
    let (late, paid) = (reserve(&world, "ada", 1), reserve(&world, "bob", 1));
    release(&world, late);
    check(&world, late, &external("late"), (409, "refund-due"));
    check(&world, paid, &external("paid"), (200, ""));
    let numbers = world.rows("SELECT payment FROM payments ORDER BY payment");
    let report = |payment: &str, body: &str| {
        world.http().post(&format!("/v1/payments/{payment}/refunded"), body).expect("an answer")
    };
    for _ in 0..2 {
        let answer = report(&numbers[0], "{\"reference\":\"re_1\"}");
        assert_eq!((answer.status, &answer.body["state"]), (200, &"refunded".into()), "{answer:?}");
        assert_eq!(answer.body["refund_reference"], "re_1");
    }
    for (payment, body, want) in [
        (numbers[0].as_str(), "{\"reference\":\"re_2\"}", (409, "conflict")),
        (numbers[1].as_str(), "{\"reference\":\"re_2\"}", (409, "conflict")),
        ("99", "{\"reference\":\"re_2\"}", (404, "unknown-payment")),
        ("01", "{\"reference\":\"re_2\"}", (404, "unknown-payment")),
        ("x", "{\"reference\":\"re_2\"}", (404, "unknown-payment")),
        (numbers[0].as_str(), "{}", (422, "invalid")),
        (numbers[0].as_str(), "{\"reference\":\"a\\u202eb\"}", (422, "invalid")),
    ] {
        let answer = report(payment, body);
        assert_eq!((answer.status, answer.problem()), want, "{payment} {body}: {answer:?}");
    }
    refused(&world, late, &told("late", json!({})), (409, "refund-due"), "recorded as refunded");
}

#[test]
fn the_program_lists_payments_and_records_refunds() {
    let world = selling(&[]);
    let late = reserve(&world, "ada", 1);
    release(&world, late);
    for reference in ["pi_1", "pi_2"] {
        check(&world, late, &external(reference), (409, "refund-due"));
    }
    let listed = |args: &[&str]| {
        let (code, rows) = world.flash(&[&["payments", "list"], args].concat());
        assert_eq!(code, 0, "{rows:?}");
        rows
    };
    let due = listed(&["--state", "refund-due", "--sale", "drop"]);
    let references: Vec<_> = due.iter().map(|row| row["reference"].as_str().unwrap_or_default()).collect();
    assert_eq!(references, ["pi_1", "pi_2"]);
    let [first, second] = [0, 1].map(|at: usize| due[at]["payment"].to_string());
    let refund = |payment: &str, reference: &str| {
        world.flash(&["payments", "refunded", payment, "--reference", reference, "--by", "root"]).0
    };
    for (payment, reference, want) in [
        (first.as_str(), "re_1", 0),
        (&first, "re_1", 0),
        (&first, "re_2", 1),
        (&second, "re_1", 1),
        (&second, "a\u{202e}b", 1),
        ("99", "re_2", 1),
    ] {
        assert_eq!(refund(payment, reference), want, "{payment} {reference}");
    }
    assert_eq!(listed(&["--state", "refunded"])[0]["refunded_by"], "root");
    assert_eq!(listed(&["--after", &first]).len(), 1);
    assert_eq!(listed(&["--sale", "other"]), [] as [Value; 0]);
    let logged = "SELECT concat_ws(' ', who, detail, outcome) FROM audit_log
        WHERE action = 'flash payments refunded' AND ends IS NOT NULL ORDER BY id";
    let want = [
        format!("root {first} re_1 done"),
        format!("root {first} re_1 done"),
        format!("root {first} re_2 failed"),
        format!("root {second} re_1 failed"),
        "root 99 re_2 failed".to_owned(),
    ];
    assert_eq!(world.rows(logged), want);
}
