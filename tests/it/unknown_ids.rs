//! Ids that Redis does not have: however many requests come with them, PostgreSQL is asked once, and nothing is left
//! behind.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use redis::Connection;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::metrics::{metric, page};
use crate::support::http::Http;
use crate::support::proxy::Proxy;
use crate::support::redis::run;
use crate::support::wait;
use crate::support::world::World;

/// What only the question about a sale's facts has in it.
const QUESTION: &str = "LEFT JOIN products";
/// How long the answer to it is valid.
const PERIOD: Duration = Duration::from_secs(10);

/// Two gateways whose questions to PostgreSQL are counted, and their addresses.
struct Counted {
    world: World,
    proxy: Proxy,
    addresses: [SocketAddr; 2],
}

impl Counted {
    fn start() -> Self {
        raise_open_files();
        let mut world = World::start_without_syncer();
        let server = world.postgres.rsplit_once('@').and_then(|(_, rest)| rest.split_once('/')).expect("a URL").0;
        let server: SocketAddr = server.replace("localhost", "127.0.0.1").parse().expect("an address");
        let proxy = Proxy::to(server);
        world.postgres = world.postgres.replace(&server.to_string(), &proxy.address.to_string());
        world.kill_gateway();
        world.start_gateway();
        let first = world.address;
        world.start_second_gateway();
        let addresses = [first, world.address];
        Self { world, proxy, addresses }
    }

    /// Runs `asking`, and says how often it may have led to a question about one id, by the clock.
    fn count(&self, asking: impl FnOnce()) -> (usize, usize) {
        let metrics =
            || self.addresses.iter().map(|address| metric(*address, "flash_sale_lookups_total")).sum::<Option<f64>>();
        let before = metrics().expect("a metric");
        self.proxy.count(QUESTION);
        let began = Instant::now();
        asking();
        let periods = began.elapsed().as_secs() / PERIOD.as_secs();
        let counted = self.proxy.counted();
        let said = metrics().expect("a metric") - before;
        assert_eq!(format!("{said}"), format!("{counted}"), "what the gateways count is what PostgreSQL was asked");
        (counted, 1 + usize::try_from(periods).expect("few"))
    }
}

/// A test with thousands of connections needs as many files as it may have.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("up to the maximum it is ours");
}

const CONNECTIONS: usize = 2_000;
const REQUESTS_PER_CONNECTION: usize = 5;

/// Sends 10,000 requests at once: all connections are open, and each has sent all of its requests before it reads an
/// answer. Gives how many were answered with this status, and with others: a busy machine sheds some, or is late.
fn ask_all_at_once(addresses: [SocketAddr; 2], request: &str, status: u16) -> (usize, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut streams = Vec::new();
        for at in 0..CONNECTIONS {
            streams.push(TcpStream::connect(addresses[at % 2]).await.expect("the gateway takes connections"));
        }
        let mut tasks = JoinSet::new();
        let last = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        let requests: Arc<str> = (request.repeat(REQUESTS_PER_CONNECTION - 1) + &last).into();
        for mut stream in streams {
            let requests = requests.clone();
            tasks.spawn(async move {
                stream.write_all(requests.as_bytes()).await.expect("sent");
                let mut answers = String::new();
                stream.read_to_string(&mut answers).await.expect("answered");
                answers
            });
        }
        let answers = tasks.join_all().await.concat();
        let count = |status: u16| answers.matches(&format!("HTTP/1.1 {status} ")).count();
        let others = [503, 504].into_iter().filter(|other| *other != status).map(count).sum();
        (count(status), others)
    })
}

fn reservation(sale: &str) -> String {
    format!(
        "POST /v1/sales/{sale}/reservations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: 15\r\n\r\n{{\"buyer\":\"ada\"}}"
    )
}

