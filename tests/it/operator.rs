//! `flash quarantine`, `flash relay status` and `flash repair`, as an operator runs them.

use redis::Value as Reply;
use serde_json::{Value, json};

use crate::audit::sell;
use crate::support::redis::{flat, run};
use crate::support::rival::Rival;
use crate::support::wait;
use crate::support::world::World;

/// Runs `flash`, and compares its exit code and these fields of each line that it prints.
fn check(world: &World, args: &[&str], code: i32, want: &[&[(&str, Value)]]) {
    let (got, lines) = world.flash(args);
    assert_eq!((got, lines.len()), (code, want.len()), "{args:?}: {lines:?}");
    for (line, want) in lines.iter().zip(want) {
        for (field, want) in *want {
            assert_eq!(&line[*field], want, "{args:?}, {field}: {line}");
        }
    }
}

#[test]
fn what_could_not_be_written_is_seen_explained_and_written_after_all() {
    let world = World::start();
    world.sql("ALTER TABLE orders ADD CONSTRAINT no_eve CHECK (buyer <> 'eve')");
    sell(&world, "drop");
    world.wait_for_empty_journal("drop");
    assert_eq!(world.flash(&["audit", "drop"]).0, 1, "a hold of eve's is missing");
    let eve = |state: &str| [("sale", json!("drop")), ("epoch", json!(1)), ("seq", json!(4)), ("state", json!(state))];
    check(&world, &["quarantine", "list"], 0, &[&eve("waits")]);
    check(&world, &["quarantine", "list", "--sale", "other"], 0, &[]);
    let (_, lines) = world.flash(&["quarantine", "show", "1"]);
    assert!(lines[0]["body"].as_str().is_some_and(|body| body.contains("\"buyer\":\"eve\"")), "{lines:?}");
    check(&world, &["quarantine", "replay"], 1, &[]);
    check(&world, &["quarantine", "replay", "1", "--dry-run"], 0, &[&eve("would_be_replayed")]);
    check(&world, &["quarantine", "replay", "--sale", "drop"], 1, &[&eve("refused")]);
    world.sql("ALTER TABLE orders DROP CONSTRAINT no_eve");
    check(&world, &["quarantine", "replay", "--since", "1h", "--reason", "no_eve"], 0, &[&eve("replayed")]);
    check(&world, &["quarantine", "replay", "--sale", "drop"], 0, &[]);
    check(&world, &["quarantine", "list"], 0, &[]);
    assert_eq!(world.order_state("drop", 4).as_deref(), Some("held"));
    check(&world, &["audit", "drop"], 0, &[&[("verdict", json!("whole"))]]);
}

#[test]
fn a_reservation_that_ended_meanwhile_is_written_as_it_ended_and_an_unknown_one_is_not() {
    let world = World::start();
    world.sql("ALTER TABLE orders ADD CONSTRAINT no_eve CHECK (buyer <> 'eve')");
    let [[_, _, eve], _] = ["released", "gone"].map(|sale| {
        let ids = sell(&world, sale);
        world.wait_for_empty_journal(sale);
        ids
    });
    let ended =
        world.http().send("DELETE", &format!("/v1/sales/released/reservations/{eve}"), &[], "").expect("an answer");
    assert_eq!(ended.status, 200, "{ended:?}");
    world.wait_for_empty_journal("released");
    // Another gateway seems to bring the sale back, so that its epoch goes on.
    let _rival = Rival::start(&world, "gone");
    let _: Reply = run(&mut world.redis.connect(), "DEL flash:gone");
    world.sql("ALTER TABLE orders DROP CONSTRAINT no_eve");
    check(&world, &["quarantine", "replay", "--sale", "released"], 0, &[&[("state", json!("replayed"))]]);
    assert_eq!(world.order_state("released", 4).as_deref(), Some("released"));
    check(&world, &["quarantine", "replay", "--sale", "gone"], 1, &[&[("state", json!("refused"))]]);
    check(
        &world,
        &["quarantine", "discard", "--sale", "gone", "--dry-run"],
        0,
        &[&[("state", json!("would_be_discarded"))]],
    );
    check(&world, &["quarantine", "discard", "--sale", "gone", "--by", "ada"], 0, &[&[("state", json!("discarded"))]]);
    check(&world, &["quarantine", "discard", "--sale", "gone"], 0, &[]);
    let (_, lines) = world.flash(&["quarantine", "list", "--all", "--sale", "gone"]);
    assert!(lines[0]["state"].as_str().is_some_and(|state| state.ends_with("by ada")), "{lines:?}");
}

