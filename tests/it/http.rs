//! The HTTP API from outside.

use std::collections::BTreeMap;

use crate::support::http::{Answer, Http};
use crate::support::world::World;

const RESERVE: &str = "/v1/sales/drop/reservations";

struct Row<'a> {
    method: &'a str,
    path: &'a str,
    body: &'a str,
    want: (u16, &'a str),
}

const fn row<'a>(method: &'a str, path: &'a str, body: &'a str, status: u16, problem: &'a str) -> Row<'a> {
    Row { method, path, body, want: (status, problem) }
}

fn check(http: &mut Http, row: &Row) -> Answer {
    let json = [("content-type", "application/json")];
    let answer = http.send(row.method, row.path, &json, row.body).expect("an answer");
    let context = format!("{} {} {}", row.method, row.path, &row.body[..row.body.len().min(200)]);
    assert_eq!((answer.status, answer.problem()), row.want, "{context}: {answer:?}");
    let is_problem = answer.header("content-type") == Some("application/problem+json");
    assert_eq!(is_problem, answer.status >= 400, "{context}: {answer:?}");
    answer
}

#[test]
fn every_answer_has_its_status() {
    let world = World::start();
    let http = &mut world.http();
    let rows = [
        row("POST", "/v1/sales", "{\"sale\":\"drop\",\"total\":2,\"hold_ms\":60000}", 201, ""),
        row("POST", "/v1/sales", "{\"sale\":\"drop\",\"total\":2,\"hold_ms\":60000}", 200, ""),
        row("POST", "/v1/sales", "{\"sale\":\"drop\",\"total\":3,\"hold_ms\":60000}", 409, "sale-differs"),
        row("POST", "/v1/sales", "{\"sale\":\"later\",\"total\":1,\"opens_at_ms\":253402300799000}", 201, ""),
        row("POST", "/v1/sales", "{\"sale\":\"over\",\"total\":1,\"closes_at_ms\":100000000000}", 201, ""),
        row("POST", RESERVE, "{\"buyer\":\"ada\"}", 201, ""),
        row("POST", RESERVE, "{\"buyer\":\"ada\"}", 200, ""),
        row("POST", RESERVE, "{\"buyer\":\"ada\",\"quantity\":2}", 409, "limit-exceeded"),
        row("POST", RESERVE, "{\"buyer\":\"bob\"}", 201, ""),
        row("POST", RESERVE, "{\"buyer\":\"eve\"}", 409, "sold-out"),
        row("POST", "/v1/sales/later/reservations", "{\"buyer\":\"ada\"}", 409, "not-started"),
        row("POST", "/v1/sales/over/reservations", "{\"buyer\":\"ada\"}", 410, "ended"),
        row("GET", "/v1/sales/drop", "", 200, ""),
        row("GET", "/v1/sales/drop/reservations/#2", "", 200, ""),
        row("POST", "/v1/sales/drop/reservations/#2/confirm", "", 200, ""),
        row("POST", "/v1/sales/drop/reservations/#2/confirm", "", 200, ""),
        row("DELETE", "/v1/sales/drop/reservations/#2", "", 409, "conflict"),
        row("DELETE", "/v1/sales/drop/reservations/#3", "", 200, ""),
        row("DELETE", "/v1/sales/drop/reservations/#3", "", 200, ""),
        row("POST", RESERVE, "{\"buyer\":\"eve\"}", 201, ""),
        row("GET", "/v1/sales/none", "", 404, "unknown-sale"),
        row("POST", "/v1/sales/none/reservations", "{\"buyer\":\"ada\"}", 404, "unknown-sale"),
        row("GET", "/v1/sales/drop/reservations/2", "", 404, "unknown-reservation"),
        row("POST", "/v1/sales/drop/reservations/2/confirm", "", 404, "unknown-reservation"),
        row("DELETE", "/v1/sales/drop/reservations/2", "", 404, "unknown-reservation"),
        row("GET", "/v1/sales/drop/reservations/99", "", 404, "unknown-reservation"),
        row("GET", "/v1/sales/drop/reservations/x", "", 404, "unknown-reservation"),
        row("GET", "/nowhere", "", 404, "not-found"),
        row("PUT", "/v1/sales", "", 405, "method-not-allowed"),
        row("GET", "/livez", "", 200, ""),
        row("GET", "/readyz", "", 200, ""),
    ];
    let mut ids: BTreeMap<u64, String> = BTreeMap::new();
    for mut row in rows {
        // `#2` is the id whose number that is.
        let path = ids.iter().fold(row.path.to_owned(), |path, (number, id)| path.replace(&format!("#{number}"), id));
        row.path = &path;
        let answer = check(http, &row);
        ids.extend(answer.number().zip(answer.id().map(str::to_owned)));
    }
}

