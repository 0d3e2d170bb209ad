//! HTTP by TLS: only a client that trusts the gateway's certificate is served, as in plain text.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use flash_tests::built;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::certificates::Certificates;
use crate::support::http::Http;
use crate::support::limited::is_unknown;
use crate::support::program::Program;
use crate::support::tls::{Client, ONLY_1_2, ONLY_1_3, Stream, text};
use crate::support::wait;
use crate::support::world::World;

const SALE: &str = "/v1/sales/drop";
const RESERVE: &str = "/v1/sales/drop/reservations";
const BODY: &str = "{\"buyer\":\"ada\"}";

/// A world with a gateway more, which speaks TLS.
struct Secure {
    world: World,
    gateway: Program,
    address: SocketAddr,
    /// Where operators are served, with other certificates.
    operator_address: SocketAddr,
    certificates: Certificates,
    operators: Certificates,
    dir: TempDir,
    _operators_dir: TempDir,
}

impl Secure {
    fn start(database: &str) -> Self {
        let (dir, operators_dir) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("another"));
        let (certificates, operators) = (Certificates::make(dir.path()), Certificates::make(operators_dir.path()));
        let world = World::start_direct(database);
        world.create_sale("{\"sale\":\"drop\",\"total\":9}");
        let [certificate, key] = [certificates.certificate(), certificates.key()].map(|path| text(&path));
        let [of_operators, their_key] = [operators.certificate(), operators.key()].map(|path| text(&path));
        let mut gateway = world.start_flash(&[
            "gateway",
            "--listen=127.0.0.1:0",
            "--operator-listen=127.0.0.1:0",
            &format!("--tls-certificate={certificate}"),
            &format!("--tls-key={key}"),
            &format!("--operator-tls-certificate={of_operators}"),
            &format!("--operator-tls-key={their_key}"),
        ]);
        let line = gateway.line();
        let [address, operator_address] = ["http", "operator"].map(|name| address(&line[name]));
        let secure = Self {
            world,
            gateway,
            address,
            operator_address,
            certificates,
            operators,
            dir,
            _operators_dir: operators_dir,
        };
        wait::until("a gateway that is ready", || (secure.http().get("/readyz").ok()?.status == 200).then_some(()));
        secure
    }

    fn client(&self) -> Client {
        Client::of(&self.certificates)
    }

    fn http(&self) -> Http<Stream> {
        // A busy machine may take longer for one than the gateway waits.
        Http::over(wait::until("a handshake", || self.client().connect(self.address).ok()))
    }

    /// Reserves by TLS. On a busy machine an answer may be "unknown": then the buyer asks again.
    fn reserve(&self, buyer: &str) {
        wait::until("a reservation", || {
            let answer = self.http().post(RESERVE, &BODY.replace("ada", buyer)).expect("an answer");
            assert!([200, 201].contains(&answer.status) || is_unknown(&answer), "{answer:?}");
            (!is_unknown(&answer)).then_some(())
        });
    }

    /// What the gateway that speaks plain text says is available.
    fn available(&self) -> u64 {
        wait::until("how many are available", || self.world.http().get(SALE).ok()?.body["available"].as_u64())
    }
}

fn address(url: &Value) -> SocketAddr {
    let address = url.as_str().and_then(|url| url.strip_prefix("https://")?.parse().ok());
    address.unwrap_or_else(|| panic!("{url} is no https URL"))
}

#[test]
fn only_a_client_that_trusts_the_certificate_is_served() {
    let secure = Secure::start("https_trust");
    secure.reserve("ada");
    let check = |client: Client, want: Option<&str>| {
        let error = client.connect(secure.address).err().map(|error| error.to_string());
        let fits = match (&error, want) {
            (Some(error), Some(want)) => error.contains(want),
            (error, want) => error.is_none() && want.is_none(),
        };
        assert!(fits, "{error:?} instead of {want:?}");
    };
    let client = secure.client();
    check(Client { authority: secure.certificates.other_authority(), ..client.clone() }, Some("UnknownIssuer"));
    check(Client { name: "shop.example", ..client.clone() }, Some("not valid for name"));
    for versions in [ONLY_1_2, ONLY_1_3] {
        check(Client { versions, ..client.clone() }, None);
    }
    check(Client { protocols: &["h2", "http/1.1"], ..client.clone() }, None);
    check(Client { protocols: &["h2"], ..client }, Some("NoApplicationProtocol"));
}

#[test]
fn plain_text_where_tls_is_spoken_sells_nothing() {
    let secure = Secure::start("https_plain");
    let mut stream = TcpStream::connect(secure.address).expect("a connection");
    let length = BODY.len();
    let request = format!(
        "POST {RESERVE} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{BODY}"
    );
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut answer = Vec::new();
    // The end of the connection, in whatever form.
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(secure.available(), 9);
}