#[test]
fn what_is_on_its_way_is_shown_with_who_carries_it() {
    let mut world = World::start_without_syncer();
    check(&world, &["relay", "status"], 0, &[&[("queue", json!("flash.events"))]]);
    sell(&world, "drop");
    let queued = |lines: &[Value]| lines.last().and_then(|queue| queue["ready"].as_u64());
    wait::until("messages in the queue", || queued(&world.flash(&["relay", "status"]).1).filter(|ready| *ready > 0));
    world.kill_gateway();
    let redis = &mut world.redis.connect();
    wait::until("the dead relay's lease to run out", || {
        let _: Reply = run(redis, "FLASH.PULL flash:drop me LEASE 60000 COUNT 1");
        let (_, lines) = world.flash(&["relay", "status"]);
        (lines[0]["relay"] == "me").then_some(())
    });
    let (code, lines) = world.flash(&["relay", "status"]);
    let (sale, queue) = (&lines[0], &lines[1]);
    for (field, want) in
        [("sale", json!("drop")), ("epoch", json!(1)), ("acked", json!(0)), ("journal_events", json!(5))]
    {
        assert_eq!(sale[field], want, "{field}: {sale}");
    }
    assert!(sale["lease_ms"].as_u64().is_some_and(|lease_ms| lease_ms <= 60_000), "{sale}");
    assert!(sale["oldest_age_ms"].as_u64().is_some_and(|age_ms| age_ms > 0), "{sale}");
    assert_eq!((code, &queue["consumers"]), (0, &json!(0)), "{queue}");
}

#[test]
fn without_rabbitmq_the_syncers_within_the_gateways_show_what_waits() {
    let world = World::start_direct("direct_status");
    let syncers = || world.flash(&["relay", "status"]).1.into_iter().filter(|line| line["syncer"].is_string());
    wait::until("the gateway's syncer", || syncers().next().filter(|syncer| syncer["queued"] == 0));
    assert!(world.run(&["syncer", "pause"]).0.success());
    sell(&world, "drop");
    let waits = |syncer: &Value| syncer["paused"] == true && syncer["queued"].as_u64().is_some_and(|queued| queued > 0);
    wait::until("what waits for it", || syncers().next().filter(waits));
    let (code, lines) = world.flash(&["relay", "status"]);
    assert_eq!((code, lines.len(), &lines[0]["journal_events"]), (0, 2, &json!(5)), "{lines:?}");
    let (_, table) = world.run(&["relay", "status"]);
    assert!(
        table.contains("drop: epoch 1") && table.contains("flash syncer ") && table.contains("paused; "),
        "{table}"
    );
}

#[test]
fn a_counter_is_repaired_once_and_written_down() {
    let world = World::start();
    sell(&world, "drop");
    world.wait_for_empty_journal("drop");
    world.sql("UPDATE skus SET sold = sold + 2");
    let counter = |done: bool| [("kind", json!("counter")), ("done", json!(done))];
    check(&world, &["repair", "--dry-run"], 1, &[&counter(false), &[("kind", json!("left"))]]);
    check(&world, &["repair", "drop", "--by", "ada"], 0, &[&counter(true)]);
    check(&world, &["repair"], 0, &[]);
    check(&world, &["audit"], 0, &[&[("verdict", json!("whole"))]]);
    let repairs = world.rows("SELECT (sale, kind, detail, by) FROM repairs");
    assert_eq!(repairs, ["(drop,counter,\"SKU default: sold was 5, active orders have 3\",ada)"]);
}

