//! A connection from its first byte to its last, over memory instead of a socket, in virtual time: no server is there,
//! and no second is waited for.

mod edges;
mod foreign;
mod unread;

use hyper::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;

use std::io;

use super::*;
use crate::events::Socket;
use crate::http::stream::Stream;
use crate::http::unread::Abort;
use crate::http::{App, Gate, Places, Proxies, RateLimits, RequestLog, Rules, Surface};
use crate::ids::{IdSecrets, Ids};
use crate::limits::{
    BODY_BYTES_MAX, BODY_TIMEOUT_MS, HEADER_TIMEOUT_MS, ID_SECRET_BYTES_MIN, KEEP_ALIVE_MS, REQUESTS_MAX,
};
use crate::postgres::Postgres;

impl Abort for DuplexStream {
    fn abort(&self) {}
}

impl Stream for DuplexStream {
    fn leave(self) -> io::Result<Socket> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A connection to a gateway that has neither Redis nor PostgreSQL.
pub(crate) struct Peer {
    stream: DuplexStream,
    phase: watch::Sender<Phase>,
    site: Arc<Site>,
}

/// What a gateway's thread has that knows neither Redis nor PostgreSQL.
fn app(surface: Surface, gate: Gate) -> (App, watch::Sender<Phase>) {
    let (phase, receiver) = watch::channel(Phase::Serving);
    let closed = "127.0.0.1:1";
    let redis = flash_client::Client::connect(&format!("redis://{closed}")).unwrap();
    let app = App {
        surface,
        gate,
        hosts: crate::http::Hosts::new(&["h".parse().unwrap()], ([127, 0, 0, 1], 0).into()),
        origins: crate::http::Origins::default(),
        ids: Ids::new(&IdSecrets { makes: "i".repeat(ID_SECRET_BYTES_MIN), also: None }, false).unwrap(),
        webhooks_private: false,
        devtools: Some(Arc::new(crate::devtools::tests::Fake::default())),
        crowd: crate::crowd::Crowd::new(0),
        hsts: None,
        refused_log: Default::default(),
        events: crate::events::handle(crate::crowd::Crowd::new(0)).0,
        waits: crate::persistence::Waits::new(redis.clone()),
        sold_out: crate::sold_out::SoldOut::new(),
        redis,
        durable: flash_client::Durable::connect(&format!("redis://{closed}")).unwrap(),
        durability: flash_client::Durability::MEMORY,
        postgres: Arc::new(Postgres::new(format!("postgres://{closed}/db"))),
        catalogue: Arc::new(crate::catalogue::Catalogue::new()),
        pool: crate::pool::Pool::start().unwrap(),
        debits: Arc::new(flash_payments::Debits::new(String::new())),
        audits: Arc::new(crate::audits::Audits::new(format!("postgres://{closed}/db"))),
        examinations: Arc::new(crate::examinations::Examinations::of(flash_doctor::Config {
            redis: Err("nowhere".to_owned()),
            broker: None,
            postgres: Err("nowhere".to_owned()),
            durability: flash_client::Durability::MEMORY,
            files_max: 0,
            silence_ms: 1,
        })),
        relay: flash_relay::handle().0,
        recovery: flash_recovery::handle().0,
        broker: Some("rabbitmq"),
        unprepared: Arc::default(),
        phase: receiver,
        rate_limits: RateLimits::new(Rules::default()),
        proxies: Proxies::default(),
        keep_alive: Duration::from_millis(KEEP_ALIVE_MS),
        redis_timeout: Duration::from_millis(flash_client::REDIS_TIMEOUT_MS),
        places: Places::new(REQUESTS_MAX),
        request_log: RequestLog::new(1),
    };
    (app, phase)
}

impl Peer {
    fn new() -> Self {
        Self::with(Surface::Whole, Gate::Open)
    }

    /// Whose connection may rest so long.
    fn resting(keep_alive: Duration) -> Self {
        let (app, phase) = app(Surface::Whole, Gate::Open);
        Self::of(App { keep_alive, ..app }, phase)
    }

    /// Of a listener that serves so much, and asks its callers for that.
    pub(crate) fn with(surface: Surface, gate: Gate) -> Self {
        let (app, phase) = app(surface, gate);
        Self::of(app, phase)
    }

