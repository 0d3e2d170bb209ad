//! Each route while one of the two servers cannot do its part: the answer names that server and not the other, says
//! what is true, and shows no text of a server.

use flash_servers::{Redis, RedisOptions, silent};
use flash_tests::http::Http;
use serde_json::{Value, json};

use crate::support::http::Answer;
use crate::support::program::Program;
use crate::support::wait;
use crate::support::world::{World, free_address};

/// What is asked, and the problem while Redis is gone, while it lacks the module, and while PostgreSQL is gone; none:
/// it is done.
type Row = (&'static str, &'static str, &'static str, [&'static str; 3]);

const RESERVE: &str = "/v1/sales/drop/reservations";
const AWAY: [&str; 3] = ["redis-away", "redis-away", "postgres-away"];
const ONLY_REDIS: [&str; 3] = ["redis-away", "redis-away", ""];
const ONLY_POSTGRES: [&str; 3] = ["", "", "postgres-away"];

const ROWS: &[Row] = &[
    ("POST", "/v1/sales", r#"{"sale":"ghost","total":3}"#, AWAY),
    ("GET", "/v1/sales/drop", "", ONLY_REDIS),
    ("POST", RESERVE, r#"{"buyer":"eve"}"#, ONLY_REDIS),
    ("POST", "/v1/sales/drop/reservations/{id}/confirm", "", AWAY),
    ("DELETE", "/v1/sales/drop/reservations/{id}", "", ONLY_REDIS),
    ("GET", "/v1/sales/drop/reservations/{id}", "", ONLY_REDIS),
    ("POST", "/v1/sales/drop/restock", r#"{"delta":1}"#, AWAY),
    ("POST", "/v1/sales/drop/close", "{}", AWAY),
    ("POST", "/v1/sales/drop/open", "{}", AWAY),
    ("POST", "/v1/products", r#"{"product":"hat","name":"A hat","price":1,"currency":"EUR"}"#, ONLY_POSTGRES),
    ("POST", "/v1/buyers", r#"{"buyer":"ada","balance":5,"currency":"EUR"}"#, ONLY_POSTGRES),
    ("POST", "/v1/keys", r#"{"holder":"olga","role":"read"}"#, ONLY_POSTGRES),
    ("POST", "/v1/webhooks", r#"{"url":"https://receiver.example/"}"#, ONLY_POSTGRES),
    ("GET", "/v1/webhooks", "", ONLY_POSTGRES),
    ("GET", "/v1/payments", "", ONLY_POSTGRES),
    ("GET", "/v1/audit-log", "", ONLY_POSTGRES),
];
/// Words of servers that no client may see.
const RAW: [&str; 6] = ["ERR ", "unknown command", "FLASH.", "db error", "Connection refused", "os error"];

/// A gateway that need not become ready.
fn gateway(world: &World) -> (Program, std::net::SocketAddr) {
    let address = free_address();
    let mut gateway = world.start_flash(&["gateway", "--listen", &address.to_string()]);
    gateway.line();
    (gateway, address)
}

fn ask(address: std::net::SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    let headers = [("content-type", "application/json"), ("flash-request", "1")];
    let mut http = Http::connect(address).expect("the gateway takes connections");
    http.send(method, path, &headers, body).expect("an answer")
}

/// Goes through the table for one of the states; `other` is what no answer may speak of.
fn check(world: &World, address: std::net::SocketAddr, id: &str, state: usize, other: &str) {
    let mut wrong = Vec::new();
    for (method, path, body, problems) in ROWS {
        let want = problems[state];
        let answer = ask(address, method, &path.replace("{id}", id), body);
        let text = answer.body.to_string();
        let is_true = answer.problem() == want && (want.is_empty() == (answer.status < 300));
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        if !is_true || RAW.iter().any(|raw| text.contains(raw)) || (!want.is_empty() && detail.contains(other)) {
            wrong.push(format!("{method} {path}: {answer:?}, not {want:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let changed =
        "SELECT sale FROM sales WHERE sale = 'ghost' OR closed UNION ALL SELECT sale FROM skus WHERE total <> 9";
    assert_eq!(world.rows(changed), [""; 0], "where nothing was changed, nothing is recorded");
}

/// A world with a hold, whose id is given.
fn world() -> (World, String) {
    let world = World::start_without_syncer();
    world.create_sale(r#"{"sale":"drop","total":9,"hold_ms":600000}"#);
    let made = ask(world.address, "POST", RESERVE, r#"{"buyer":"ada"}"#);
    let id = made.id().expect("an id").to_owned();
    (world, id)
}

fn readiness(address: std::net::SocketAddr) -> Value {
    let answer = ask(address, "GET", "/readyz?verbose", "");
    json!({"status": answer.status, "checks": answer.body["checks"]})
}

#[test]
fn while_redis_is_gone_each_answer_is_about_redis() {
    let (mut world, id) = world();
    world.redis.redis.server.kill().expect("ours to kill");
    wait::until("a gateway that knows it", || {
        (ask(world.address, "GET", "/v1/sales/drop", "").problem() == "redis-away").then_some(())
    });
    check(&world, world.address, &id, 0, "PostgreSQL");
}

#[test]
fn a_redis_without_the_module_is_named_and_its_words_are_not_shown() {
    let (mut world, id) = world();
    let dir = tempfile::tempdir().expect("a directory");
    let plain = Redis::start(&RedisOptions::new(dir.path().join("redis")), silent).expect("Redis starts");
    world.redis_url = Some(plain.url());
    let (_gateway, address) = gateway(&world);
    let ready = wait::until("a readiness that says why", || {
        let ready = readiness(address);
        ready["checks"]["redis"].as_str().is_some_and(|redis| redis.contains("module")).then_some(ready)
    });
    assert_eq!((&ready["status"], &ready["checks"]["redis"]), (&json!(503), &json!("the module is not loaded")));
    check(&world, address, &id, 1, "PostgreSQL");
}

#[test]
fn while_postgresql_is_gone_what_redis_decides_alone_is_done() {
    let (mut world, id) = world();
    world.postgres = "postgres://flash:flash@127.0.0.1:1/none".to_owned();
    let (_gateway, address) = gateway(&world);
    wait::until("a gateway that has Redis", || (ask(address, "GET", "/v1/sales/drop", "").status == 200).then_some(()));
    check(&world, address, &id, 2, "Redis");
}