fn look(sale: &str) -> String {
    format!("GET /v1/sales/{sale} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// Where PostgreSQL or Redis answers too late to be heard, the question is asked again: on a busy machine the proof may
/// take more than one attempt. Without turns every attempt would be hundreds of questions.
const ATTEMPTS: usize = 5;
const QUESTIONS_MAX: usize = 8;

fn check_one_question(counted: &Counted, status: u16, request: impl Fn(usize) -> String) {
    let mut seen = Vec::new();
    for attempt in 0..ATTEMPTS {
        let request = request(attempt);
        let mut answers = (0, 0);
        let (questions, periods) = counted.count(|| {
            answers = ask_all_at_once(counted.addresses, &request, status);
            for address in counted.addresses {
                insist(address, &request, status);
            }
        });
        println!("{questions} question in {periods} period for {answers:?}: {request:?}");
        assert_eq!(answers.0 + answers.1, CONNECTIONS * REQUESTS_PER_CONNECTION, "{answers:?}: {request}");
        assert!((1..=periods * QUESTIONS_MAX).contains(&questions), "{questions} in {periods} periods: {request}");
        if questions == 1 {
            return;
        }
        seen.push((questions, answers));
    }
    panic!("never one question: {seen:?}");
}

/// Asks until the answer has this status.
fn insist(address: SocketAddr, request: &str, status: u16) {
    let request = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    wait::until("an answer", || {
        let mut stream = std::net::TcpStream::connect(address).ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let is_meant = answer.starts_with(&format!("HTTP/1.1 {status} ")) && !answer.contains("-away");
        is_meant.then_some(())
    });
}

#[test]
fn ten_thousand_requests_for_one_id_are_one_question_to_postgresql() {
    let counted = Counted::start();
    check_one_question(&counted, 404, |attempt| reservation(&format!("nothing-{attempt}")));
    check_one_question(&counted, 404, |attempt| look(&format!("nowhere-{attempt}")));
    // Sales that Redis has lost. There is no syncer, so nothing can bring them back.
    check_one_question(&counted, 503, |attempt| {
        let sale = format!("lost-{attempt}");
        counted.world.create_sale(&format!("{{\"sale\":\"{sale}\",\"total\":9}}"));
        let _: i64 = run(&mut counted.world.redis.connect(), &format!("DEL flash:{sale}"));
        reservation(&sale)
    });
}

/// How many questions many buyers of a sale cost, who come to both gateways.
fn questions_of_buyers(counted: &Counted, forget: bool) -> usize {
    counted.world.create_sale("{\"sale\":\"drop\",\"total\":100000,\"limit\":100000}");
    if forget {
        let told: i64 = run(&mut counted.world.redis.connect(), "DEL flash:facts:drop");
        assert_eq!(told, 1, "the gateway that made the sale told the others");
    }
    let (questions, _) = counted.count(|| {
        thread::scope(|scope| {
            for at in 0..16 {
                let address = counted.addresses[at % 2];
                scope.spawn(move || {
                    let mut http = Http::connect(address).expect("it listens");
                    for buyer in 0..25 {
                        let body = format!("{{\"buyer\":\"{at}-{buyer}\"}}");
                        http.post("/v1/sales/drop/reservations", &body).expect("an answer");
                    }
                });
            }
        });
    });
    questions
}

#[test]
fn a_sale_that_redis_has_costs_no_question_for_its_maker_told_the_others() {
    assert_eq!(questions_of_buyers(&Counted::start(), false), 0);
}

#[test]
fn a_sale_that_redis_has_is_asked_for_once_by_a_gateway_that_was_not_told() {
    assert_eq!(questions_of_buyers(&Counted::start(), true), 1);
}

const IDS: usize = 10_000;
const ASKING: usize = 16;

/// Every key that there is.
fn keys(redis: &mut Connection) -> BTreeSet<String> {
    run::<Vec<String>>(redis, "KEYS *").into_iter().collect()
}

#[test]
fn random_ids_reach_postgresql_once_each_and_leave_nothing_behind() {
    let counted = Counted::start();
    let redis = &mut counted.world.redis.connect();
    let (questions, periods) = counted.count(|| {
        thread::scope(|scope| {
            for asking in 0..ASKING {
                let address = counted.addresses[asking % 2];
                scope.spawn(move || {
                    let mut http = Http::connect(address).expect("it listens");
                    // Two ask the same gateway for each id.
                    for id in (asking % 8..IDS).step_by(ASKING / 2) {
                        let path = format!("/v1/sales/random-{id}");
                        let status = wait::until("an answer", || {
                            let status = http.get(&path).expect("an answer").status;
                            // On a busy machine an answer may take too long: then one asks again.
                            (![503, 504].contains(&status)).then_some(status)
                        });
                        assert_eq!(status, 404, "{path}");
                    }
                });
            }
        });
    });
    assert!(questions <= IDS * periods, "{questions} questions in {periods} periods");
    println!("{IDS} random ids, {questions} questions");
    let left = keys(redis);
    assert!(left.iter().all(|key| key.starts_with("flash:lookup:") && !key.contains("random")), "{left:?}");
    wait::until("no key in Redis", || keys(redis).is_empty().then_some(()));
    for address in counted.addresses {
        let page = page(address).expect("metrics");
        assert!(page.contains("flash_sale_lookups_total") && !page.contains("random"), "{page}");
    }
}

/// Redis has forgotten that the hold was released, and PostgreSQL does not know yet.
#[test]
fn what_redis_has_forgotten_is_not_held_because_postgresql_is_late() {
    /// More than Redis remembers of what ended.
    const ENDED: usize = 40;
    let mut world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":99,\"limit\":99,\"hold_ms\":600000}");
    let reserve = |world: &World| {
        let answer = world.http().post("/v1/sales/drop/reservations", "{\"buyer\":\"ada\"}").expect("an answer");
        answer.header("location").unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    };
    let release = |world: &World, path: &str| {
        let answer = world.http().send("DELETE", path, &[], "").expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    let first = reserve(&world);
    world.wait_for_empty_journal("drop");
    world.kill_syncer();
    release(&world, &first);
    for _ in 0..ENDED {
        release(&world, &reserve(&world));
    }
    let found = world.http().get(&first).expect("an answer");
    let seen = (found.body["state"].as_str(), found.body["persisted"].as_bool());
    assert_ne!(seen, (Some("held"), Some(true)), "{found:?}");
    world.start_syncer();
    wait::until("the end of it", || {
        let found = world.http().get(&first).expect("an answer");
        (found.body["state"] == "released" && found.body["persisted"] == true).then_some(())
    });
}