    fn of(app: App, phase: watch::Sender<Phase>) -> Self {
        let site = Arc::new(Site::new(app).unwrap());
        let (stream, far) = duplex(64 * 1024);
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        tokio::spawn(connection(far, IpAddr::from([127, 0, 0, 1]), site.clone(), (place, None)));
        Self { stream, phase, site }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Everything until the gateway closes the connection.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.stream.read_to_string(&mut rest).await.unwrap();
        rest
    }

    /// Whether `/livez` answers on this connection.
    async fn lives(&mut self) -> bool {
        let asked = self.stream.write_all(b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n").await;
        let mut answer = Vec::new();
        while asked.is_ok() && !answer.ends_with(b"{\"live\":true}") {
            if self.stream.read_buf(&mut answer).await.unwrap() == 0 {
                return false;
            }
        }
        asked.is_ok()
    }

    /// The answer to a request, of which `Connection: close` makes the last.
    async fn ask(request: &str) -> String {
        let mut peer = Self::new();
        peer.send(request).await;
        peer.rest().await
    }
}

fn reserve(headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /v1/sales/drop/reservations HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {length}\r\n\
         {headers}\r\n{body}"
    )
}

const JSON: &str = "Content-Type: application/json\r\n";

async fn check(request: &str, status: &str, contains: &str) {
    let answer = Peer::ask(request).await;
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}\n{answer}");
    assert!(answer.contains(contains), "{request}\n{answer}\nlacks {contains}");
}