/// Puts another state into Redis that is as far as the true one and not fenced. No gateway may run: it would notice.
fn replace_state(world: &World) {
    let redis = &mut world.redis.connect();
    let _: Reply = run(redis, "DEL flash:drop");
    for command in ["WARM flash:drop 9 HOLD 600000 JOURNAL 9", "RESERVE flash:drop ada", "RESERVE flash:drop bob"] {
        let _: Reply = run(redis, &format!("FLASH.{command}"));
    }
    for command in ["RELEASE flash:drop 2", "RESTOCK flash:drop -1", "ACK flash:drop 1 5"] {
        let _: Reply = run(redis, &format!("FLASH.{command}"));
    }
}

#[test]
fn a_sale_that_redis_counts_otherwise_is_rebuilt_from_postgresql_and_that_is_written_down() {
    let mut world = World::start();
    sell(&world, "drop");
    world.wait_for_empty_journal("drop");
    world.kill_gateway();
    replace_state(&world);
    assert_eq!(world.flash(&["audit", "drop"]).0, 1);
    let (code, lines) = world.flash(&["repair", "drop", "--dry-run"]);
    assert_eq!((code, &lines[0]["kind"], &lines[0]["done"]), (1, &json!("fence"), &json!(false)), "{lines:?}");
    let (code, lines) = world.flash(&["repair", "drop", "--by", "ada", "--wait-ms", "500"]);
    assert_eq!((code, &lines[0]["kind"], &lines[0]["done"]), (2, &json!("fence"), &json!(true)), "{lines:?}");
    assert!(lines[1]["detail"].as_str().is_some_and(|detail| detail.contains("start one")), "{lines:?}");
    world.start_gateway();
    let rebuilt = wait::until("a sale that is whole", || {
        let (code, reports) = world.flash(&["audit", "drop"]);
        (code == 0).then_some(reports)
    });
    assert!(rebuilt[0]["epoch"].as_u64() > Some(1), "{rebuilt:?}");
    check(&world, &["repair", "drop"], 0, &[]);
    assert_eq!(world.rows("SELECT kind || ' by ' || by FROM repairs"), ["fence by ada"]);
    for (buyer, units) in [("ada", 1), ("bob", 1), ("eve", 1)] {
        let status = flat(&run(&mut world.redis.connect(), &format!("FLASH.STATUS flash:drop BUYER {buyer}")));
        assert!(status.contains(&format!("units {units} ")), "{status}");
    }
}

#[test]
fn what_waits_in_the_quarantine_is_settled_before_anything_is_rebuilt() {
    let world = World::start();
    world.sql("ALTER TABLE orders ADD CONSTRAINT no_eve CHECK (buyer <> 'eve')");
    sell(&world, "drop");
    world.wait_for_empty_journal("drop");
    let (code, lines) = world.flash(&["repair", "drop", "--wait-ms", "0"]);
    assert!(code == 1 && lines.iter().all(|line| line["kind"] == "left"), "{code} {lines:?}");
    assert_eq!(world.rows("SELECT count(*) FROM repairs"), ["0"]);
}

#[test]
fn more_orders_than_units_are_left_to_a_person() {
    let world = World::start();
    sell(&world, "drop");
    world.wait_for_empty_journal("drop");
    world.sql("ALTER TABLE skus DROP CONSTRAINT skus_sold_within_total; UPDATE skus SET total = 2, sold = 2");
    let left = |finding: &Value| finding["kind"] == "left" || finding["done"] == false;
    let (code, lines) = world.flash(&["repair"]);
    assert_eq!((code, lines.iter().all(left)), (1, true), "{lines:?}");
    assert_eq!(world.rows("SELECT sold FROM skus"), ["2"]);
    assert_eq!(world.rows("SELECT count(*) FROM repairs"), ["0"]);
}
