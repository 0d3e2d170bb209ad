//! What operators look through, page by page: sales, reservations, what is on its way, syncers and the
//! quarantine.

use redis::Value as Reply;
use serde_json::{Value, json};

use crate::audit::sell;
use crate::support::redis::run;
use crate::support::wait;
use crate::support::world::World;

/// One field of each row of a list. A busy PostgreSQL may be too slow for once.
fn list(world: &World, path: &str, rows: &str, field: &str) -> Vec<Value> {
    let answer = wait::until("an answer", || {
        let answer = world.http().get(path).expect("an answer");
        (answer.status < 500).then_some(answer)
    });
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body[rows].as_array().expect("rows").iter().map(|row| row[field].clone()).collect()
}

#[test]
fn sales_are_listed_by_id_as_they_stand_in_redis() {
    let world = World::start_direct("list_sales");
    for sale in ["a", "b", "c"] {
        world.create_sale(&format!("{{\"sale\":\"{sale}\",\"total\":7}}"));
    }
    let check = |query: &str, field: &str, want: Value| {
        assert_eq!(json!(list(&world, &format!("/v1/sales{query}"), "sales", field)), want, "{query} {field}");
    };
    check("", "sale", json!(["a", "b", "c"]));
    check("?limit=2", "sale", json!(["a", "b"]));
    check("?after=b&limit=2", "sale", json!(["c"]));
    check("?after=c", "sale", json!([]));
    check("", "phase", json!(["open", "open", "open"]));
    // A sale that is long over is not brought back, and Redis need not have it.
    world.sql("UPDATE sales SET closes_at_ms = 1 WHERE sale = 'b'");
    let _: Reply = run(&mut world.redis.connect(), "DEL flash:b");
    check("", "available", json!([7, null, 7]));
    for bad in ["?limit=0", "?limit=101", "?page=1"] {
        assert_eq!(world.http().get(&format!("/v1/sales{bad}")).expect("an answer").problem(), "bad-request", "{bad}");
    }
}

#[test]
fn products_are_listed_by_id_a_page_at_a_time() {
    let world = World::start_direct("list_products");
    for product in ["mug", "shirt", "cap"] {
        let body = format!(
            "{{\"product\":\"{product}\",\"name\":\"A {product}\",\"price\":7,\"currency\":\"EUR\",\"skus\":[\"b\",\"a\"]}}"
        );
        assert_eq!(world.http().post("/v1/products", &body).expect("an answer").status, 201);
    }
    let check = |query: &str, field: &str, want: Value| {
        assert_eq!(json!(list(&world, &format!("/v1/products{query}"), "products", field)), want, "{query} {field}");
    };
    check("", "product", json!(["cap", "mug", "shirt"]));
    check("?limit=2", "product", json!(["cap", "mug"]));
    check("?after=mug&limit=2", "product", json!(["shirt"]));
    check("?after=shirt", "product", json!([]));
    check("?after=mug", "skus", json!([["b", "a"]]));
    for bad in ["?limit=0", "?limit=101", "?before=1", "?after=%ff", "?after=%2"] {
        let answer = world.http().get(&format!("/v1/products{bad}")).expect("an answer");
        assert_eq!(answer.problem(), "bad-request", "{bad}");
    }
}

#[test]
fn buyers_accounts_are_listed_by_buyer_a_page_at_a_time() {
    let world = World::start_direct("list_buyers");
    for (buyer, balance) in [("eve", 5), ("ada", 7), ("bob & co", 0)] {
        let body = json!({"buyer": buyer, "balance": balance, "currency": "EUR"}).to_string();
        assert_eq!(world.http().post("/v1/buyers", &body).expect("an answer").status, 201);
    }
    let check = |query: &str, field: &str, want: Value| {
        assert_eq!(json!(list(&world, &format!("/v1/buyers{query}"), "buyers", field)), want, "{query} {field}");
    };
    check("", "buyer", json!(["ada", "bob & co", "eve"]));
    check("", "balance", json!([7, 0, 5]));
    check("?limit=2", "buyer", json!(["ada", "bob & co"]));
    check("?after=bob+%26+co&limit=2", "buyer", json!(["eve"]));
    check("?after=eve", "currency", json!([]));
    for bad in ["?limit=0", "?limit=101", "?before=1", "?after=%ff", "?after=%00"] {
        let answer = world.http().get(&format!("/v1/buyers{bad}")).expect("an answer");
        assert_eq!(answer.problem(), "bad-request", "{bad}");
    }
}