#[tokio::test(start_paused = true)]
async fn a_gateway_without_redis_lives_and_is_not_ready() {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    check(&get("/livez"), "200", "{\"live\":true}").await;
    check(&get("/livez").replace("GET", "HEAD"), "200", "content-length: 13\r\n").await;
    check(&get("/readyz"), "503", "{\"ready\":false}").await;
    let checks = "\"starting\":false,\"draining\":false,\"redis\":\"away\",\"rabbitmq\":\"away\",\"postgres\":\"away\"";
    check(&get("/readyz?verbose"), "503", checks).await;
    check(&get("/v1/sales/drop"), "503", "/problems/redis-away").await;
    check(&reserve(JSON, "{\"buyer\":\"ada\"}"), "503", "retry-after: 1\r\n").await;
    let create = "POST /v1/sales HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n\
                  Content-Length: 11\r\n\r\n{\"total\":1}";
    check(create, "503", "/problems/postgres-away").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_a_request_of_ours_gets_a_problem() {
    let json_and = |header: &str| format!("{JSON}{header}\r\n");
    check("GET /none HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "404", "/problems/not-found").await;
    check("PUT /v1/sales HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "405", "allow: POST, GET, HEAD\r\n").await;
    check(&reserve("", "{}"), "415", "/problems/unsupported-media-type").await;
    check(&reserve(JSON, "{"), "400", "/problems/malformed").await;
    check(&reserve(JSON, "{}"), "422", "\"pointer\":\"/buyer\"").await;
    check(&reserve(&json_and("Idempotency-Key: \"a"), "{}"), "400", "Idempotency-Key must end").await;
    check("nonsense\r\n\r\n", "400", "").await;
}

#[tokio::test(start_paused = true)]
async fn a_body_is_bounded_whether_or_not_it_says_so() {
    let large = "x".repeat(BODY_BYTES_MAX + 1);
    let chunked = format!(
        "POST /v1/sales HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{large}\r\n0\r\n\r\n",
        large.len()
    );
    check(&reserve(JSON, &large), "413", "the body must be at most 16384 bytes").await;
    check(&chunked, "413", "the body must be at most 16384 bytes").await;
    check(&reserve(JSON, &large[1..]), "400", "/problems/malformed").await;
}

#[tokio::test(start_paused = true)]
async fn a_gateway_with_enough_in_hand_refuses_at_once_and_asks_for_no_body() {
    let started = Instant::now();
    let mut peer = Peer::new();
    let app = peer.site.app.clone();
    let in_hand = app.places.fill();
    let shed = flash_metrics::process::REQUESTS_SHED.get();
    let request = reserve(&format!("{JSON}Expect: 100-continue\r\n"), "{}");
    peer.send(&request[..request.len() - 2]).await;
    let answer = peer.rest().await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("/problems/overloaded"), "{answer}");
    assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
    assert_eq!(started.elapsed(), Duration::ZERO, "no body was waited for");
    assert!(flash_metrics::process::REQUESTS_SHED.get() > shed);
    drop(in_hand);
    check(&reserve(JSON, "{}"), "422", "\"pointer\":\"/buyer\"").await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_takes_no_place() {
    let mut peer = Peer::new();
    peer.send(&reserve(JSON, "{}").replace("Content-Length: 2", "Content-Length: 3")).await;
    let app = peer.site.app.clone();
    let answered = tokio::spawn(async move { peer.rest().await });
    while !answered.is_finished() {
        assert!(app.places.are_free());
        tokio::time::advance(Duration::from_millis(BODY_TIMEOUT_MS / 4)).await;
    }
    let answer = answered.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn headers_are_bounded() {
    let get = |headers: &str| format!("GET /livez HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}\r\n");
    check(&get(&"a: b\r\n".repeat(HEADERS_MAX)), "431", "").await;
    check(&get(&format!("a: {}\r\n", "b".repeat(HEADER_BYTES_MAX))), "431", "").await;
    check(&get(&"a: b\r\n".repeat(HEADERS_MAX - 2)), "200", "").await;
}

#[tokio::test(start_paused = true)]
async fn slow_headers_end_the_connection() {
    let started = Instant::now();
    let answer = Peer::ask("GET /livez HTTP/1.1\r\nHo").await;
    assert_eq!(answer, "");
    assert_eq!(started.elapsed().as_secs(), HEADER_TIMEOUT_MS / 1000);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_ends_too() {
    let started = Instant::now();
    assert_eq!(Peer::ask("").await, "");
    assert_eq!(started.elapsed().as_secs(), KEEP_ALIVE_MS / 1000);
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_gets_a_timeout() {
    let started = Instant::now();
    let request = reserve(JSON, "{}").replace("Content-Length: 2", "Content-Length: 3");
    check(&request, "408", "the body must arrive within 2000 ms").await;
    assert_eq!(started.elapsed().as_secs(), BODY_TIMEOUT_MS / 1000);
}

#[tokio::test(start_paused = true)]
async fn a_connection_does_not_grow_older_than_it_may() {
    let started = Instant::now();
    let mut peer = Peer::new();
    // It is never idle for as long as an idle connection may be.
    let mut answers = 0;
    while peer.lives().await {
        answers += 1;
        tokio::time::advance(Duration::from_millis(HEADER_TIMEOUT_MS / 2)).await;
    }
    let age = started.elapsed();
    let [oldest, jitter, step] =
        [CONNECTION_AGE_MS_MAX, CONNECTION_AGE_JITTER_MS, HEADER_TIMEOUT_MS].map(Duration::from_millis);
    assert!((oldest - jitter..=oldest + step).contains(&age) && answers > 10, "{age:?}, {answers} answers");
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_stops_closes_idle_connections() {
    let mut peer = Peer::new();
    assert!(peer.lives().await);
    let started = Instant::now();
    peer.phase.send_replace(Phase::Stopping);
    assert_eq!(peer.rest().await, "");
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_stops_finishes_the_request_that_it_is_in() {
    let mut peer = Peer::new();
    let request = reserve(&format!("{JSON}Expect: 100-continue\r\n"), "{}").replace("Connection: close\r\n", "");
    let (head, body) = request.split_at(request.len() - 2);
    peer.send(head).await;
    let mut asked = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    peer.stream.read_exact(&mut asked).await.unwrap();
    peer.phase.send_replace(Phase::Stopping);
    peer.send(body).await;
    let answer = peer.rest().await;
    assert!(answer.starts_with("HTTP/1.1 422 ") && answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_draining_gateway_serves_and_says_that_it_is_not_ready() {
    let mut peer = Peer::new();
    peer.phase.send_replace(Phase::Draining);
    peer.send("GET /readyz?verbose HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    assert!(peer.rest().await.contains("\"draining\":true"));
}
