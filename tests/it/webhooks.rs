//! Webhooks: the ends of orders are delivered to a receiver, which checks the signature as the scheme says and is not
//! always in a good mood.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use rustls::{ServerConnection, StreamOwned};
use serde_json::Value;

use crate::support::certificates::Certificates;
use crate::support::http::Answer;
use crate::support::tls;
use crate::support::wait;
use crate::support::world::World;

const RESERVE: &str = "/v1/sales/drop/reservations";

/// What came to a receiver.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    headers: Vec<(String, String)>,
    body: String,
}

impl Delivery {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("{self:?} lacks {name}"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    fn check_signature(&self, secret: &str) {
        assert!(self.is_signed_by(secret), "{self:?}");
        let sent_s: u64 = self.header("webhook-timestamp").parse().expect("seconds");
        let now_s = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs();
        assert!(now_s.abs_diff(sent_s) < 5 * 60, "{self:?}");
    }

    /// As Standard Webhooks says: one of the signatures is the HMAC-SHA256 over id, time and body, by the secret's
    /// bytes.
    fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret")).expect("base64");
        let signed = format!("{}.{}.{}", self.header("webhook-id"), self.header("webhook-timestamp"), self.body);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        self.header("webhook-signature").split(' ').any(|signature| {
            let tag = STANDARD.decode(signature.strip_prefix("v1,").expect("version 1")).expect("base64");
            hmac::verify(&key, signed.as_bytes(), &tag).is_ok()
        })
    }
}

/// Answers each delivery with the next of its moods, and 204 when it has none left.
#[derive(Clone)]
pub(crate) struct Receiver {
    address: SocketAddr,
    moods: Arc<Mutex<VecDeque<&'static str>>>,
    came: Arc<Mutex<Vec<Delivery>>>,
}

impl Receiver {
    pub(crate) fn start(moods: &[&'static str]) -> Self {
        Self::start_with(moods, |stream| stream)
    }

    /// One that speaks TLS.
    fn start_secure(certificates: &Certificates) -> Self {
        let config = tls::server(certificates);
        Self::start_with(&[], move |stream| {
            let session = ServerConnection::new(config.clone()).expect("a configuration");
            StreamOwned::new(session, stream)
        })
    }

    /// Over what `wrap` makes of each connection.
    fn start_with<S: Read + Write>(moods: &[&'static str], wrap: impl Fn(TcpStream) -> S + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let moods = Arc::new(Mutex::new(moods.iter().copied().collect()));
        let receiver = Self { address, moods, came: Arc::default() };
        let of_thread = receiver.clone();
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| of_thread.receive(wrap(stream))));
        receiver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook?a=b", self.address)
    }

