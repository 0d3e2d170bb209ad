//! Whatever is refused has changed nothing: no row, no key, no counter.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::http::Answer;
use crate::support::world::World;

const RESERVE: &str = "/v1/sales/drop/reservations";
const JSON: (&str, &str) = ("content-type", "application/json");
/// The audit log is not among them, for it has refused requests as well; nor is what says that a syncer lives.
const TABLES: [&str; 14] = [
    "sales",
    "skus",
    "epochs",
    "orders",
    "early",
    "rejections",
    "quarantine",
    "products",
    "buyers",
    "payments",
    "api_keys",
    "webhooks",
    "deliveries",
    "request_keys",
];

/// What there is in PostgreSQL and in Redis.
#[derive(Debug, PartialEq, Eq)]
struct Everything {
    rows: BTreeMap<&'static str, String>,
    keys: BTreeMap<String, Vec<u8>>,
}

fn everything(world: &World) -> Everything {
    let count = |table: &'static str| (table, world.rows(&format!("SELECT count(*) FROM {table}")).swap_remove(0));
    let mut redis = world.redis.connect();
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut redis).expect("Redis answers");
    let value = |key: String| {
        let value = redis::cmd("DUMP").arg(&key).query(&mut redis).expect("Redis answers");
        (key, value)
    };
    let keys = keys.into_iter().map(value).collect();
    Everything { rows: TABLES.into_iter().map(count).collect(), keys }
}

struct Case {
    path: &'static str,
    body: String,
    status: u16,
    pointer: &'static str,
    /// What the answer names besides: the kind of value, and the limit.
    named: &'static str,
}

fn case(path: &'static str, body: impl Into<String>, pointer: &'static str, named: &'static str) -> Case {
    Case { path, body: body.into(), status: 422, pointer, named }
}

/// What buyers send.
fn buyers_cases() -> Vec<Case> {
    let ada = |rest: &str| format!("{{\"buyer\":\"ada\",{rest}}}");
    let mut cases = vec![
        case(RESERVE, "{}", "/buyer", "must be given"),
        case(RESERVE, ada("\"quantity\":0"), "/quantity", "1 to 1000000000"),
        case(RESERVE, ada("\"quantity\":1.5"), "/quantity", "whole number, 1 to 1000000000"),
        case(RESERVE, ada("\"quantity\":1e99"), "/quantity", "whole number"),
        case(RESERVE, ada("\"items\":[]"), "/items", "1 to 64"),
        case(RESERVE, ada("\"items\":[{\"sku\":\"none\"}]"), "/items", ""),
        case(RESERVE, ada("\"colour\":1"), "/colour", "unknown field colour"),
        case(RESERVE, ada("\"data\":\"\\u0000\""), "/data", "NUL"),
        case(RESERVE, ada("\"data\":{\"a\":1e400}"), "/data/a", "number that a double holds"),
        case(RESERVE, ada("\"data\":{\"a\":[\"\\ud800\"]}"), "/data/a/0", "surrogate"),
        case(RESERVE, ada("\"data\":{\"a\":1,\"a\":2}"), "/data/a", "once"),
        case(RESERVE, ada(&format!("\"data\":{}1{}", "[".repeat(33), "]".repeat(33))), "/data", "32 levels"),
        case("/v1/sales/formed/reservations", ada("\"quantity\":1"), "/data", "data must be an object"),
        case("/v1/sales/formed/reservations", ada("\"data\":7"), "/data", "must be an object"),
        case("/v1/sales/formed/reservations", ada("\"data\":{\"size\":\"xl\"}"), "/data/size", "one of"),
    ];
    for name in ["ada ", " ada", "a\\u200bda", "\\ufeffada", "ada\\u202e", "a\\tb", "", ".", ".."] {
        cases.push(case(RESERVE, format!("{{\"buyer\":\"{name}\"}}"), "/buyer", "must"));
    }
    cases
}

