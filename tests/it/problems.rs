//! Every problem, provoked: what the gateway says of itself in `/openapi.json` is what it does.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::read_only::TERMINATE;
use crate::support::http::{Answer, Http};
use crate::support::limited::is_unknown;
use crate::support::program::Program;
use crate::support::redis::{Server, run};
use crate::support::wait;
use crate::support::world::{World, free_address};

const RESERVE: &str = "/v1/sales/drop/reservations";
const JSON: (&str, &str) = ("content-type", "application/json");
/// A policy that allows one look at a form.
const ONCE: &str = "[[rate-limit]]\nname = \"once\"\nstrategy = \"strict\"\nlimit = 1\nwindow-ms = 2592000000\n\
                    routes = [\"show-form\"]\n";
/// Nothing empties the journals.
const NO_SWEEP: [&str; 2] = ["--sweep-after-ms", "3600000"];

/// What the gateway says of itself, and which of its problems were seen.
struct Provoked {
    document: Value,
    seen: BTreeSet<String>,
}

impl Provoked {
    fn by(world: &World) -> Self {
        let document = world.http().get("/openapi.json").expect("an answer").body;
        Self { document, seen: BTreeSet::new() }
    }

    /// Asks for that problem. A busy machine may be too slow for once.
    fn see(&mut self, route: &str, want: &str, ask: impl Fn() -> Answer) {
        let answer = wait::until(want, || {
            let answer = ask();
            (answer.problem() == want || !is_unknown(&answer)).then_some(answer)
        });
        self.note(route, want, &answer);
    }

    /// Asks until it is that problem.
    fn until(&mut self, route: &str, want: &str, ask: impl Fn() -> Answer) {
        let answer = wait::until(want, || Some(ask()).filter(|answer| answer.problem() == want));
        self.note(route, want, &answer);
    }

    /// It is that problem, and one that the route (if it is one) documents.
    fn note(&mut self, route: &str, want: &str, answer: &Answer) {
        assert_eq!(answer.problem(), want, "{route}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
        assert_eq!(answer.body["status"], answer.status, "{answer:?}");
        let is_documented = operation(&self.document, route).is_none_or(|operation| {
            let content = &operation["responses"][answer.status.to_string()]["content"]["application/problem+json"];
            content["examples"][want]["value"]["type"] == answer.body["type"]
        });
        assert!(is_documented, "the document does not name {want} at {route}: {answer:?}");
        self.seen.insert(answer.body["type"].as_str().expect("a problem's type").to_owned());
    }
}

/// The operation of a route.
fn operation<'a>(document: &'a Value, route: &str) -> Option<&'a Value> {
    let paths = document["paths"].as_object().expect("paths");
    let mut operations = paths.values().filter_map(Value::as_object).flat_map(|path| path.values());
    operations.find(|operation| operation["operationId"] == route)
}

fn ask(world: &World, method: &str, path: &str, body: &str) -> Answer {
    world.http().send(method, path, &[JSON], body).expect("an answer")
}

/// Asks until it is done, which a busy machine may not do in time.
fn done(ask: impl Fn() -> Answer) -> Answer {
    let answer = wait::until("an answer in time", || Some(ask()).filter(|answer| !is_unknown(answer)));
    assert!(answer.status < 300, "{answer:?}");
    answer
}

/// Makes a reservation; its path.
fn reserved(world: &World, sale: &str, buyer: &str) -> String {
    let path = format!("/v1/sales/{sale}/reservations");
    let made = done(|| ask(world, "POST", &path, &format!("{{\"buyer\":\"{buyer}\"}}")));
    format!("{path}/{}", made.id().expect("an id"))
}

fn signal(server: &Server, signal: Signal) {
    let pid = server.redis.server.pid().and_then(|pid| Pid::from_raw(pid.cast_signed()));
    kill_process(pid.expect("it runs"), signal).expect("ours to signal");
}

fn restart(world: &mut World, args: &[&str]) {
    world.kill_gateway();
    world.start_gateway_with(&[&NO_SWEEP, args].concat());
}

#[test]
fn every_problem_of_the_table_is_provoked_where_it_is_documented() {
    let mut world = World::start_without_syncer();
    let dir = tempfile::tempdir().expect("a directory");
    let config = dir.path().join("flash.toml");
    fs::write(&config, ONCE).expect("writable");
    restart(&mut world, &["--config", config.to_str().expect("UTF-8")]);
    let mut provoked = Provoked::by(&world);
    sales(&world);
    provoke_by_asking(&world, &mut provoked);
    provoke_by_state(&world, &mut provoked);
    provoke_by_slowness(&world, &mut provoked);
    provoke_by_a_replica(&world, &mut provoked);
    provoke_by_who_calls(&mut world, &mut provoked);
    provoke_by_what_is_written(&mut world, &mut provoked);
    provoke_by_redis(&mut world, &mut provoked);

    let types = provoked.document["components"]["schemas"]["ProblemType"]["enum"].as_array();
    let types = types.expect("all problems").iter().filter_map(Value::as_str).map(str::to_owned);
    assert_eq!(provoked.seen, types.collect(), "each problem of the table has something here that provokes it");
}