    fn receive(&self, stream: impl Read + Write) {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        // Who does not trust us says so, and nothing else.
        if reader.read_line(&mut line).is_err() {
            return;
        }
        assert_eq!(line, "POST /hook?a=b HTTP/1.1\r\n");
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a header");
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length").expect("a length");
        let mut body = vec![0; length.1.parse().expect("a number")];
        reader.read_exact(&mut body).expect("a body");
        self.came.lock().expect("whole").push(Delivery { headers, body: String::from_utf8(body).expect("text") });
        let mood = self.moods.lock().expect("whole").pop_front().unwrap_or("204 No Content");
        let answer = format!("HTTP/1.1 {mood}\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
        let _ = reader.get_mut().write_all(answer.as_bytes());
    }

    pub(crate) fn came(&self) -> Vec<Delivery> {
        self.came.lock().expect("whole").clone()
    }

    fn wait_for(&self, count: usize) -> Vec<Delivery> {
        wait::until(&format!("{count} deliveries"), || Some(self.came()).filter(|came| came.len() >= count))
    }
}

/// A world whose gateway may deliver to this machine.
pub(crate) fn start() -> World {
    let mut world = World::start();
    world.stop_gateway();
    world.start_gateway_with(&["--webhooks-private"]);
    world
}

/// Adds a webhook; gives its place and its secret.
pub(crate) fn add(world: &World, url: &str) -> (String, String) {
    let answer = world.http().post("/v1/webhooks", &format!("{{\"url\":\"{url}\"}}")).expect("an answer");
    assert_eq!(answer.status, 201, "{answer:?}");
    let secret = answer.body["secret"].as_str().expect("a secret").to_owned();
    (answer.header("location").expect("a place").to_owned(), secret)
}

fn reserve(world: &World, buyer: &str) -> String {
    let answer = world.http().post(RESERVE, &format!("{{\"buyer\":\"{buyer}\",\"data\":{{\"size\":42}}}}"));
    let answer = answer.expect("an answer");
    answer.header("location").unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

fn listed(world: &World) -> Value {
    world.http().get("/v1/webhooks").expect("an answer").body["webhooks"].clone()
}

fn types(deliveries: &[Delivery]) -> Vec<String> {
    let mut types: Vec<String> =
        deliveries.iter().map(|delivery| delivery.json()["type"].as_str().expect("a type").to_owned()).collect();
    types.sort_unstable();
    types
}

/// What came is all that `/openapi.json` tells of, and as it tells it.
fn check_as_told(world: &World, came: &[Delivery]) {
    let document = world.http().get("/openapi.json").expect("an answer").body;
    let told = document["webhooks"].as_object().expect("webhooks");
    assert_eq!(types(came), told.keys().cloned().collect::<Vec<_>>());
    for delivery in came {
        let body = delivery.json();
        let operation = &told[body["type"].as_str().expect("a type")]["post"];
        for header in operation["parameters"].as_array().expect("headers") {
            delivery.header(header["name"].as_str().expect("a name"));
        }
        let mut schema = operation["requestBody"]["content"]["application/json"]["schema"].clone();
        schema["components"] = document["components"].clone();
        let validator = jsonschema::draft202012::new(&schema).expect("a schema");
        let errors: Vec<String> = validator.iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{body}: {errors:?}");
    }
}

#[test]
fn the_end_of_an_order_is_delivered_once_signed_with_the_receivers_secret() {
    let mut world = start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9,\"hold_ms\":600000}");
    reserve(&world, "early");
    let receiver = Receiver::start(&[]);
    let (_, secret) = add(&world, &receiver.url());
    let [ada, bob] = ["ada", "bob"].map(|buyer| reserve(&world, buyer));
    world.http().post(&format!("{ada}/confirm"), "").expect("an answer");
    world.http().send("DELETE", &bob, &[], "").expect("an answer");
    world.create_sale("{\"sale\":\"short\",\"total\":9,\"hold_ms\":1}");
    world.http().post("/v1/sales/short/reservations", "{\"buyer\":\"eve\"}").expect("an answer");
    world.create_sale("{\"sale\":\"wrong\",\"total\":9}");
    world.sql("UPDATE skus SET total = 0 WHERE sale = 'wrong'");
    world.http().post("/v1/sales/wrong/reservations", "{\"buyer\":\"joe\"}").expect("an answer");
    let came = receiver.wait_for(4);
    assert_eq!(types(&came), ["order.confirmed", "order.expired", "order.rejected", "order.released"]);
    came.iter().for_each(|delivery| delivery.check_signature(&secret));
    check_as_told(&world, &came);
    let of = |kind: &str| came.iter().map(Delivery::json).find(|body| body["type"] == kind).expect("it came");
    let confirmed = of("order.confirmed");
    let data = &confirmed["data"];
    assert_eq!((&data["sale"], &data["buyer"], &data["data"]["size"]), (&"drop".into(), &"ada".into(), &42.into()));
    assert_eq!(data["items"][0]["quantity"], 1, "{data}");
    assert!(confirmed["timestamp"].as_str().is_some_and(|at| at.starts_with("20") && at.ends_with('Z')), "{confirmed}");
    assert_eq!(of("order.rejected")["data"]["reason"], "oversold");
    // Nothing is left to deliver, and a second gateway finds nothing either.
    wait::until("a delivered queue", || (listed(&world)[0]["waiting"] == 0).then_some(()));
    world.start_second_gateway();
    world.wait_for_empty_journal("drop");
    assert_eq!(receiver.came().len(), 4);
}

#[test]
fn a_secret_is_replaced_without_a_delivery_that_the_receiver_refuses() {
    let world = start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    let receiver = Receiver::start(&[]);
    let (_, first) = add(&world, &receiver.url());
    let renew = || {
        let (code, made) = world.flash(&["webhooks", "new-secret", "1"]);
        assert_eq!(code, 0, "{made:?}");
        made[0]["secret"].as_str().expect("a secret").to_owned()
    };
    let signed = |buyer: &str, count: usize, secrets: &[&String]| {
        reserve(&world, buyer);
        let came = receiver.wait_for(count);
        secrets.iter().map(|secret| came[count - 1].is_signed_by(secret)).collect::<Vec<_>>()
    };
    assert_eq!(signed("ada", 1, &[&first]), [true]);
    let second = renew();
    assert_eq!(signed("bob", 2, &[&first, &second]), [true, true]);
    assert_eq!(world.flash(&["webhooks", "forget-old-secret", "1"]).0, 0);
    assert_eq!(signed("cleo", 3, &[&first, &second]), [false, true]);
    let (third, fourth) = (renew(), renew());
    assert_eq!(signed("dan", 4, &[&second, &third, &fourth]), [false, true, true], "two at most");
    assert_eq!(world.flash(&["webhooks", "new-secret", "99"]).0, 1, "there is none");
    let logged = world.rows("SELECT action || ' ' || detail FROM audit_log WHERE action LIKE 'flash webhooks%'");
    assert!(logged.contains(&"flash webhooks new-secret 1".to_owned()), "{logged:?}");
    assert!(world.rows("SELECT audit_log::text FROM audit_log").iter().all(|row| !row.contains("whsec_")));
}

#[test]
fn a_receiver_that_fails_is_asked_again_with_the_same_id_and_body() {
    let world = start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    let receiver = Receiver::start(&["500 Oops", "302 Found"]);
    let (_, secret) = add(&world, &receiver.url());
    reserve(&world, "ada");
    let came = receiver.wait_for(3);
    came.iter().for_each(|delivery| delivery.check_signature(&secret));
    assert!(came.iter().all(|delivery| delivery.body == came[0].body), "{came:?}");
    assert!(came.iter().all(|delivery| delivery.header("webhook-id") == came[0].header("webhook-id")), "{came:?}");
}

#[test]
fn a_delivery_that_was_tried_often_enough_is_given_up() {
    let world = start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    let receiver = Receiver::start(&["500 Oops"; 2]);
    add(&world, &receiver.url());
    reserve(&world, "ada");
    receiver.wait_for(1);
    // The attempts between are as good as made.
    world.sql("UPDATE deliveries SET attempts = 11, due_at = now()");
    wait::until("a dead delivery", || (listed(&world)[0]["dead"] == 1).then_some(()));
    let error = world.rows("SELECT last_error FROM deliveries");
    assert_eq!(error, ["it answered 500"]);
}

/// Were there places for all receivers together, those of the silent one would take them.
#[test]
fn a_receiver_that_does_not_answer_takes_no_place_of_another() {
    const PLACES: usize = 16;
    const BUYERS: usize = 3 * PLACES;
    let world = start();
    world.create_sale("{\"sale\":\"drop\",\"total\":999}");
    // It takes connections, and reads nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    add(&world, &format!("http://{}/hook", silent.local_addr().expect("an address")));
    (0..BUYERS).for_each(|buyer| drop(reserve(&world, &format!("early-{buyer}"))));
    let taken = || world.rows("SELECT id FROM deliveries WHERE webhook = 1 AND attempts > 0").len();
    wait::until("the silent one's places", || (taken() > 0).then_some(()));
    let receiver = Receiver::start(&[]);
    add(&world, &receiver.url());
    (0..BUYERS).for_each(|buyer| drop(reserve(&world, &format!("late-{buyer}"))));
    receiver.wait_for(BUYERS);
    let under_way = "SELECT id FROM deliveries WHERE webhook = 1 AND attempts > 0 AND last_error IS NULL";
    assert!(world.rows(under_way).len() <= PLACES);
}

#[test]
fn a_receiver_that_is_gone_is_asked_no_more() {
    let world = start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    let receiver = Receiver::start(&["410 Gone"]);
    add(&world, &receiver.url());
    reserve(&world, "ada");
    let off = wait::until("a webhook that is off", || {
        let webhook = listed(&world)[0].clone();
        webhook["disabled_because"].is_string().then_some(webhook)
    });
    assert_eq!((&off["disabled_because"], &off["waiting"]), (&"it answered 410".into(), &0.into()));
    reserve(&world, "bob");
    world.wait_for_orders("drop", 2);
    assert_eq!((listed(&world)[0]["waiting"].as_u64(), receiver.came().len()), (Some(0), 1));
}

#[test]
fn a_webhook_is_added_shown_without_its_secret_and_removed() {
    let world = World::start();
    let post = |url: &str| world.http().post("/v1/webhooks", &format!("{{\"url\":\"{url}\"}}")).expect("an answer");
    let check = |answer: Answer, told: &str| {
        assert_eq!((answer.status, answer.problem()), (422, "invalid"), "{answer:?}");
        assert!(answer.body["errors"][0].to_string().contains(told), "{answer:?}");
    };
    check(post("http://127.0.0.1/"), "must not lead to a private address");
    check(post("http://[::1]/"), "must not lead to a private address");
    check(post("ftp://example.com/"), "must be an absolute http or https URL");
    check(post("http://ada:secret@example.com/"), "must not hold a user");
    let (path, secret) = add(&world, "https://example.com/hook");
    let listed = listed(&world);
    assert_eq!(listed[0]["url"], "https://example.com/\u{2026}", "a path may hold a token");
    assert!(!listed.to_string().contains(&secret), "{listed}");
    let log = world.http().get("/v1/audit-log").expect("an answer").body.to_string();
    assert!(log.contains("POST /v1/webhooks") && !log.contains(&secret), "{log}");
    let remove = |path: &str| world.http().send("DELETE", path, &[], "").expect("an answer");
    assert_eq!(remove(&path).status, 204);
    for path in [path.as_str(), "/v1/webhooks/x"] {
        let gone = remove(path);
        assert_eq!((gone.status, gone.problem()), (404, "unknown-webhook"), "{gone:?}");
    }
}

/// The address of a name is checked when it is used.
#[test]
fn a_name_that_leads_into_this_network_is_not_followed() {
    let world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    let receiver = Receiver::start(&[]);
    add(&world, &format!("http://localhost:{}/hook?a=b", receiver.address.port()));
    reserve(&world, "ada");
    wait::until("an attempt", || {
        let errors = world.rows("SELECT last_error FROM deliveries WHERE last_error IS NOT NULL");
        errors.first().map(|error| assert_eq!(error, "its URL must not lead to a private address"))
    });
    assert!(receiver.came().is_empty());
}

#[test]
fn a_receiver_gets_deliveries_by_tls_if_its_authority_is_trusted() {
    let mut world = World::start();
    let dir = tempfile::tempdir().expect("a directory");
    let certificates = Certificates::make(dir.path());
    let [right, wrong] = [certificates.authority(), certificates.other_authority()].map(|path| tls::text(&path));
    let receiver = Receiver::start_secure(&certificates);
    world.stop_gateway();
    world.start_gateway_with(&["--webhooks-private", "--webhooks-cacert", &wrong]);
    let (_, secret) = add(&world, &format!("https://localhost:{}/hook?a=b", receiver.address.port()));
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    reserve(&world, "ada");
    wait::until("a delivery that failed", || {
        let errors = world.rows("SELECT last_error FROM deliveries WHERE last_error IS NOT NULL");
        errors.first().map(|error| assert!(error.contains("UnknownIssuer"), "{error}"))
    });
    assert_eq!(receiver.came().len(), 0);
    world.stop_gateway();
    world.start_gateway_with(&["--webhooks-private", "--webhooks-cacert", &right]);
    let came = receiver.wait_for(1);
    came[0].check_signature(&secret);
}

#[test]
fn a_receiver_says_when_it_will_take_the_next_attempt() {
    let world = start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    let receiver = Receiver::start(&["503 Busy\r\nretry-after: 1200"]);
    add(&world, &receiver.url());
    reserve(&world, "ada");
    receiver.wait_for(1);
    let wait = "SELECT extract(epoch FROM due_at - now())::bigint FROM deliveries WHERE last_error IS NOT NULL";
    let wait_s =
        wait::until("the next attempt", || world.rows(wait).first().map(|wait| wait.parse::<i64>().expect("seconds")));
    assert!((1_100..=1_500).contains(&wait_s), "{wait_s}");
}