#[test]
fn bad_input_names_the_field_and_the_limit_and_changes_nothing() {
    let world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":2}");
    let http = &mut world.http();
    let long = format!("{{\"buyer\":\"{}\"}}", "a".repeat(129));
    let huge = format!("{{\"buyer\":\"ada\",\"data\":\"{}\"}}", "a".repeat(16 * 1024));
    let rows = [
        ("{", 400, "malformed", ""),
        ("[]", 400, "malformed", ""),
        ("{}", 422, "invalid", "buyer"),
        ("{\"buyer\":7}", 422, "invalid", "buyer"),
        ("{\"buyer\":\"\"}", 422, "invalid", "buyer must be 1 to 128 bytes"),
        (&long, 422, "invalid", "buyer must be 1 to 128 bytes"),
        ("{\"buyer\":\"a\\u0000b\"}", 422, "invalid", "buyer must not contain control characters"),
        ("{\"buyer\":\"ada\",\"quantity\":0}", 422, "invalid", "quantity must be 1 to 1000000000"),
        ("{\"buyer\":\"ada\",\"quantity\":-1}", 422, "invalid", "quantity"),
        ("{\"buyer\":\"ada\",\"quantity\":99999999999999999999}", 422, "invalid", "quantity"),
        ("{\"buyer\":\"ada\",\"quantity\":1.5}", 422, "invalid", "quantity"),
        ("{\"buyer\":\"ada\",\"items\":[]}", 422, "invalid", "items must be 1 to 64"),
        (
            "{\"buyer\":\"ada\",\"items\":[{\"sku\":\"blue\",\"quantity\":1}]}",
            422,
            "invalid",
            "must be one of the sale's",
        ),
        ("{\"buyer\":\"ada\",\"colour\":\"blue\"}", 422, "invalid", "colour"),
        (&huge, 413, "body-too-large", "16384"),
    ];
    for (body, status, problem, told) in rows {
        let answer = check(&mut world.http(), &row("POST", RESERVE, body, status, problem));
        assert!(answer.body.to_string().contains(told), "{body}: {answer:?} does not say {told:?}");
    }
    let not_utf8 = http.send("POST", RESERVE, &[("content-type", "text/plain")], "{}").expect("an answer");
    assert_eq!((not_utf8.status, not_utf8.problem()), (415, "unsupported-media-type"));
    let status = http.get("/v1/sales/drop").expect("an answer");
    assert_eq!(status.body["available"], 2, "nothing was changed: {status:?}");
}

#[test]
fn a_request_id_replays_its_own_answer() {
    let world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9,\"limit\":5}");
    let http = &mut world.http();
    let mut send = |key: &str, body: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        let answer = http.send("POST", RESERVE, &headers, body).expect("an answer");
        let replayed = answer.header("idempotency-replayed").map(str::to_owned);
        (answer.status, answer.number(), replayed)
    };
    let replayed = || Some("true".to_owned());
    assert_eq!(send("\"r-1\"", "{\"buyer\":\"ada\"}"), (201, Some(2), None));
    assert_eq!(send("r-1", "{\"buyer\":\"ada\"}"), (200, Some(2), replayed()), "a bare key is the same key");
    assert_eq!(send("r-2", "{\"buyer\":\"ada\"}"), (201, Some(3), None));
    assert_eq!(send("r-1", "{\"buyer\":\"ada\",\"quantity\":2}").1, None, "the same key with another body");
    assert_eq!(send("r-1", "{\"buyer\":\"bob\"}"), (201, Some(4), None), "a key is its buyer's own");
}

#[test]
fn a_gateway_whose_redis_is_away_says_so_and_comes_back() {
    let mut world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":2}");
    world.redis.redis.server.kill().expect("ours to kill");
    let answer = world.http().post(RESERVE, "{\"buyer\":\"ada\"}").expect("an answer");
    assert!([503, 504].contains(&answer.status), "{answer:?}");
    if answer.status == 503 {
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
    assert_eq!(world.http().get("/readyz").expect("an answer").status, 503);
    assert_eq!(world.http().get("/livez").expect("an answer").status, 200);
    world.redis.redis.server.restart().expect("Redis starts again");
    crate::support::wait::until("a reservation", || {
        let answer = world.http().post(RESERVE, "{\"buyer\":\"ada\"}").ok()?;
        [200, 201].contains(&answer.status).then_some(())
    });
}