#[test]
fn operators_are_shown_a_certificate_of_their_own() {
    let secure = Secure::start("https_operators");
    let lives = |client: Client| -> io::Result<u16> {
        Ok(Http::over(client.connect(secure.operator_address)?).get("/livez")?.status)
    };
    assert_eq!(lives(Client::of(&secure.operators)).expect("an answer"), 200);
    assert!(lives(secure.client()).is_err_and(|error| error.to_string().contains("invalid peer certificate")));
}

#[test]
fn a_certificate_that_is_renewed_is_shown_without_a_restart_and_connections_go_on() {
    let secure = Secure::start("https_renewed");
    let mut before = secure.http();
    assert_eq!(before.get("/livez").expect("an answer").status, 200);
    let old = fs::read(secure.certificates.authority()).expect("readable");
    let renewed = Certificates::make(secure.dir.path());
    wait::until("the new certificate", || Client::of(&renewed).connect(secure.address).ok());
    secure.reserve("ada");
    let authority = secure.dir.path().join("old-ca.pem");
    fs::write(&authority, old).expect("writable");
    assert!(Client { authority, ..secure.client() }.connect(secure.address).is_err(), "the old one is shown no more");
    // A connection that rested for too long meanwhile is closed, whatever is shown.
    if let Ok(answer) = before.get("/livez") {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[test]
fn a_watcher_by_tls_gets_each_change_and_the_end() {
    let secure = Secure::start("https_events");
    let mut stream = secure.client().connect(secure.address).expect("a handshake");
    stream.sock.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    // After another request, whose answer may still be on its way when the socket is handed over.
    let request =
        format!("GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\nGET {SALE}/events HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut stream = BufReader::new(stream);
    let mut until = |what: &str| loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).expect("a line") > 0, "the stream ended before {what}");
        if line.contains(what) {
            break;
        }
    };
    until("content-type: text/event-stream");
    until("\"available\":9");
    for available in (6..9).rev() {
        secure.reserve(&available.to_string());
        until(&format!("\"available\":{available}"));
    }
    secure.gateway.interrupt();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("the end is said, and no cut");
    assert!(secure.gateway.wait().0.success(), "the gateway stops in order");
}

#[test]
fn a_client_without_a_handshake_blocks_no_other_and_is_disconnected() {
    let secure = Secure::start("https_silent");
    let mut silent: Vec<TcpStream> =
        (0..50).map(|_| TcpStream::connect(secure.address).expect("a connection")).collect();
    // Half of them begin, and say no more: a record of a handshake, of 200 bytes that do not come.
    for stream in silent.iter_mut().step_by(2) {
        stream.write_all(&[22, 3, 1, 0, 200, 1]).expect("it is sent");
    }
    assert_eq!(secure.http().get("/livez").expect("an answer").status, 200);
    for stream in &mut silent {
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        // An alert may come before the end.
        let ended = stream.read_to_end(&mut Vec::new());
        assert!(
            ended.as_ref().map_or_else(|error| error.kind() == io::ErrorKind::ConnectionReset, |_| true),
            "{ended:?}"
        );
    }
}

#[test]
fn a_gateway_does_not_start_with_what_is_no_pair_and_names_the_file() {
    let (dir, other) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("another"));
    let (certificates, others) = (Certificates::make(dir.path()), Certificates::make(other.path()));
    let [certificate, key, other_key] =
        [certificates.certificate(), certificates.key(), others.key()].map(|path| text(&path));
    let check = |args: &[&str], told: &[&str]| {
        let nobody = [
            ("FLASH_REDIS_URL", "redis://127.0.0.1:1"),
            ("FLASH_POSTGRES_URL", "postgres://127.0.0.1:1/none"),
            ("FLASH_TRANSPORT", "direct"),
            ("FLASH_AUTH", "none"),
            ("FLASH_ID_SECRET", "the same for all gateways of a Redis"),
            ("FLASH_LISTEN", "127.0.0.1:0"),
        ];
        let ran = Command::new(built("flash")).arg("gateway").args(args).env_clear().envs(nobody).output();
        let ran = ran.expect("flash runs");
        let errors = String::from_utf8_lossy(&ran.stderr);
        assert!(!ran.status.success() && told.iter().all(|told| errors.contains(told)), "{args:?}: {errors}");
    };
    check(&["--tls-certificate", &certificate], &["--tls-certificate and --tls-key must be given together"]);
    check(&["--operator-tls-key", &key], &["--operator-tls-certificate and --operator-tls-key"]);
    check(&["--tls-certificate", &certificate, "--tls-key", &other_key], &[&certificate, &other_key, "together"]);
    check(&["--tls-certificate", "/nowhere.pem", "--tls-key", &key], &["/nowhere.pem cannot be read"]);
    check(&["--tls-certificate", &certificate, "--tls-key", &certificate], &["no private key", &certificate]);
    check(&["--tls-certificate", &key, "--tls-key", &key], &["no certificate", &key]);
    check(&["--webhooks-cacert", "/nowhere.pem"], &["webhooks", "/nowhere.pem cannot be read"]);
}
