//! deploy/nginx.conf in Debian's nginx, in front of two gateways.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

use crate::support::http::{Answer, Http};
use crate::support::limited::{is_unknown, policy};
use crate::support::nginx::Nginx;
use crate::support::proxy::Proxy;
use crate::support::wait;
use crate::support::world::{World, free_address};

const SALE: &str = "/v1/sales/drop";
const RESERVE: &str = "/v1/sales/drop/reservations";
const EVENTS: &str = "/v1/sales/drop/events";
const UNITS: u64 = 1_000;

/// Two gateways that trust whom nginx comes from, and this file says more.
struct Gateways {
    world: World,
    addresses: [SocketAddr; 2],
    _dir: TempDir,
}

impl Gateways {
    fn start(database: &str, config: &str) -> Self {
        let mut world = World::start_direct(database);
        world.create_sale(&format!("{{\"sale\":\"drop\",\"total\":{UNITS},\"limit\":{UNITS}}}"));
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("flash.toml");
        fs::write(&path, format!("trusted-proxies = [\"127.0.0.1\"]\n{config}")).expect("writable");
        let args = ["--config", path.to_str().expect("UTF-8")];
        world.kill_gateway();
        world.start_gateway_with(&args);
        let first = world.address;
        world.start_second_gateway_with(&args);
        let addresses = [first, world.address];
        Self { world, addresses, _dir: dir }
    }

    /// What the second gateway says is available.
    fn available(&self) -> u64 {
        wait::until("how many are available", || self.world.http().get(SALE).ok()?.body["available"].as_u64())
    }
}

fn http(nginx: &Nginx) -> Http {
    Http::connect(nginx.address).expect("nginx takes connections")
}

/// A client at another address of this machine.
fn http_from(nginx: &Nginx, last: u8) -> Http {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0)).into()).expect("all of 127/8 is ours");
    socket.connect(&nginx.address.into()).expect("nginx takes connections");
    Http::over(socket.into())
}

/// Reserves for a buyer, who asks again while the outcome is unknown.
fn reserve_once(nginx: &Nginx, buyer: u64) {
    let (key, body) = (format!("key-{buyer}"), format!("{{\"buyer\":\"b{buyer}\"}}"));
    let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
    wait::until("the reservation", || {
        let answer = http(nginx).send("POST", RESERVE, &headers, &body).expect("an answer");
        assert!([200, 201].contains(&answer.status) || is_unknown(&answer), "{answer:?}");
        (!is_unknown(&answer)).then_some(())
    });
}

/// nginx says itself when it has had no answer; a gateway has no such words.
fn is_of_nginx(answer: &Answer) -> bool {
    answer.status == 504 && answer.header("retry-after").is_some()
}

#[test]
fn operators_have_a_port_of_their_own_with_the_console_and_buyers_have_neither() {
    let gateways = Gateways::start("nginx_console", "");
    let mut world = gateways.world;
    let operators = free_address();
    world.kill_gateway();
    world.start_gateway_with(&["--operator-listen", &operators.to_string()]);
    let nginx = Nginx::start_for_operators([world.address; 2], [operators; 2]);
    let status = |door: SocketAddr, path: &str| {
        let mut stream = TcpStream::connect(door).expect("nginx takes connections");
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").expect("it is sent");
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).expect("an answer");
        let is_console = answer.contains("content-security-policy: default-src 'none';");
        (answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok()).expect("a status"), is_console)
    };
    assert_eq!(status(nginx.operators, "/console/"), (200, true));
    assert_eq!(status(nginx.operators, "/console/icon.svg"), (200, true));
    assert_eq!(status(nginx.operators, "/v1/sales"), (401, false), "their API asks for a key");
    for path in ["/console", "/console/", "/console/icon.svg", "/v1/audit-log", "/console/../nginx.conf"] {
        let (status, is_console) = status(nginx.address, path);
        assert!([400, 404].contains(&status) && !is_console, "{path}: {status}");
    }
    let mut ports = [nginx.address.port(), nginx.operators.port()];
    ports.sort_unstable();
    let mut open = nginx.ports();
    open.sort_unstable();
    assert_eq!(open, ports, "no other port is open");
}

