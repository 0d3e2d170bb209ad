//! What is no request as HTTP wants it is refused, and what has no end is ended.

use std::net::SocketAddr;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

const LIVES: &str = "{\"live\":true}";
const LIVEZ: &str = "GET /livez HTTP/1.1\r\nHost: h\r\n\r\n";

/// Sends what ends with a request that closes the connection, and looks at all that comes back.
async fn check_all(sent: &str, statuses: &[&str]) {
    let answers = Peer::ask(sent).await;
    let got: Vec<&str> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(got, statuses, "{sent:?}\n{answers}");
}

#[tokio::test(start_paused = true)]
async fn a_request_goes_to_one_host() {
    let get = |hosts: &str| format!("GET /livez HTTP/1.1\r\nConnection: close\r\n{hosts}\r\n");
    check(&get(""), "400", "\"detail\":\"Host is missing\"").await;
    check(&get("Host: a\r\nHost: a\r\n"), "400", "\"detail\":\"Host must stand there once\"").await;
    check(&get("Host: a\r\nhost: b\r\n"), "400", "content-type: application/problem+json").await;
    check(&get("Host: a b\r\n"), "400", "/problems/bad-request").await;
    check(&get("Host: h\r\n"), "200", LIVES).await;
    // Before HTTP/1.1 no client had to name one.
    assert!(Peer::ask("GET /livez HTTP/1.0\r\n\r\n").await.ends_with(LIVES));
}

#[tokio::test(start_paused = true)]
async fn no_request_is_echoed_to_its_sender() {
    for (path, status) in [("/livez", "405"), ("/v1/sales/drop/reservations", "405"), ("/", "405"), ("*", "404")] {
        let request = format!("TRACE {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nCookie: secret\r\n\r\n");
        check(&request, status, "content-type: application/problem+json").await;
        assert!(!Peer::ask(&request).await.contains("secret"), "{path}");
    }
    check("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\nConnection: close\r\n\r\n", "404", "/problems/not-found").await;
}

/// However an operator's path is spelled, buyers do not get there.
#[tokio::test(start_paused = true)]
async fn no_spelling_leads_a_buyer_to_an_operators_path() {
    for path in [
        "/v1/keys",
        "/v1/keys/",
        "//v1/keys",
        "/v1//keys",
        "/v1/./keys",
        "/v1/../v1/keys",
        "/V1/keys",
        "/v1/KEYS",
        "/v1/keys;x",
        "/v1/keys%00",
        "/v1/%6beys",
        "/v1%2fkeys",
        "/v1\\keys",
        "/%2e%2e/v1/keys",
        "/v1/sales/..;/keys",
        "/v1/sales/%2e%2e/keys",
        "/v1/sales/../keys",
        "/v1/sales/drop/../../keys",
        "/v1/keys?a=/v1/sales/drop",
        "/v1/keys#",
        "/v1/keys%20",
        "/v1/keys%",
        "http://h/v1/keys",
        "/console",
        "/console/",
        "/metrics",
        "/metrics/",
        "/v1/audit-log",
        "/v1/sales",
        "/v1/webhooks",
        "/v1/quarantine/1/replay",
        "/v1/sales/drop/close",
        "/v1/sales/drop%2fclose",
        "/v1/sales/drop/restock/",
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let mut peer = Peer::with(Surface::Buyers, Gate::Open);
            let head = format!("{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{JSON}");
            peer.send(&format!("{head}Content-Length: 2\r\n\r\n{{}}")).await;
            let (answer, status) = (peer.rest().await, ["400", "404", "405"]);
            let is_refused = status.iter().any(|status| answer.starts_with(&format!("HTTP/1.1 {status} ")));
            assert!(is_refused, "{method} {path}: {answer}");
        }
    }
}