#[test]
fn reservations_are_listed_by_state_and_buyer_the_newest_first() {
    let world = World::start_direct("list_reservations");
    let [ada, bob, eve] = sell(&world, "drop");
    world.wait_for_empty_journal("drop");
    let path = |query: &str| format!("/v1/sales/drop/reservations{query}");
    let check = |query: &str, want: &[&String]| {
        assert_eq!(json!(list(&world, &path(query), "reservations", "id")), json!(want), "{query}");
    };
    check("", &[&eve, &bob, &ada]);
    check("?limit=2", &[&eve, &bob]);
    check(&format!("?before={}", bob.split('-').next().expect("a number")), &[&ada]);
    check("?state=held", &[&eve, &bob]);
    check("?state=confirmed", &[&ada]);
    check("?state=rejected", &[]);
    check("?buyer=%62ob", &[&bob]);
    check("?buyer=bob&state=confirmed", &[]);
    let ask = |path: &str| world.http().get(path).expect("an answer");
    for bad in ["?state=open", "?buyer=%zz", "?buyer=", "?before=0", "?after=1"] {
        assert_eq!(ask(&path(bad)).problem(), "bad-request", "{bad}");
    }
    wait::until("a sale that there is not", || {
        (ask("/v1/sales/none/reservations").problem() == "unknown-sale").then_some(())
    });
    world.create_sale("{\"sale\":\"new\",\"total\":7}");
    assert_eq!(list(&world, "/v1/sales/new/reservations", "reservations", "id"), [] as [Value; 0]);
}

/// All of them read the clock of this machine.
#[test]
fn a_reservation_says_when_it_was_made_published_and_written_in_this_order_with_a_broker_and_without() {
    for world in [World::start(), World::start_direct("list_times")] {
        sell(&world, "drop");
        world.wait_for_empty_journal("drop");
        let times = |field: &str| {
            let times = list(&world, "/v1/sales/drop/reservations", "reservations", field);
            times.iter().map(|at_ms| at_ms.as_u64().expect(field)).collect::<Vec<_>>()
        };
        let [made, published, written] = ["reserved_at_ms", "published_at_ms", "written_at_ms"].map(times);
        assert_eq!(made.len(), 3);
        let rows = list(&world, "/v1/sales/drop/reservations", "reservations", "state");
        let ends = list(&world, "/v1/sales/drop/reservations", "reservations", "end_written_at_ms");
        for ((state, end), written) in rows.iter().zip(&ends).zip(&written) {
            let is_later = end.as_u64().is_some_and(|end| end >= *written);
            assert_eq!(is_later, state != "held", "{state}: written {written}, its end {end}");
        }
        for ((made, published), written) in made.iter().zip(&published).zip(&written) {
            assert!(made <= published && published <= written, "{made} {published} {written}");
        }
    }
}

#[test]
fn what_waits_in_the_quarantine_is_listed_with_its_event_where_it_has_one() {
    let world = World::start_direct("list_quarantine");
    world.sql(
        "INSERT INTO quarantine (sale, epoch, seq, reason, body) VALUES (NULL, NULL, NULL, 'unreadable', 'x'),
         ('drop', 1, 4, 'no_eve', 'xy'), ('drop', 1, 5, 'discarded', 'xyz');
         UPDATE quarantine SET discarded_at = now(), discarded_by = 'olga' WHERE seq = 5",
    );
    let check = |query: &str, field: &str, want: Value| {
        assert_eq!(json!(list(&world, &format!("/v1/quarantine{query}"), "rows", field)), want, "{query} {field}");
    };
    check("", "id", json!([1, 2]));
    check("?limit=1", "id", json!([1]));
    check("?after=1", "id", json!([2]));
    check("", "sale", json!([null, "drop"]));
    check("", "seq", json!([null, 4]));
    check("", "bytes", json!([1, 2]));
    check("", "reason", json!(["unreadable", "no_eve"]));
}

#[test]
fn events_in_flight_are_listed_until_they_have_arrived() {
    let mut world = World::start_without_syncer();
    sell(&world, "drop");
    let field = |field: &str| list(&world, "/v1/relay", "sales", field);
    assert_eq!((field("sale"), field("journal_events")), (vec![json!("drop")], vec![json!(5)]));
    assert!(field("oldest_age_ms")[0].is_u64() && field("acked") == [json!(0)]);
    wait::until("a relay", || field("relay")[0].is_string().then_some(()));
    world.start_syncer();
    wait::until("nothing on its way", || list(&world, "/v1/relay", "sales", "sale").is_empty().then_some(()));
}

#[test]
fn a_syncer_is_listed_once_it_has_said_something() {
    let world = World::start();
    let paused = wait::until("a syncer", || {
        let paused = list(&world, "/v1/syncers", "syncers", "paused");
        (!paused.is_empty()).then_some(paused)
    });
    assert_eq!(paused, [json!(false)]);
}

#[test]
fn a_syncer_tells_how_much_it_has_written_and_how_much_was_refused() {
    let world = World::start();
    sell(&world, "drop");
    world.wait_for_empty_journal("drop");
    let field = |field: &str| list(&world, "/v1/syncers", "syncers", field);
    wait::until("five events written", || (field("written") == [json!(5)]).then_some(()));
    assert_eq!(field("rejected"), [json!(0)]);
}