#[test]
fn many_clients_share_few_connections_to_the_gateways() {
    const REQUESTS: usize = 100;
    let gateways = Gateways::start("nginx_keep_alive", "");
    let proxies = gateways.addresses.map(Proxy::to);
    let nginx = Nginx::start(proxies.each_ref().map(|proxy| proxy.address));
    for _ in 0..REQUESTS {
        let answer = http(&nginx).get("/livez").expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let connections: Vec<usize> = proxies.iter().map(Proxy::connections).collect();
    let all: usize = connections.iter().sum();
    assert!(connections.iter().all(|some| *some > 0), "both are used: {connections:?}");
    assert!(all < REQUESTS / 2, "{connections:?} connections for {REQUESTS} requests");
}

#[test]
fn a_limit_by_address_counts_clients_and_not_nginx_whatever_they_say() {
    let terms =
        "strategy = \"strict\"\nlimit = 2\nwindow-ms = 2592000000\nby = [\"address\"]\nroutes = [\"show-sale\"]";
    let gateways = Gateways::start("nginx_address", &policy("addresses", terms));
    let nginx = Nginx::start(gateways.addresses);
    let ask = |last: u8, headers: &[(&str, &str)]| {
        let mut http = http_from(&nginx, last);
        wait::until("an answer in time", || {
            Some(http.send("GET", SALE, headers, "").expect("an answer")).filter(|answer| !is_unknown(answer))
        })
    };
    // What is refused once is refused for as long as this test lasts.
    wait::until("the first client's limit", || (ask(2, &[]).status == 429).then_some(()));
    for headers in [
        [("x-forwarded-for", "203.0.113.9")],
        [("x-forwarded-for", "127.0.0.3, 127.0.0.1")],
        [("forwarded", "for=203.0.113.9")],
        [("x-real-ip", "203.0.113.9")],
    ] {
        assert_eq!(ask(2, &headers).status, 429, "{headers:?}");
    }
    assert_eq!(ask(3, &[("x-forwarded-for", "127.0.0.2")]).status, 200, "another client has a limit of its own");
}

#[test]
fn a_stream_comes_through_at_once_and_outlives_silence() {
    let gateways = Gateways::start("nginx_events", "");
    let nginx = Nginx::start(gateways.addresses);
    let mut stream = TcpStream::connect(nginx.address).expect("nginx takes connections");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    write!(stream, "GET {EVENTS} HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("it is sent");
    let mut stream = BufReader::new(stream);
    let mut until = |is: &dyn Fn(&str) -> bool, what: &str| loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).expect("a line") > 0, "the stream ended before {what}");
        if is(line.trim_end()) {
            break;
        }
    };
    until(&|line| line.eq_ignore_ascii_case("content-type: text/event-stream"), "its head");
    let mut sell = |available: u64| {
        reserve_once(&nginx, available);
        until(&|line| line.contains(&format!("\"available\":{available},")), "the event");
    };
    (1..4).for_each(|sold| sell(UNITS - sold));
    // What a gateway says when nothing happens, later than nginx waits for any other answer.
    until(&|line| line == ":", "a sign of life");
    until(&|line| line.is_empty(), "its end");
}