/// Requests of pieces that belong elsewhere: each is answered by what it is, and none is the gateway's fault.
#[tokio::test(start_paused = true)]
async fn random_requests_are_never_the_gateways_fault() {
    const REQUESTS: u32 = 2_000;
    const PIECES: [&str; 24] = [
        "/",
        "v1",
        "sales",
        "drop",
        "reservations",
        "keys",
        "%00",
        "%ff",
        "..",
        "?",
        "a=b",
        "{",
        "}",
        "[",
        "\"",
        ":",
        "null",
        "1e999",
        "-1",
        "\"buyer\"",
        "\"ada\"",
        ",",
        "\u{e9}",
        "\\ud800",
    ];
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let rng = &mut StdRng::seed_from_u64(seed);
    let mut some = |most: usize| -> String {
        (0..rng.random_range(0..most)).map(|_| PIECES[rng.random_range(0..PIECES.len())]).collect()
    };
    for _ in 0..REQUESTS {
        let method = ["GET", "POST", "DELETE", "PATCH"][some(5).len() % 4];
        let (path, body) = (some(9).replace(['"', '\u{e9}', '\\', '{', '}'], ""), some(12));
        let request = format!(
            "{method} /{path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{JSON}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = Peer::ask(&request).await;
        // There is no Redis here, and no PostgreSQL: to say so is right.
        let is_fault = answer.is_empty() || answer.starts_with("HTTP/1.1 500 ");
        assert!(!is_fault, "seed {seed}: {request}\n{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bare_line_end_is_refused_in_every_head_and_nothing_after_it_is_read() {
    check_all("GET /livez HTTP/1.1\nHost: h\r\n\r\n", &["400"]).await;
    check_all("GET /livez HTTP/1.1\r\nHost: h\n\r\n", &["400"]).await;
    check_all("GET /livez HTTP/1.1\r\nHost: h\r\n\n", &["400"]).await;
    check_all(&format!("GET /livez HTTP/1.1\nHost: h\n\n{LIVEZ}"), &["400"]).await;
    check_all(&format!("\n{LIVEZ}"), &["400"]).await;
    let closes = LIVEZ.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    check_all(&format!("{LIVEZ}\r\n{closes}"), &["200", "200"]).await;
    check_all(&format!("{LIVEZ}GET /livez HTTP/1.1\nHost: h\r\n\r\n{LIVEZ}"), &["200", "400"]).await;
    let spread = reserve(JSON, "{\n\"buyer\"\n:\n7}\n").replace("Connection: close\r\n", "");
    check_all(&format!("{spread}{closes}"), &["422", "200"]).await;
    check_all(&format!("{spread}GET /livez HTTP/1.1\nHost: h\r\n\r\n{LIVEZ}"), &["422", "400"]).await;
}

#[tokio::test(start_paused = true)]
async fn how_long_a_body_is_is_not_said_in_two_ways() {
    let post = |fields: &str, body: &str| format!("POST /v1/sales HTTP/1.1\r\nHost: h\r\n{JSON}{fields}\r\n{body}");
    let chunked = "Transfer-Encoding: chunked\r\n";
    for fields in [
        "Content-Length: 2\r\nContent-Length: 2\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length: 2, 2\r\n",
        "Content-Length: +2\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\n",
    ] {
        check_all(&post(fields, &format!("{{}}{LIVEZ}")), &["400"]).await;
    }
    let closes = LIVEZ.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    check_all(&format!("{}{closes}", post(chunked, "1\r\n{\r\n1;a=b\r\n}\r\n0\r\na: b\r\n\r\n")), &["503", "200"])
        .await;
    check_all(&post(chunked, &format!("2\n{{}}\r\n0\r\n\r\n{LIVEZ}")), &["400"]).await;
    check_all(&post(chunked, &format!("x\r\n{{}}\r\n0\r\n\r\n{LIVEZ}")), &["400"]).await;
    check_all(&post(chunked, &format!("2\r\n{{}}\r\n0\r\na: b\n\r\n{LIVEZ}")), &["400"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_rests_after_a_request_ends() {
    let mut peer = Peer::new();
    assert!(peer.lives().await);
    let started = Instant::now();
    assert_eq!(peer.rest().await, "");
    assert_eq!(started.elapsed().as_secs(), HEADER_TIMEOUT_MS / 1000);
}

#[tokio::test(start_paused = true)]
async fn headers_that_come_letter_by_letter_end_the_connection_as_well() {
    let started = Instant::now();
    let mut peer = Peer::new();
    // A letter each second is not silence.
    while peer.stream.write_all(b"a").await.is_ok() {
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
    let limit_s = HEADER_TIMEOUT_MS / 1000;
    assert!((limit_s..=limit_s + 2).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

/// A door that takes so many connections.
async fn door(connections: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (app, phase) = app(Surface::Whole, Gate::Open);
    tokio::spawn(async move {
        let _phase = phase;
        accept(
            &Door { listener, shown: None },
            &Arc::new(Site::new(app).unwrap()),
            &Arc::new(Semaphore::new(connections)),
        )
        .await;
    });
    address
}

#[tokio::test]
async fn past_its_cap_a_thread_takes_a_connection_when_another_ends() {
    let address = door(2).await;
    let connect = async || TcpStream::connect(address).await.unwrap();
    let mut streams = [connect().await, connect().await];
    for stream in &mut streams {
        stream.write_all(LIVEZ.as_bytes()).await.unwrap();
        read_until(stream, LIVES).await;
    }
    let mut third = connect().await;
    third.write_all(LIVEZ.as_bytes()).await.unwrap();
    // Those that are in are served, again and again, and the third is not.
    for at in 0..20 {
        streams[at % 2].write_all(LIVEZ.as_bytes()).await.unwrap();
        read_until(&mut streams[at % 2], LIVES).await;
        assert_eq!(third.try_read(&mut [0; 1]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
    drop(streams);
    read_until(&mut third, LIVES).await;
}

async fn read_until(stream: &mut TcpStream, end: &str) {
    let mut answer = Vec::new();
    while !answer.ends_with(end.as_bytes()) {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "the connection ended");
    }
}
