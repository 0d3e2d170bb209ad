//! Live stock over HTTP, as a client without a browser sees it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::world::World;

const RESERVE: &str = "/v1/sales/drop/reservations";
const EVENTS: &str = "/v1/sales/drop/events";
const TIMEOUT: Duration = Duration::from_secs(30);

/// A client of server-sent events.
struct Watcher {
    stream: BufReader<TcpStream>,
    head: Vec<String>,
}

/// One event.
#[derive(Debug)]
struct Event {
    id: String,
    data: Value,
}

impl Watcher {
    fn start(address: SocketAddr) -> Self {
        Self::ask(address, "GET", "")
    }

    /// Asks after another request on the same connection, as a browser may.
    fn ask(address: SocketAddr, method: &str, before: &str) -> Self {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        let request =
            format!("{before}{method} {EVENTS} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it is sent");
        let mut watcher = Self { stream: BufReader::new(stream), head: Vec::new() };
        watcher.read_head();
        watcher
    }

    fn read_head(&mut self) {
        self.head.clear();
        while let Some(line) = self.line().filter(|line| !line.is_empty()) {
            self.head.push(line);
        }
    }

    /// None: the connection has ended.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).expect("a line");
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The next event; none: the connection has ended. Comments and `retry` are passed over.
    fn next(&mut self) -> Option<Event> {
        let (mut id, mut data) = (None, None);
        loop {
            let line = self.line()?;
            match line.split_once(": ") {
                Some(("id", value)) => id = Some(value.to_owned()),
                Some(("data", value)) => data = Some(serde_json::from_str(value).expect("JSON")),
                Some(("event", kind)) => assert_eq!(kind, "stock"),
                _ if line.is_empty() && data.is_some() => {
                    return Some(Event { id: id.expect("an id"), data: data.expect("data") });
                }
                _ => {}
            }
        }
    }

    /// The first event that says this much is available.
    fn until_available(&mut self, available: u64) -> Event {
        loop {
            let event = self.next().expect("the connection lives");
            if event.data["available"] == available {
                return event;
            }
        }
    }
}

fn reserve(world: &World, buyer: u64) {
    let answer = world.http().post(RESERVE, &format!("{{\"buyer\":\"b{buyer}\"}}")).expect("an answer");
    assert_eq!(answer.status, 201, "{answer:?}");
}

#[test]
fn who_watches_sees_the_stock_now_and_each_time_it_changes() {
    let world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9,\"hold_ms\":600000}");
    let mut watchers = [Watcher::start(world.address), Watcher::start(world.address)];
    for watcher in &mut watchers {
        assert_eq!(watcher.head[0], "HTTP/1.1 200 OK");
        assert!(watcher.head.contains(&"content-type: text/event-stream".to_owned()), "{:?}", watcher.head);
        assert!(watcher.line().is_some_and(|line| line.starts_with("retry: ")));
        let first = watcher.next().expect("an event");
        assert_eq!((first.id.as_str(), &first.data["available"]), ("1-1", &9.into()), "{first:?}");
    }
    reserve(&world, 1);
    let seen = watchers.each_mut().map(|watcher| watcher.until_available(8));
    assert_eq!(seen[0].data, seen[1].data);
    assert_eq!(
        (seen[0].id.as_str(), &seen[0].data["held"], &seen[0].data["phase"]),
        ("1-2", &1.into(), &"open".into())
    );
    let late = Watcher::start(world.address).next().expect("an event");
    assert_eq!(late.data, seen[0].data, "who comes late is told at once");
}

#[test]
fn a_stream_has_at_most_ten_events_a_second_and_ends_with_the_newest() {
    const UNITS: u64 = 400;
    let world = World::start();
    world.create_sale(&format!("{{\"sale\":\"drop\",\"total\":{UNITS}}}"));
    let mut watcher = Watcher::start(world.address);
    watcher.until_available(UNITS);
    let start = Instant::now();
    let events = thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut events = 1u128;
            while watcher.next().expect("the connection lives").data["available"] != 0 {
                events += 1;
            }
            events
        });
        let mut http = world.http();
        for buyer in 0..UNITS {
            http.post(RESERVE, &format!("{{\"buyer\":\"b{buyer}\"}}")).expect("an answer");
        }
        watching.join().expect("the end is seen")
    });
    let bound = 2 + start.elapsed().as_millis() / 100;
    assert!(events <= bound, "{events} events, at most {bound}");
}

#[test]
fn a_connection_that_was_used_before_may_watch_too() {
    let world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    let mut watcher = Watcher::ask(world.address, "GET", "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert_eq!(watcher.head[0], "HTTP/1.1 200 OK");
    watcher.stream.read_exact(&mut [0; "{\"live\":true}".len()]).expect("the first answer");
    watcher.read_head();
    assert!(watcher.head.contains(&"content-type: text/event-stream".to_owned()), "{:?}", watcher.head);
    watcher.until_available(9);
}

#[test]
fn who_only_asks_is_answered_like_anyone() {
    let world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    world.create_sale("{\"sale\":\"over\",\"total\":9,\"closes_at_ms\":100000000000}");
    let http = &mut world.http();
    let mut check = |method: &str, path: &str, status: u16, problem: &str| {
        let answer = http.send(method, path, &[], "").expect("an answer");
        assert_eq!((answer.status, answer.problem()), (status, problem), "{method} {path}: {answer:?}");
    };
    check("HEAD", EVENTS, 200, "");
    check("GET", "/v1/sales/over/events", 204, "");
    check("GET", "/v1/sales/none/events", 404, "unknown-sale");
    check("GET", "/v1/sales/a%20b/events", 404, "unknown-sale");
    check("POST", EVENTS, 405, "method-not-allowed");
    check("GET", "/v1/sales/drop", 200, "");
}

#[test]
fn a_stream_ends_with_its_sale_and_with_its_gateway() {
    let mut world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    let mut watcher = Watcher::start(world.address);
    watcher.until_available(9);
    let now_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_millis();
    world.create_sale(&format!("{{\"sale\":\"short\",\"total\":9,\"closes_at_ms\":{}}}", now_ms + 1_500));
    let mut stream = TcpStream::connect(world.address).expect("a connection");
    stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
    stream.write_all(b"GET /v1/sales/short/events HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("it is sent");
    let mut all = String::new();
    stream.read_to_string(&mut all).expect("it ends");
    assert!(all.contains("\"phase\":\"ended\"") || all.starts_with("HTTP/1.1 204 "), "{all}");
    world.stop_gateway();
    assert!(watcher.next().is_none(), "it ends when the gateway stops");
}