/// What operators send.
fn operators_cases() -> Vec<Case> {
    let sale = |rest: &str| format!("{{\"sale\":\"new\",\"total\":1,{rest}}}");
    vec![
        case("/v1/sales", "{\"total\":0}", "/total", "1 to 1000000000"),
        case("/v1/sales", "{\"sale\":\"..\",\"total\":1}", "/sale", "dot segment"),
        case("/v1/sales", sale("\"opens_at_ms\":1796000000"), "/opens_at_ms", "Unix milliseconds, 100000000000 to"),
        case("/v1/sales", sale("\"closes_at_ms\":1796000000"), "/closes_at_ms", "not seconds"),
        case("/v1/sales", sale("\"hold_ms\":0"), "/hold_ms", "1 to 2592000000"),
        case("/v1/sales", sale("\"form\":{\"type\":\"array\"}"), "/form/type", "must allow an object"),
        case("/v1/sales", sale("\"form\":{\"pattern\":\"(\"}"), "/form/pattern", ""),
        case("/v1/sales", sale("\"product\":\"none\""), "/product", "the id of a product"),
        case(
            "/v1/products",
            "{\"product\":\".\",\"name\":\"a\",\"price\":1,\"currency\":\"EUR\"}",
            "/product",
            "dot segment",
        ),
        case(
            "/v1/products",
            "{\"product\":\"a\",\"name\":\"a\\u202e\",\"price\":1,\"currency\":\"EUR\"}",
            "/name",
            "cannot be seen",
        ),
        case(
            "/v1/products",
            "{\"product\":\"a\",\"name\":\"a\",\"price\":-1,\"currency\":\"EUR\"}",
            "/price",
            "0 to 1000000000",
        ),
        case(
            "/v1/products",
            "{\"product\":\"a\",\"name\":\"a\",\"price\":1,\"currency\":\"EUR\",\"skus\":[\"s \"]}",
            "/skus/0",
            "white space",
        ),
        case("/v1/buyers", "{\"buyer\":\"%2e%2E\",\"balance\":1,\"currency\":\"EUR\"}", "/buyer", "dot segment"),
        case("/v1/keys", "{\"role\":\"read\",\"holder\":\"\\ufeffada\"}", "/holder", "cannot be seen"),
        case(
            "/v1/keys",
            "{\"role\":\"read\",\"holder\":\"ada\",\"expires_at_ms\":1796000000}",
            "/expires_at_ms",
            "milliseconds",
        ),
        case(
            "/v1/keys",
            "{\"role\":\"read\",\"holder\":\"ada\",\"expires_at_ms\":1000000000000}",
            "/expires_at_ms",
            "in the future",
        ),
        case("/v1/webhooks", "{\"url\":\"http://hooks.example.com:99999/\"}", "/url", "1 to 65535"),
        case("/v1/webhooks", "{\"url\":\"http://127.0.0.1/\"}", "/url", "private"),
        case("/v1/sales/drop/restock", "{\"delta\":0}", "/delta", "not 0"),
    ]
}

fn pointer(answer: &Answer) -> &str {
    answer.body["errors"][0]["pointer"].as_str().unwrap_or_default()
}

#[test]
fn whatever_is_refused_names_its_field_and_has_changed_nothing() {
    let world = World::start_direct("refusals");
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    let form = "{\"properties\":{\"size\":{\"enum\":[\"s\",\"m\"]}},\"required\":[\"size\"]}";
    world.create_sale(&format!("{{\"sale\":\"formed\",\"total\":9,\"form\":{form}}}"));
    world.wait_for_empty_journal("drop");
    world.wait_for_empty_journal("formed");
    let before = everything(&world);
    for Case { path, body, status, pointer: at, named } in buyers_cases().into_iter().chain(operators_cases()) {
        let answer = world.http().send("POST", path, &[JSON, ("idempotency-key", "k-1")], &body).expect("an answer");
        assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
        let detail = answer.body["errors"][0]["detail"].as_str().unwrap_or_default();
        assert!(pointer(&answer).starts_with(at), "{path} {body}: {answer:?}");
        assert!(detail.contains(named), "{path} {body}: {detail} does not name {named}");
    }
    type Coded = (&'static [(&'static str, &'static str)], &'static str, u16);
    let coded: [Coded; 4] = [
        (&[JSON, ("content-encoding", "gzip")], "\u{1f}\u{8b}", 415),
        (&[("content-type", "text/plain")], "{\"buyer\":\"ada\"}", 415),
        (&[JSON], "\u{feff}{\"buyer\":\"ada\"}", 400),
        (&[JSON, ("origin", "http://evil.example")], "{\"buyer\":\"ada\"}", 403),
    ];
    for (headers, body, status) in coded {
        let answer = world.http().send("POST", RESERVE, headers, body).expect("an answer");
        assert_eq!(answer.status, status, "{headers:?}: {answer:?}");
        let coding = headers.contains(&("content-encoding", "gzip")).then_some("identity");
        assert_eq!(answer.header("accept-encoding"), coding, "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
    }
    assert_eq!(everything(&world), before);
    // The same key is free for a request that is right.
    let good =
        world.http().send("POST", RESERVE, &[JSON, ("idempotency-key", "k-1")], "{\"buyer\":\"ada\",\"quantity\":1.0}");
    assert_eq!(good.expect("an answer").status, 201);
    let none: &Value = &Value::Null;
    assert_ne!(&world.http().get("/v1/sales/drop").expect("an answer").body["available"], none);
}

#[test]
fn an_answer_with_a_secret_is_kept_by_nothing_on_its_way() {
    let world = World::start_direct("refusals_secrets");
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    let check = |path: &str, body: &str| {
        let answer = world.http().post(path, body).expect("an answer");
        assert_eq!((answer.status, answer.header("cache-control")), (201, Some("no-store")), "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
    };
    check("/v1/keys", "{\"role\":\"read\",\"holder\":\"rita\"}");
    check("/v1/webhooks", "{\"url\":\"https://hooks.example.com/\"}");
    assert_eq!(world.http().get("/v1/webhooks").expect("an answer").header("cache-control"), Some("no-store"));
}
