//! A reservation that PostgreSQL has is shown with its data, its product and price, and its payment.

use serde_json::{Value, json};

use crate::payments::{BALANCE, PRICE, confirm, external, number, path, reserve, selling};
use crate::support::wait;
use crate::support::world::World;

/// The reservation once PostgreSQL has it in this state.
fn shown(world: &World, path: &str, state: &str) -> Value {
    wait::until(&format!("{state} in PostgreSQL"), || {
        let answer = world.http().get(path).expect("an answer");
        (answer.body["state"] == state && answer.body["persisted"] == true).then_some(answer.body)
    })
}

fn details(shown: &Value) -> Value {
    let names = ["data", "product", "price", "currency", "payment"];
    names.iter().filter_map(|name| Some(((*name).to_owned(), shown.get(*name)?.clone()))).collect()
}

#[test]
fn a_reservation_shows_what_it_costs_and_what_became_of_its_payment() {
    let world = selling(&["ada"]);
    let product = json!({"product": "shirt", "price": PRICE, "currency": "EUR"});
    let with = |payment: Value| {
        let mut details = product.clone();
        details["payment"] = payment;
        details
    };
    let (paid, reported, late) = (reserve(&world, "ada", 2), reserve(&world, "ada", 1), reserve(&world, "ada", 1));
    assert_eq!(details(&shown(&world, &path(paid), "held")), product);
    assert_eq!(confirm(&mut world.http(), paid, BALANCE).status, 200);
    assert_eq!(confirm(&mut world.http(), reported, &external("pi_1")).status, 200);
    assert_eq!(world.http().send("DELETE", &path(late), &[], "").expect("an answer").status, 200);
    shown(&world, &path(late), "released");
    assert_eq!(confirm(&mut world.http(), late, &external("pi_2")).problem(), "refund-due");
    for (id, state, payment) in [
        (paid, "confirmed", json!({"means": "balance", "amount": 2 * PRICE, "currency": "EUR", "state": "settled"})),
        (
            reported,
            "confirmed",
            json!({
                "means": "external", "amount": PRICE, "currency": "EUR", "reference": "pi_1", "state": "settled",
            }),
        ),
        (
            late,
            "released",
            json!({
                "means": "external", "amount": PRICE, "currency": "EUR", "reference": "pi_2", "state": "refund_due",
                "reason": "late",
            }),
        ),
    ] {
        let want = with(payment);
        // A payment follows its order a moment later.
        wait::until(&format!("{want}"), || (details(&shown(&world, &path(id), state)) == want).then_some(()));
    }
    let due = world.rows("SELECT payment FROM payments WHERE state = 'refund_due'");
    let refund = format!("/v1/payments/{}/refunded", due[0]);
    assert_eq!(world.http().post(&refund, r#"{"reference":"re_1"}"#).expect("an answer").status, 200);
    let payment = &shown(&world, &path(late), "released")["payment"];
    assert_eq!((&payment["state"], &payment["refund_reference"]), (&json!("refunded"), &json!("re_1")));

    let eur =
        |state, payments, amount| json!({"state": state, "currency": "EUR", "payments": payments, "amount": amount});
    let want = json!([eur("refunded", 1, PRICE), eur("settled", 2, 3 * PRICE)]);
    let totals = world.http().get("/v1/sales/drop/payments").expect("an answer").body;
    assert_eq!(totals, json!({"sale": "drop", "totals": want}));
    let (code, mut lines) = world.flash(&["payments", "totals", "--sale", "drop"]);
    lines.iter_mut().for_each(|line| drop(line.as_object_mut().expect("an object").remove("sale")));
    assert_eq!((code, json!(lines)), (0, want));

    // The payment of another buyer, for the same number, is not shown.
    let other = "UPDATE payments SET buyer = 'eve' WHERE reference = 'pi_1'";
    world.sql(other);
    assert_eq!(details(&shown(&world, &path(reported), "confirmed")), product);
    assert_eq!(number(reported).parse::<u64>().expect("a number"), 3);
}

#[test]
fn data_is_shown_as_the_json_that_it_was() {
    let world = World::start_direct("details");
    world.create_sale(r#"{"sale":"drop","total":9,"limit":9}"#);
    let http = &mut world.http();
    let totals = |sale: &str| world.http().get(&format!("/v1/sales/{sale}/payments")).expect("an answer");
    assert_eq!(totals("drop").body, json!({"sale": "drop", "totals": []}));
    assert_eq!((totals("ghost").problem(), totals("a%20b").problem()), ("unknown-sale", "unknown-sale"));
    assert_eq!(world.flash(&["payments", "totals", "--sale", "ghost"]), (2, vec![]));
    for data in [
        json!({"size": "M", "note": "two\nlines", "n": 1.5}),
        json!([]),
        json!("=1"),
        json!(-5),
        json!(false),
        Value::Null,
    ] {
        let body = json!({"buyer": "ada", "data": data}).to_string();
        let answer = http.post("/v1/sales/drop/reservations", &body).expect("an answer");
        let shown = shown(&world, &path(answer.id().expect("an id")), "confirmed");
        let want = if data.is_null() { json!({}) } else { json!({"data": data}) };
        assert_eq!(details(&shown), want, "{shown}");
    }
}
