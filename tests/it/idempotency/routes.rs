//! Every route that makes or changes something, with the same key again.

use std::thread;

use serde_json::Value;

use super::{check_reused, send};
use crate::support::http::Answer;
use crate::support::wait;
use crate::support::world::World;

/// A route, a body for it, and one that contradicts it; what is not shown again; and how often it was done, in SQL.
struct Row {
    path: &'static str,
    body: &'static str,
    other: &'static str,
    secret: &'static str,
    done: &'static str,
}

const ROWS: [Row; 8] = [
    Row {
        path: "/v1/sales",
        body: "{\"total\":9}",
        other: "{\"total\":8}",
        secret: "",
        done: "SELECT count(*) FROM sales WHERE sale <> 'drop'",
    },
    Row {
        path: "/v1/products",
        body: "{\"product\":\"shirt\",\"name\":\"Shirt\",\"price\":5,\"currency\":\"EUR\"}",
        other: "{\"product\":\"shirt\",\"name\":\"Shirt\",\"price\":6,\"currency\":\"EUR\"}",
        secret: "",
        done: "SELECT count(*) FROM products",
    },
    Row {
        path: "/v1/buyers",
        body: "{\"buyer\":\"ada\",\"balance\":5,\"currency\":\"EUR\"}",
        other: "{\"buyer\":\"bob\",\"balance\":5,\"currency\":\"EUR\"}",
        secret: "",
        done: "SELECT count(*) FROM buyers",
    },
    Row {
        path: "/v1/keys",
        body: "{\"role\":\"read\",\"holder\":\"rita\"}",
        other: "{\"role\":\"operate\",\"holder\":\"rita\"}",
        secret: "key",
        done: "SELECT count(*) FROM api_keys",
    },
    Row {
        path: "/v1/webhooks",
        body: "{\"url\":\"https://shop.example/a\"}",
        other: "{\"url\":\"https://shop.example/b\"}",
        secret: "secret",
        done: "SELECT count(*) FROM webhooks",
    },
    Row {
        path: "/v1/sales/drop/restock",
        body: "{\"delta\":1}",
        other: "{\"delta\":2}",
        secret: "",
        done: "SELECT total - 9 FROM skus WHERE sale = 'drop'",
    },
    Row {
        path: "/v1/sales/drop/close",
        body: "",
        other: "{}",
        secret: "",
        done: "SELECT count(*) FROM sales WHERE sale = 'drop' AND closed",
    },
    Row {
        path: "/v1/quarantine/1/discard",
        body: "",
        other: "{}",
        secret: "",
        done: "SELECT count(*) FROM quarantine WHERE discarded_at IS NOT NULL",
    },
];

/// A world with a sale `drop` of nine units, and one row in the quarantine.
fn world(name: &str) -> World {
    let world = World::start_direct(name);
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    world.sql("INSERT INTO quarantine (reason, body) VALUES ('of a later release', '')");
    world
}

/// What is replayed to a request: the answer to the first, without what is shown once.
fn check_replayed(row: &Row, first: &Answer, again: &Answer) {
    let Row { path, secret, .. } = row;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")), "{path}: {again:?}");
    let mut want = first.body.clone();
    let fields = want.as_object_mut().expect("an object");
    if !secret.is_empty() {
        assert!(fields.remove(*secret).is_some_and(|shown| shown.is_string()), "{path}: {first:?}");
        assert!(again.body["note"].as_str().is_some_and(|note| note.contains("shown once")), "{path}: {again:?}");
        fields.insert("note".to_owned(), again.body["note"].clone());
    }
    assert_eq!(again.body, Value::Object(fields.clone()), "{path}");
}

/// How often it was done, once PostgreSQL has all events.
fn check_done(world: &World, row: &Row, times: u64) {
    world.wait_for_empty_journal("drop");
    assert_eq!(world.rows(row.done), [times.to_string()], "{}", row.path);
}