fn sales(world: &World) {
    for sale in [
        r#"{"sale":"drop","total":9}"#,
        r#"{"sale":"one","total":1}"#,
        r#"{"sale":"later","total":1,"opens_at_ms":253402300799000}"#,
        r#"{"sale":"over","total":1,"closes_at_ms":100000000000}"#,
        r#"{"sale":"held","total":1000,"hold_ms":600000}"#,
        r#"{"sale":"brief","total":9,"hold_ms":1}"#,
        r#"{"sale":"narrow","total":9,"journal_events_max":1}"#,
        r#"{"sale":"fenced","total":9}"#,
        r#"{"sale":"shut","total":9}"#,
        r#"{"sale":"broken","total":9,"form":{"type":"object"}}"#,
    ] {
        world.create_sale(sale);
    }
}

/// What needs nothing but the request.
fn provoke_by_asking(world: &World, provoked: &mut Provoked) {
    let huge = format!("{{\"buyer\":\"{}\"}}", "a".repeat(20_000));
    let rows = [
        ("show-audit-log", "GET", "/v1/audit-log?page=1", "", "bad-request"),
        ("create-sale", "POST", "/v1/sales", "[", "malformed"),
        ("", "GET", "/nowhere", "", "not-found"),
        ("", "PUT", "/v1/sales", "", "method-not-allowed"),
        ("show-sale", "GET", "/v1/sales/none", "", "unknown-sale"),
        ("show-reservation", "GET", "/v1/sales/drop/reservations/99", "", "unknown-reservation"),
        ("remove-webhook", "DELETE", "/v1/webhooks/99", "", "unknown-webhook"),
        ("revoke-key", "DELETE", "/v1/keys/none", "", "unknown-key"),
        ("replay", "POST", "/v1/quarantine/99/replay", "", "unknown-quarantined"),
        ("show-product", "GET", "/v1/products/none", "", "unknown-product"),
        ("show-buyer", "GET", "/v1/buyers/none", "", "unknown-buyer"),
        ("refunded", "POST", "/v1/payments/99/refunded", "{\"reference\":\"re_1\"}", "unknown-payment"),
        ("reserve", "POST", RESERVE, "{\"buyer\":\"ada\",\"quantity\":2}", "limit-exceeded"),
        ("reserve", "POST", RESERVE, &huge, "body-too-large"),
        ("reserve", "POST", RESERVE, "{}", "invalid"),
        ("reserve", "POST", "/v1/sales/later/reservations", "{\"buyer\":\"ada\"}", "not-started"),
        ("reserve", "POST", "/v1/sales/over/reservations", "{\"buyer\":\"ada\"}", "ended"),
        ("create-sale", "POST", "/v1/sales", "{\"sale\":\"drop\",\"total\":8}", "sale-differs"),
        ("show-problem", "GET", "/problems/none", "", "unknown-problem"),
    ];
    for (route, method, path, body, want) in rows {
        provoked.see(route, want, || ask(world, method, path, body));
    }
    let with = |headers: &[_], body: &str| world.http().send("POST", RESERVE, headers, body).expect("an answer");
    provoked.see("reserve", "unsupported-media-type", || with(&[("content-type", "text/plain")], "{}"));
    provoked.see("", "foreign-page", || with(&[JSON, ("origin", "http://evil.example")], "{}"));
    let misdirected = b"GET /livez HTTP/1.1\r\nhost: rebind.evil.example\r\n\r\n";
    provoked.see("", "misdirected", || world.http().exchange(misdirected).expect("an answer"));
    let keyed = [JSON, ("idempotency-key", "k-1")];
    done(|| with(&keyed, "{\"buyer\":\"bob\"}"));
    provoked.see("reserve", "key-reused", || with(&keyed, "{\"buyer\":\"bob\",\"data\":1}"));
    let durable = [JSON, ("flash-durability", "replicas=1")];
    provoked.until("reserve", "durability-unavailable", || with(&durable, "{\"buyer\":\"eve\"}"));
}