#[test]
fn what_nginx_refuses_is_a_problem_as_a_gateway_would_say_it() {
    let gateways = Gateways::start("nginx_bodies", "");
    let nginx = Nginx::start(gateways.addresses);
    let check = |method: &str, path: &str, body: &str, status: u16, problem: &str| {
        let json = [("content-type", "application/json")];
        let answer = http(&nginx).send(method, path, &json, body).expect("an answer");
        assert_eq!((answer.status, answer.problem()), (status, problem), "{method} {path}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    };
    let largest = "x".repeat(16 * 1024);
    check("POST", RESERVE, &largest, 400, "malformed");
    check("POST", RESERVE, &format!("{largest}x"), 413, "body-too-large");
    check("PUT", RESERVE, "", 405, "method-not-allowed");
    check("GET", "/nowhere", "", 404, "not-found");
    check("GET", "/metrics", "", 404, "not-found");
    check("GET", "/v1/audit-log", "", 404, "not-found");
    check("GET", "/v1/audit", "", 404, "not-found");
    check("POST", "/v1/quarantine/1/replay", "", 404, "not-found");
    // These gateways ask nothing of a caller: operators' routes still do not exist for buyers.
    for (method, path) in [
        ("GET", "/v1/sales"),
        ("POST", "/v1/sales"),
        ("GET", "/v1/webhooks"),
        ("POST", "/v1/webhooks"),
        ("POST", "/v1/sales/drop/close"),
        ("POST", "/v1/sales/drop/restock"),
        ("POST", "/v1/products"),
        ("GET", "/v1/buyers/ada"),
        ("GET", "/v1/payments"),
        ("POST", "/v1/sales/drop/../../keys"),
        ("GET", "/v1/sales/drop/..%2f..%2fkeys"),
        ("GET", "//v1/keys"),
        ("GET", "/console/"),
    ] {
        check(method, path, "", 404, "not-found");
    }
    check("GET", RESERVE, "", 405, "method-not-allowed");
}

#[test]
fn what_nginx_itself_refuses_is_a_problem_even_where_it_has_no_path() {
    let gateways = Gateways::start("nginx_unreadable", "");
    let nginx = Nginx::start(gateways.addresses);
    let long = "x".repeat(40_000);
    for request in [
        "GET /livez HTTP/1.1\r\n\r\n".to_owned(),
        "GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(),
        "GET /livez HTTP/1.1\r\nHost: a\r\nA B: c\r\n\r\n".to_owned(),
        format!("GET /livez HTTP/1.1\r\nHost: a\r\nA: {long}\r\n\r\n"),
        format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"),
        "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "GET /livez HTTP/3.0\r\nHost: a\r\n\r\n".to_owned(),
        "POST /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n".to_owned(),
        "garbage\r\n\r\n".to_owned(),
    ] {
        check_refused(&nginx, &request, "HTTP/1.1 400 Bad Request", &[], ("/problems/bad-request", 400));
    }
    let trace = "TRACE /livez HTTP/1.1\r\nHost: a\r\n\r\n";
    let allow = ["Allow: GET, HEAD, POST, DELETE"];
    check_refused(&nginx, trace, "HTTP/1.1 405 Not Allowed", &allow, ("/problems/method-not-allowed", 405));
}

/// What nginx itself answers: with these headers besides the type of a problem, and that problem.
fn check_refused(nginx: &Nginx, request: &str, status: &str, headers: &[&str], want: (&str, u16)) {
    let told: String = request.chars().take(60).collect();
    let mut stream = TcpStream::connect(nginx.address).expect("nginx takes connections");
    // It may have answered, and hung up, before all of it was sent.
    let _ = stream.write_all(request.as_bytes());
    let lines: Vec<String> = BufReader::new(stream).lines().map_while(Result::ok).collect();
    assert_eq!(lines.first().map(String::as_str), Some(status), "{told}");
    for header in headers.iter().chain(&["Content-Type: application/problem+json"]) {
        assert!(lines.iter().any(|line| line == header), "{told} lacks {header}: {lines:?}");
    }
    let problem: serde_json::Value = serde_json::from_str(lines.last().expect("a body")).expect("JSON");
    assert_eq!((&problem["type"], &problem["status"]), (&want.0.into(), &want.1.into()), "{told}");
}

#[test]
fn a_request_whose_outcome_is_unknown_is_not_sent_again() {
    const POSTS: usize = 6;
    let gateways = Gateways::start("nginx_unknown", "");
    let proxies = gateways.addresses.map(Proxy::to);
    let nginx = Nginx::start(proxies.each_ref().map(|proxy| proxy.address));
    proxies.iter().for_each(|proxy| proxy.count("POST /"));
    // One gateway receives everything, and its answers are lost.
    proxies[0].mute();
    let answers: Vec<Answer> =
        (0..POSTS).map(|_| http(&nginx).post(RESERVE, "{\"buyer\":\"ada\"}").expect("an answer")).collect();
    let [mute, other] = proxies.each_ref().map(Proxy::counted);
    assert!(mute > 0 && mute + other == POSTS, "{POSTS} were sent as {mute} + {other}: {answers:?}");
    let unknown = answers.iter().filter(|answer| answer.status == 504 && answer.problem() == "outcome-unknown").count();
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    let in_vain = answers.iter().filter(|answer| is_unknown(answer)).count();
    assert!(unknown >= mute && in_vain + made == POSTS, "{answers:?}");
    let sold = UNITS - gateways.available();
    assert!((made as u64..=POSTS as u64).contains(&sold), "{sold} were sold by {POSTS} requests: {answers:?}");
}

#[test]
fn where_one_gateway_is_killed_the_other_answers() {
    const BUYERS: u64 = 20;
    let mut gateways = Gateways::start("nginx_killed", "");
    let nginx = Nginx::start(gateways.addresses);
    (0..BUYERS).for_each(|_| assert_eq!(http(&nginx).get("/livez").expect("an answer").status, 200));
    gateways.world.kill_first_gateway();
    for _ in 0..BUYERS {
        let answer = http(&nginx).get(SALE).expect("an answer");
        assert!(answer.status == 200 || is_unknown(&answer) && !is_of_nginx(&answer), "{answer:?}");
    }
    (0..BUYERS).for_each(|buyer| reserve_once(&nginx, buyer));
    assert_eq!(gateways.available(), UNITS - BUYERS);
}