#[test]
fn a_request_with_the_same_key_again_is_done_once_on_every_route() {
    let mut world = world("keys_again");
    let firsts: Vec<Answer> = ROWS.iter().map(|row| send(&world, "POST", row.path, "k", row.body)).collect();
    let check_all = |world: &World| {
        for (row, first) in ROWS.iter().zip(&firsts) {
            assert!(matches!(first.status, 200 | 201), "{}: {first:?}", row.path);
            assert_eq!(first.header("idempotency-replayed"), None, "{}: {first:?}", row.path);
            check_replayed(row, first, &send(world, "POST", row.path, "\"k\"", row.body));
            check_reused(&send(world, "POST", row.path, "k", row.other));
            let bad = send(world, "POST", row.path, "\"k", row.body);
            assert_eq!((bad.status, bad.problem()), (400, "bad-request"), "{}: {bad:?}", row.path);
            check_done(world, row, 1);
        }
    };
    check_all(&world);
    world.start_second_gateway();
    check_all(&world);
    assert_eq!(world.rows("SELECT count(*) FROM request_keys"), [ROWS.len().to_string()]);
    let kept = world.rows("SELECT coalesce(string_agg(answer, ''), '') FROM request_keys").concat();
    for (row, first) in ROWS.iter().zip(&firsts).filter(|(row, _)| !row.secret.is_empty()) {
        let secret = first.body[row.secret].as_str().expect("shown once");
        assert!(!kept.contains(secret), "{}: no secret is kept", row.path);
    }
}

/// The operator's repeat came late: meanwhile another one has opened the sale again.
#[test]
fn a_late_repeat_does_not_undo_what_was_done_meanwhile() {
    let world = world("keys_late");
    assert_eq!(send(&world, "POST", "/v1/sales/drop/close", "k", "").status, 200);
    assert_eq!(send(&world, "POST", "/v1/sales/drop/open", "k", "").status, 200);
    let late = send(&world, "POST", "/v1/sales/drop/close", "k", "");
    assert_eq!(late.header("idempotency-replayed"), Some("true"), "{late:?}");
    assert_eq!(world.http().get("/v1/sales/drop").expect("an answer").body["phase"], "open");
}

#[test]
fn requests_with_one_key_at_the_same_time_are_done_once_on_every_route() {
    const AT_ONCE: usize = 6;
    let world = world("keys_at_once");
    for row in &ROWS {
        let patiently = || {
            wait::until("an answer that says what was done", || {
                let answer = send(&world, "POST", row.path, "k", row.body);
                (answer.status < 500).then_some(answer)
            })
        };
        let answers: Vec<Answer> = thread::scope(|scope| {
            let asking: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(patiently)).collect();
            asking.into_iter().map(|asking| asking.join().expect("no panic")).collect()
        });
        let firsts = answers.iter().filter(|answer| answer.header("idempotency-replayed").is_none());
        assert_eq!(firsts.count(), 1, "{}: {answers:?}", row.path);
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 201)), "{}: {answers:?}", row.path);
        check_done(&world, row, 1);
    }
}

/// What a crash leaves between the key and the answer. Where both are one transaction, only a hand can make it.
#[test]
fn a_key_without_an_answer_is_unknown_and_nothing_is_done_again_on_every_route() {
    let world = world("keys_without_answers");
    for row in &ROWS {
        assert!(send(&world, "POST", row.path, "k", row.body).status < 300, "{}", row.path);
    }
    world.wait_for_empty_journal("drop");
    world.sql("UPDATE request_keys SET answer = NULL");
    for row in &ROWS {
        let unknown = send(&world, "POST", row.path, "k", row.body);
        assert_eq!((unknown.status, unknown.problem()), (504, "outcome-unknown"), "{}: {unknown:?}", row.path);
        check_reused(&send(&world, "POST", row.path, "k", row.other));
        check_done(&world, row, 1);
    }
}

#[test]
fn a_refused_request_leaves_no_key_behind() {
    let world = world("keys_refused");
    let refused = [
        ("/v1/sales", "{\"sale\":\"drop\",\"total\":8}", 409),
        ("/v1/sales", "{\"total\":0}", 422),
        ("/v1/keys", "{\"role\":\"owner\",\"holder\":\"a\"}", 422),
        ("/v1/webhooks", "{\"url\":\"http://127.0.0.1/\"}", 422),
        ("/v1/sales/drop/restock", "{\"delta\":-99}", 409),
        ("/v1/sales/none/close", "", 404),
        ("/v1/quarantine/99/replay", "", 404),
    ];
    for (path, body, status) in refused {
        let answer = send(&world, "POST", path, "k", body);
        assert_eq!(answer.status, status, "{path}: {answer:?}");
    }
    assert_eq!(world.rows("SELECT count(*) FROM request_keys"), ["0"]);
}
