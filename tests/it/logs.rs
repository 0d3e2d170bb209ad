//! What the program writes to its log: a line for some requests, and never a secret.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::Value;

use crate::metrics::page_with;
use crate::support::http::Http;
use crate::support::program::Program;
use crate::support::wait;
use crate::support::world::{World, free_address};

/// What no log may show: it is in every URL, token, key and body of these tests.
const SECRET: &str = "hush";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A gateway whose servers are all away: what it can say is in its log.
struct Alone {
    gateway: Program,
    address: SocketAddr,
    log: PathBuf,
    _dir: tempfile::TempDir,
}

impl Alone {
    fn start(args: &[&str], auth: &str) -> Self {
        let (dir, address) = (tempfile::tempdir().expect("a directory"), free_address());
        let log = dir.path().join("log");
        let listen = address.to_string();
        let nowhere = free_address();
        let environment = [
            ("FLASH_REDIS_URL", format!("redis://ada:{SECRET}@{nowhere}")),
            ("FLASH_AMQP_URL", format!("amqp://ada:{SECRET}@{nowhere}/drop")),
            ("FLASH_POSTGRES_URL", format!("postgres://ada:{SECRET}@{nowhere}/drop")),
            ("FLASH_ID_SECRET", format!("{SECRET}, the same for all gateways of a Redis")),
            ("FLASH_JWT_SECRET", format!("{SECRET}, which tokens are signed with, is long enough")),
            ("FLASH_JWT_ISSUER", "shop".to_owned()),
            ("FLASH_JWT_AUDIENCE", "flash".to_owned()),
        ];
        let args = [&["-o", "json", "gateway", "--auth", auth, "--listen", &listen], args].concat();
        let mut gateway = Program::start_logging(&args, &environment, &log);
        gateway.line();
        Self { gateway, address, log, _dir: dir }
    }