/// What needs something to have happened.
fn provoke_by_state(world: &World, provoked: &mut Provoked) {
    let post = |path: &str, body: &str| ask(world, "POST", path, body);
    reserved(world, "one", "ada");
    provoked.see("reserve", "sold-out", || post("/v1/sales/one/reservations", "{\"buyer\":\"eve\"}"));
    let paid = reserved(world, "drop", "ada");
    provoked.see("release", "conflict", || ask(world, "DELETE", &paid, ""));
    run::<redis::Value>(&mut world.redis.connect(), "FLASH.CLOSE flash:shut");
    provoked.see("reserve", "closed", || post("/v1/sales/shut/reservations", "{\"buyer\":\"ada\"}"));
    // A confirm may come within the hold's one millisecond: then another buyer tries.
    let tries = AtomicU32::new(0);
    let confirmed_late = || {
        let hold = reserved(world, "brief", &format!("buyer-{}", tries.fetch_add(1, Relaxed)));
        post(&format!("{hold}/confirm"), "")
    };
    provoked.until("confirm", "expired", confirmed_late);
    // Nothing writes what is in journals here, and the warming of the sale is an event.
    provoked.until("reserve", "journal-full", || post("/v1/sales/narrow/reservations", "{\"buyer\":\"bob\"}"));
    run::<redis::Value>(&mut world.redis.connect(), "FLASH.FENCE flash:fenced");
    provoked.until("reserve", "fenced", || post("/v1/sales/fenced/reservations", "{\"buyer\":\"ada\"}"));

    let product = |price| json!({"product": "shirt", "name": "A shirt", "price": price, "currency": "EUR"}).to_string();
    done(|| post("/v1/products", &product(5)));
    provoked.see("create-product", "product-differs", || post("/v1/products", &product(6)));
    let buyer = |balance| json!({"buyer": "ada", "balance": balance, "currency": "EUR"}).to_string();
    done(|| post("/v1/buyers", &buyer(4)));
    provoked.see("create-buyer", "buyer-differs", || post("/v1/buyers", &buyer(5)));
    world.create_sale(r#"{"sale":"shirts","total":9,"hold_ms":600000,"product":"shirt"}"#);
    let confirm = format!("{}/confirm", reserved(world, "shirts", "ada"));
    const BALANCE: &str = "{\"payment\":\"balance\"}";
    provoked.see("confirm", "insufficient-balance", || post(&confirm, BALANCE));
    done(|| post("/v1/buyers", r#"{"buyer":"bob","balance":9,"currency":"USD"}"#));
    for (buyer, want) in [("bob", "other-currency"), ("eve", "no-account")] {
        let confirm = format!("{}/confirm", reserved(world, "shirts", buyer));
        provoked.see("confirm", want, || post(&confirm, BALANCE));
    }
    const MORE: &str = r#"{"payment":"external","reference":"pi","amount":1000000}"#;
    provoked.see("confirm", "refund-due", || post(&confirm, MORE));

    let webhook = || post("/v1/webhooks", "{\"url\":\"https://shop.example/flash\"}");
    provoked.until("add-webhook", "too-many-webhooks", webhook);
    provoked.until("show-form", "rate-limited", || ask(world, "GET", "/v1/sales/drop/form", ""));
}

/// A body that never comes.
fn provoke_by_slowness(world: &World, provoked: &mut Provoked) {
    let head = format!(
        "POST {RESERVE} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{"
    );
    provoked.see("reserve", "body-timeout", || world.http().exchange(head.as_bytes()).expect("an answer"));
}

/// A replica that stops in the middle.
fn provoke_by_a_replica(world: &World, provoked: &mut Provoked) {
    let (replica, mut redis) = (Server::start(), world.redis.connect());
    let port = world.redis.redis.server.port();
    run::<redis::Value>(&mut replica.connect(), &format!("REPLICAOF 127.0.0.1 {port}"));
    let headers = [JSON, ("flash-durability", "replicas=1")];
    let reserve = |buyer: &str| {
        let body = format!("{{\"buyer\":\"{buyer}\"}}");
        world.http().send("POST", "/v1/sales/held/reservations", &headers, &body).expect("an answer")
    };
    let mut tries = 0;
    let short = wait::until("an answer that falls short", || {
        tries += 1;
        wait::until("the replica", || (run::<i64>(&mut redis, "WAIT 1 1000") == 1).then_some(()));
        // Until it is seen to be there, nothing is promised, and nothing reserved.
        reserve("first");
        signal(&replica, Signal::STOP);
        let answer = reserve(&format!("buyer-{tries}"));
        signal(&replica, Signal::CONT);
        (answer.problem() == "durability-short").then_some(answer)
    });
    provoked.note("reserve", "durability-short", &short);
}

/// Keys that are wrong for what is asked.
fn provoke_by_who_calls(world: &mut World, provoked: &mut Provoked) {
    let operators = free_address();
    restart(world, &["--auth", "api-key", "--operator-listen", &operators.to_string()]);
    let create = ["keys", "create", "--role", "buyer", "--holder", "ada", "--by", "root"];
    let (_, printed) = world.flash(&create);
    let shown = format!("Bearer {}", printed[0]["key"].as_str().expect("a key"));
    let ask = |headers: &[_]| {
        let mut http = Http::connect(operators).expect("operators have their own listener");
        http.send("GET", "/v1/keys", headers, "").expect("an answer")
    };
    provoked.until("list-keys", "unauthenticated", || ask(&[]));
    provoked.until("list-keys", "forbidden", || ask(&[("authorization", &shown)]));
}

/// A form that has become unreadable, and a gateway whose PostgreSQL is not there.
fn provoke_by_what_is_written(world: &mut World, provoked: &mut Provoked) {
    world.sql("UPDATE sales SET form = '{\"type\":7}' WHERE sale = 'broken'");
    let told: i64 = run(&mut world.redis.connect(), "DEL flash:facts:broken");
    assert_eq!(told, 1, "whoever made it told the others, who would not ask");
    restart(world, &[]);
    let body = "{\"buyer\":\"ada\",\"data\":{}}";
    provoked.until("reserve", "internal", || ask(world, "POST", "/v1/sales/broken/reservations", body));
    let nowhere = "127.0.0.1:1";
    let environment = [
        ("FLASH_REDIS_URL", world.redis.redis.url()),
        ("FLASH_AMQP_URL", format!("amqp://{nowhere}/flash")),
        ("FLASH_POSTGRES_URL", format!("postgres://flash@{nowhere}/flash")),
        ("FLASH_ID_SECRET", "the same for all gateways of a Redis".to_owned()),
    ];
    let args = ["gateway", "-o", "json", "--auth", "none", "--listen", "127.0.0.1:0"];
    let mut gateway = Program::start(&args, &environment);
    let address = gateway.line()["http"].as_str().and_then(|url| url.strip_prefix("http://")?.parse().ok());
    let look = || Http::connect(address.expect("an address")).and_then(|mut http| http.get("/v1/products/shirt"));
    provoked.until("show-product", "postgres-away", || look().expect("an answer"));
    provoke_by_a_read_only_postgres(world, provoked);
}

fn provoke_by_a_read_only_postgres(world: &World, provoked: &mut Provoked) {
    let database = world.rows("SELECT current_database()").remove(0);
    world.sql(&format!("ALTER DATABASE {database} SET default_transaction_read_only = on"));
    world.sql(TERMINATE);
    let product = r#"{"product":"hat","name":"A hat","price":1,"currency":"EUR"}"#;
    let make = || ask(world, "POST", "/v1/products", product);
    provoked.until("create-product", "postgres-read-only", make);
    world.sql(&format!("ALTER DATABASE {database} RESET default_transaction_read_only"));
    world.sql(TERMINATE);
    wait::until("a PostgreSQL that takes writes", || (make().status < 300).then_some(()));
}

/// A Redis that hangs, and one that is gone.
fn provoke_by_redis(world: &mut World, provoked: &mut Provoked) {
    restart(world, &["--requests-max", "1"]);
    // From here on the gateway knows what it needs to know of the sale.
    reserved(world, "drop", "olga");
    signal(&world.redis, Signal::STOP);
    provoked.until("show-sale", "timed-out", || ask(world, "GET", "/v1/sales/drop", ""));
    signal(&world.redis, Signal::CONT);
    done(|| ask(world, "GET", "/v1/sales/drop", ""));
    signal(&world.redis, Signal::STOP);
    provoked.until("reserve", "outcome-unknown", || ask(world, "POST", RESERVE, "{\"buyer\":\"eve\"}"));
    signal(&world.redis, Signal::CONT);
    done(|| ask(world, "GET", "/v1/sales/drop", ""));
    signal(&world.redis, Signal::STOP);
    // One is in hand and waits for Redis, four wait for its place, and of seven who ask all the time the others are
    // shed.
    let (address, done) = (world.address, AtomicBool::new(false));
    let look = || Http::connect(address).and_then(|mut http| http.get("/v1/sales/drop")).ok();
    let shed = thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| wait::until("the other ones", || look().and_then(|_| done.load(Relaxed).then_some(()))));
        }
        let shed = wait::until("a request that is shed", || look().filter(|answer| answer.problem() == "overloaded"));
        done.store(true, Relaxed);
        shed
    });
    signal(&world.redis, Signal::CONT);
    provoked.note("show-sale", "overloaded", &shed);
    world.redis.redis.server.kill().expect("ours to kill");
    provoked.until("reserve", "redis-away", || ask(world, "POST", RESERVE, "{\"buyer\":\"eve\"}"));
}
