//! Before: 400 and 503, and the balance was debited; "nothing was changed", and the sale opened ten seconds later; 422,
//! and the sale's id was taken for ever.

use serde_json::json;

use super::sale::{KEY, PATH};
use crate::support::http::Answer;
use crate::support::redis::run;
use crate::support::rival::Rival;
use crate::support::wait;
use crate::support::world::World;

const BALANCE: u64 = 1_000;

/// Headers of a request, and what else is wrong when it is sent.
type Refused = (&'static [(&'static str, &'static str)], fn(&World));

/// No key may be as long.
const TOO_LONG: &str = match str::from_utf8(&[b'k'; 1_000]) {
    Ok(key) => key,
    Err(_) => panic!("it is ASCII"),
};

/// What makes a confirm impossible.
const REFUSED: [Refused; 4] = [
    (&[("idempotency-key", TOO_LONG)], |_| ()),
    (&[("flash-durability", "often")], |_| ()),
    (&[("flash-durability", "replicas=1")], |_| ()),
    (&[], fence),
];

fn fence(world: &World) {
    let _: redis::Value = run(&mut world.redis.connect(), &format!("FLASH.FENCE {KEY}"));
}

fn post(world: &World, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = [&[("content-type", "application/json")], headers].concat();
    world.http().send("POST", path, &headers, body).expect("an answer")
}

#[test]
fn a_confirm_that_is_refused_debits_nothing() {
    let mut world = World::start_direct("r8_confirm");
    for (path, body) in [
        ("/v1/products", json!({"product": "shirt", "name": "A shirt", "price": 300, "currency": "EUR"})),
        ("/v1/sales", json!({"sale": "drop", "total": 9, "limit": 9, "hold_ms": 600_000, "product": "shirt"})),
        ("/v1/buyers", json!({"buyer": "ada", "balance": BALANCE, "currency": "EUR"})),
    ] {
        let made =
            wait::until("an answer", || Some(post(&world, path, &[], &body.to_string())).filter(|a| a.status < 500));
        assert_eq!(made.status, 201, "{made:?}");
    }
    let held = post(&world, &format!("{PATH}/reservations"), &[], "{\"buyer\":\"ada\"}");
    let confirm = format!("{PATH}/reservations/{}/confirm", held.id().unwrap_or_else(|| panic!("{held:?}")));
    world.wait_for_empty_journal("drop");
    // Nothing brings a fenced sale back meanwhile.
    world.stop_gateway();
    let _rival = Rival::start(&world, "drop");
    world.start_gateway();
    for (headers, spoil) in REFUSED {
        spoil(&world);
        let refused = post(&world, &confirm, headers, "{\"payment\":\"balance\"}");
        assert!(refused.status >= 400, "{headers:?}: {refused:?}");
        let balance = world.rows("SELECT balance FROM buyers WHERE buyer = 'ada'");
        let is_unknown = refused.problem() == "outcome-unknown";
        assert!(
            is_unknown || balance == [BALANCE.to_string()],
            "{headers:?}: {refused:?}, and the balance is {balance:?}"
        );
    }
}

#[test]
fn a_sale_that_could_not_be_created_is_not_there() {
    let world = World::start_direct("r8_create");
    let ask = |body: &str| {
        let mut last = post(&world, "/v1/sales", &[], body);
        wait::until("a gateway that reaches PostgreSQL", || {
            let is_early = last.body["detail"].as_str().is_some_and(|detail| detail.contains("PostgreSQL"));
            if is_early {
                last = post(&world, "/v1/sales", &[], body);
            }
            (!is_early).then_some(())
        });
        last
    };
    let there = |sale: &str| world.rows(&format!("SELECT count(*) FROM sales WHERE sale = '{sale}'")) != ["0"];
    let redis = &mut world.redis.connect();
    let _: redis::Value = run(redis, "CONFIG SET maxmemory 1");
    let refused = ask("{\"sale\":\"full\",\"total\":5}");
    let _: redis::Value = run(redis, "CONFIG SET maxmemory 0");
    assert!(refused.status >= 500, "{refused:?}");
    let is_unknown = refused.problem() == "outcome-unknown";
    assert!(is_unknown || !there("full"), "{refused:?}, and PostgreSQL has the sale");
    let _: redis::Value = run(redis, "CONFIG SET flash.total-units-max 100");
    let refused = ask("{\"sale\":\"large\",\"total\":101}");
    assert_eq!(refused.status, 422, "{refused:?}");
    assert!(!there("large"), "{refused:?}, and PostgreSQL has the sale");
    let created = ask("{\"sale\":\"large\",\"total\":100}");
    assert_eq!(created.status, 201, "the id is free: {created:?}");
}
