//! What could not be written, replayed and discarded over HTTP, a row at a time.

use serde_json::{Value, json};

use crate::audit::sell;
use crate::support::http::Answer;
use crate::support::limited::is_unknown;
use crate::support::wait;
use crate::support::world::World;

/// A busy PostgreSQL may be too slow for once.
fn ask(world: &World, method: &str, path: &str) -> Answer {
    wait::until("an answer", || {
        let answer = world.http().send(method, &format!("/v1/quarantine/{path}"), &[], "").expect("an answer");
        (!is_unknown(&answer)).then_some(answer)
    })
}

fn check(answer: &Answer, want: &[(&str, Value)]) {
    assert_eq!(answer.status, 200, "{answer:?}");
    for (field, want) in want {
        assert_eq!(&answer.body[*field], want, "{field}: {answer:?}");
    }
}

#[test]
fn a_row_is_shown_refused_replayed_and_then_not_replayed_again() {
    let world = World::start_direct("replay");
    world.sql("ALTER TABLE orders ADD CONSTRAINT no_eve CHECK (buyer <> 'eve')");
    sell(&world, "drop");
    world.wait_for_empty_journal("drop");
    let shown = ask(&world, "GET", "1");
    check(&shown, &[("id", json!(1)), ("sale", json!("drop")), ("seq", json!(4)), ("replayed_at", Value::Null)]);
    assert!(shown.body["body"].as_str().is_some_and(|body| body.contains("\"buyer\":\"eve\"")), "{shown:?}");
    let refused = ask(&world, "POST", "1/replay");
    check(&refused, &[("id", json!(1)), ("outcome", json!("refused"))]);
    assert!(refused.body["reason"].as_str().is_some_and(|reason| reason.contains("no_eve")), "{refused:?}");
    assert_eq!(world.order_state("drop", 4), None);
    world.sql("ALTER TABLE orders DROP CONSTRAINT no_eve");
    check(&ask(&world, "POST", "1/replay"), &[("outcome", json!("replayed")), ("reason", Value::Null)]);
    assert_eq!(world.order_state("drop", 4).as_deref(), Some("held"));
    assert!(ask(&world, "GET", "1").body["replayed_at"].is_string());
    for ended in ["1/replay", "1/discard", "2/replay", "none/replay", "none/discard"] {
        let answer = ask(&world, "POST", ended);
        assert_eq!((answer.status, answer.problem()), (404, "unknown-quarantined"), "{ended}: {answer:?}");
    }
    let log =
        world.rows("SELECT action || ' ' || detail || ' ' || outcome FROM audit_log WHERE detail = '1' AND ends IS NOT NULL ORDER BY id");
    let replay = "POST /v1/quarantine/{id}/replay 1";
    let discard = "POST /v1/quarantine/{id}/discard 1";
    let want = [(replay, "done"), (replay, "done"), (replay, "unknown-quarantined"), (discard, "unknown-quarantined")];
    assert_eq!(log, want.map(|(action, outcome)| format!("{action} {outcome}")));
}

#[test]
fn an_unreadable_row_is_refused_and_can_be_discarded() {
    let world = World::start_direct("discard");
    world.sql(
        "INSERT INTO quarantine (sale, epoch, seq, reason, body) VALUES (NULL, NULL, NULL, 'unreadable', '\\xff')",
    );
    check(&ask(&world, "POST", "1/replay"), &[("outcome", json!("refused"))]);
    check(&ask(&world, "POST", "1/discard"), &[("id", json!(1)), ("outcome", json!("discarded"))]);
    let shown = ask(&world, "GET", "1");
    check(&shown, &[("discarded_by", json!("anyone")), ("body", json!("\u{fffd}")), ("bytes", json!(1))]);
    assert_eq!(ask(&world, "GET", "2").problem(), "unknown-quarantined");
}

#[test]
fn a_reservation_that_is_discarded_is_rejected_and_told_of() {
    let world = World::start_direct("discard_reservation");
    world.sql("INSERT INTO webhooks (url, secret) VALUES ('http://example.com/', 'whsec_')");
    world.sql("ALTER TABLE orders ADD CONSTRAINT no_eve CHECK (buyer <> 'eve')");
    sell(&world, "drop");
    world.wait_for_empty_journal("drop");
    check(&ask(&world, "POST", "1/discard"), &[("outcome", json!("discarded"))]);
    assert_eq!(world.rows("SELECT buyer || ' ' || reason FROM rejections"), ["eve discarded"]);
    let told = "SELECT type FROM deliveries WHERE reservation = 4";
    assert_eq!(world.rows(told), ["order.rejected"]);
}

/// A confirm of a hold, kept back as if it could not be written; the hold's number is 3.
const LATE_CONFIRM: &str = r#"INSERT INTO quarantine (sale, epoch, seq, reason, body) VALUES
    ('drop', 1, 6, 'of old', convert_to('{"version":1,"sale":"drop","epoch":1,"events":[{"seq":6,"at_ms":1,"change":{"confirmed":{"id":3}}}]}', 'UTF8'))"#;

#[test]
fn an_event_that_counted_as_lost_is_not_written_later() {
    let world = World::start_direct("lost_event");
    sell(&world, "drop");
    world.wait_for_empty_journal("drop");
    world.sql(LATE_CONFIRM);
    // As a seal does that gave event 6 up.
    world.sql("UPDATE epochs SET head = 7, sealed_at = 7 WHERE sale = 'drop'");
    world.sql("INSERT INTO gaps (sale, epoch, first, last) VALUES ('drop', 1, 6, 6)");
    check(&ask(&world, "POST", "1/replay"), &[("outcome", json!("rejected")), ("reason", json!("late"))]);
    assert_eq!(world.order_state("drop", 3).as_deref(), Some("held"));
    assert!(ask(&world, "GET", "1").body["rejected_at"].is_string());
    assert_eq!(ask(&world, "POST", "1/replay").problem(), "unknown-quarantined");
}