    /// Stops it, and gives what it has logged.
    fn end(self) -> String {
        self.gateway.interrupt();
        assert!(self.gateway.wait().0.success());
        fs::read_to_string(&self.log).expect("a log")
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> u16 {
        let headers = [&[("content-type", "application/json")], headers].concat();
        Http::connect(self.address)
            .and_then(|mut http| http.send(method, path, &headers, body))
            .expect("an answer")
            .status
    }
}

/// The lines of a log that are about requests.
fn requests(log: &str) -> Vec<Value> {
    let lines =
        log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{line}: {error}")));
    lines.filter(|line| line["target"] == "flash_gateway::requests").map(|line| line["fields"].clone()).collect()
}

#[test]
fn each_failure_has_a_line_and_one_in_so_many_of_the_rest() {
    let gateway = Alone::start(&["--log-format", "json", "--log-sample", "4"], "none");
    for _ in 0..8 {
        assert_eq!(gateway.send("GET", "/livez", &[], ""), 200);
    }
    let traced = format!("00-{TRACE}-00f067aa0ba902b7-01");
    for headers in [&[("traceparent", traced.as_str())][..], &[], &[("traceparent", "00-0-0-01")]] {
        assert_eq!(gateway.send("GET", "/v1/sales/drop", headers, ""), 503);
    }
    let lines = requests(&gateway.end());
    let of = |route: &str| lines.iter().filter(|line| line["route"] == route).cloned().collect::<Vec<_>>();
    let (fine, failed) = (of("livez"), of("show-sale"));
    assert_eq!((fine.len(), failed.len(), lines.len()), (2, 3, 5), "{lines:?}");
    assert!(fine[0]["status"] == 200 && fine[0]["method"] == "GET" && fine[0]["micros"].is_u64(), "{fine:?}");
    assert_eq!(failed[0]["status"], 503);
    let traces: Vec<&Value> = failed.iter().map(|line| &line["trace_id"]).collect();
    assert_eq!(traces, [&Value::from(TRACE), &Value::Null, &Value::Null], "a bad one is ignored");
}

#[test]
fn nobody_who_asks_for_no_lines_gets_any() {
    let gateway = Alone::start(&["--log-format", "json", "--log", "flash=trace"], "none");
    assert_eq!(gateway.send("GET", "/livez", &[], ""), 200);
    assert_eq!(gateway.send("GET", "/v1/sales/drop", &[], ""), 503);
    let log = gateway.end();
    assert!(!log.is_empty() && requests(&log).is_empty(), "{log}");
}

#[test]
fn no_secret_is_in_a_log_at_any_level() {
    for format in ["json", "text"] {
        let args = ["--log-format", format, "--log-sample", "1", "--log", "flash=trace"];
        let gateway = Alone::start(&args, "jwt");
        let reserve = format!("/v1/sales/{SECRET}/reservations");
        let body = format!(r#"{{"data":{{"card":"{SECRET}"}}}}"#);
        let [bearer, basic] = ["Bearer", "Basic"].map(|scheme| format!("{scheme} {SECRET}"));
        assert_eq!(gateway.send("POST", &reserve, &[], &body), 401);
        assert_eq!(gateway.send("POST", &reserve, &[("authorization", bearer.as_str())], &body), 401);
        let headers = [("authorization", basic.as_str()), ("idempotency-key", SECRET), ("traceparent", SECRET)];
        assert_eq!(gateway.send("POST", &reserve, &headers, &body), 401);
        assert_eq!(gateway.send("GET", &format!("/v1/sales/{SECRET}"), &[], ""), 503);
        assert_eq!(gateway.send("GET", &format!("/{SECRET}?{SECRET}={SECRET}"), &[("cookie", SECRET)], ""), 404);
        assert_eq!(gateway.send("HUSH", &reserve, &[], ""), 405);
        let log = gateway.end();
        let is_shown = |line: &&str| line.to_lowercase().contains(SECRET);
        let lines: Vec<&str> = log.lines().filter(is_shown).collect();
        assert!(lines.is_empty() && log.lines().count() >= 6, "{lines:?} of {log}");
    }
}

#[test]
fn no_client_writes_a_line_of_its_own_into_a_log() {
    const FORGED: &str = "FORGED";
    for format in ["json", "text"] {
        let gateway = Alone::start(&["--log-format", format, "--log-sample", "1"], "none");
        for path in
            ["/%0aFORGED", "/v1/sales/a%0d%0aFORGED", "/v1/sales/%1b%5b31mFORGED/reservations", "/v1/keys?FORGED%0a"]
        {
            let headers = [("user-agent", "FORGED"), ("traceparent", "FORGED"), ("idempotency-key", "FORGED")];
            gateway.send("POST", path, &headers, "{\"buyer\":\"a\\nFORGED\"}");
        }
        let log = gateway.end();
        assert!(!log.contains(FORGED) && log.lines().count() >= 4, "{log}");
        assert!(log.chars().all(|letter| letter == '\n' || letter == '\u{1b}' || !letter.is_control()), "{log}");
    }
}

#[test]
fn who_is_not_let_in_is_counted_and_no_key_is_in_the_log() {
    let world = World::start_direct("refused_callers");
    let key = |role: &str| {
        let (code, rows) = world.flash(&["keys", "create", "--role", role, "--holder", "ada"]);
        assert_eq!(code, 0);
        rows[0]["key"].as_str().expect("a key").to_owned()
    };
    let (read, buyer) = (key("read"), key("buyer"));
    let dir = tempfile::tempdir().expect("a directory");
    let (log, operators) = (dir.path().join("log"), free_address());
    let listen =
        ["--listen", &free_address().to_string(), "--operator-listen", &operators.to_string()].map(str::to_owned);
    let others = ["-o", "json", "gateway", "--auth", "api-key", "--log-sample", "1", "--log", "flash=trace"];
    let args: Vec<&str> = others.into_iter().chain(listen.iter().map(String::as_str)).collect();
    let mut gateway = Program::start_logging(&args, &world.environment(), &log);
    gateway.line();
    let ask = |key: &str, method: &str, path: &str| {
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str())];
        Http::connect(operators).and_then(|mut http| http.send(method, path, &headers, "")).expect("an answer").status
    };
    wait::until("PostgreSQL", || (ask(&read, "GET", "/v1/keys") == 200).then_some(()));
    assert_eq!(ask("flash_read_x_y", "GET", "/v1/keys"), 401);
    assert_eq!(ask(&read, "POST", "/v1/sales/drop/close"), 403);
    assert_eq!(ask(&buyer, "GET", "/v1/keys"), 403);
    let page = page_with(operators, &format!("authorization: Bearer {read}\r\n")).expect("a page");
    for line in ["flash_requests_unauthenticated_total 1", "flash_requests_forbidden_total 2"] {
        assert!(page.lines().any(|got| got == line), "{line} in {page}");
    }
    gateway.interrupt();
    assert!(gateway.wait().0.success());
    let log = fs::read_to_string(&log).expect("a log");
    assert!(log.contains("list-keys"), "{log}");
    for key in [&read, &buyer] {
        assert!(key.rsplit('_').next().is_some_and(|secret| !log.contains(secret)), "{log}");
    }
}
