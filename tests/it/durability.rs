//! What an answer says that it survives is what it survives; what cannot be promised is refused.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Mutex;

use flash_client::{Call, Durability, Durable, DurableError};
use flash_wire::{Details, Outcome, Refusal, Reserve, ReserveAnswer, Wanted};
use redis::Connection;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::http::{Answer, Http};
use crate::support::program::Program;
use crate::support::redis::{Server, flat, info_number, run, status};
use crate::support::wait;
use crate::support::world::database;

const RESERVE: &str = "/v1/sales/drop/reservations";
const KEY: &str = "flash:drop";

/// A gateway in front of a Redis. It needs no RabbitMQ to sell what is warmed, and PostgreSQL only to learn that
/// nothing is asked of its buyers.
struct Shop {
    server: Server,
    redis: Connection,
    address: SocketAddr,
    _gateway: Program,
}

impl Shop {
    /// The sale `drop` is open at a gateway that gives `durability` by itself.
    fn open(durability: &str) -> Self {
        let server = Server::start();
        let mut redis = server.connect();
        run::<redis::Value>(&mut redis, &format!("FLASH.WARM {KEY} 100000 HOLD 600000 LIMIT 100 JOURNAL 100000"));
        let nowhere = "127.0.0.1:1";
        let environment = [
            ("FLASH_REDIS_URL", server.redis.url()),
            ("FLASH_AMQP_URL", format!("amqp://{nowhere}/flash")),
            ("FLASH_POSTGRES_URL", database()),
            ("FLASH_ID_SECRET", "the same for all gateways of a Redis".to_owned()),
        ];
        let served = ["gateway", "-o", "json", "--auth", "none", "--listen", "127.0.0.1:0", "--durability", durability];
        let args = [&served[..], &["--sweep-after-ms", "3600000"]].concat();
        let mut gateway = Program::start(&args, &environment);
        let address = gateway.line()["http"].as_str().and_then(|url| url.strip_prefix("http://")?.parse().ok());
        let shop = Self { server, redis, address: address.expect("an address"), _gateway: gateway };
        wait::until("a gateway that reaches Redis", || {
            let answer = reserve(&mut shop.http(), "first", "").ok()?;
            [200, 201].contains(&answer.status).then_some(())
        });
        shop
    }

    fn http(&self) -> Http {
        Http::connect(self.address).expect("the gateway takes connections")
    }

    /// Asks for a reservation; the buyer is also the request's id.
    fn reserve(&self, buyer: &str, durability: &str) -> Answer {
        reserve(&mut self.http(), buyer, durability).expect("an answer")
    }

    fn seq(&mut self) -> i64 {
        status(&mut self.redis, KEY, "seq")
    }
}

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

fn reserve(http: &mut Http, buyer: &str, durability: &str) -> std::io::Result<Answer> {
    let mut headers = vec![JSON[0], ("idempotency-key", buyer)];
    headers.extend((!durability.is_empty()).then_some(("flash-durability", durability)));
    http.send("POST", RESERVE, &headers, &format!("{{\"buyer\":\"{buyer}\"}}"))
}

/// What an answer says: its status, its problem or what it survives.
fn said(answer: &Answer) -> (u16, String) {
    let level = answer.header("flash-durability");
    assert_eq!(level.is_some(), answer.status < 300, "an answer that promises says what: {answer:?}");
    (answer.status, level.unwrap_or(answer.problem()).to_owned())
}

/// Asks until the answer is the one wanted: what the gateway knows of Redis is up to a second old. Until then it may
/// refuse or warn, but it never promises what it does not keep.
fn check(shop: &mut Shop, durability: &str, want: (u16, &str)) {
    wait::until(&format!("{durability:?} to be {want:?}"), || {
        let before = shop.seq();
        let said = said(&shop.reserve(&format!("after-{before}"), durability));
        let made = shop.seq() - before;
        match (said.0, said.1.as_str()) {
            said if said == want => assert_eq!(made, i64::from(want.0 == 201), "{durability}: {want:?}"),
            (503, "durability-unavailable") => assert_eq!(made, 0, "{durability}: refused before anything is reserved"),
            (504, "durability-short") => assert_eq!(made, 1, "{durability}: it says that it may stand"),
            other => panic!("{durability}: {other:?}, not {want:?}"),
        }
        ((said.0, said.1.as_str()) == want).then_some(())
    });
}

#[test]
fn what_cannot_be_promised_is_refused_before_anything_is_reserved() {
    const UNAVAILABLE: (u16, &str) = (503, "durability-unavailable");
    let shop = &mut Shop::open("memory");
    // Redis' settings, the requested level, the answer.
    let rows = [
        ("appendfsync always", "", (201, "memory")),
        ("appendfsync always", "memory", (201, "memory")),
        ("appendfsync always", "fsync", (201, "fsync")),
        ("appendfsync always", "replicas=1", UNAVAILABLE),
        ("appendfsync always", "fsync, replicas=1", UNAVAILABLE),
        ("appendfsync always", "often", (400, "bad-request")),
        ("no-appendfsync-on-rewrite yes", "fsync", UNAVAILABLE),
        ("no-appendfsync-on-rewrite no", "fsync", (201, "fsync")),
        // Also where there is a WAITAOF: many of those answer before the sync.
        ("appendfsync everysec", "fsync", UNAVAILABLE),
        ("appendfsync everysec", "", (201, "memory")),
        ("appendonly no", "fsync", UNAVAILABLE),
        ("appendonly no", "memory", (201, "memory")),
    ];
    for (setting, durability, want) in rows {
        run::<redis::Value>(&mut shop.redis, &format!("CONFIG SET {setting}"));
        check(shop, durability, want);
    }
    let detail = shop.reserve("ada", "fsync").body["detail"].to_string();
    assert!(detail.contains("set appendonly yes, appendfsync always"), "{detail}");
}

/// What is synced to a file that no restart would read is no promise: until the first rewrite is done there is no
/// other.
#[test]
fn nothing_is_promised_of_the_disk_before_the_first_append_only_file_is_whole() {
    let server = Server::start_with(&["--appendonly", "no", "--appendfsync", "always"]);
    let redis = &mut server.connect();
    run::<redis::Value>(redis, &format!("FLASH.WARM {KEY} 100"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _within = runtime.enter();
    let durable = Durable::connect(&server.redis.url()).expect("a URL");
    let fsync = Durability { fsync: true, replicas: 0 };
    let is_promised = || runtime.block_on(durable.check(fsync)).is_ok();
    let is_rewritten = |redis: &mut Connection| info_number(redis, "persistence", "aof_rewrite_in_progress") == 1;
    wait::until("a connection", || runtime.block_on(durable.check(Durability::MEMORY)).ok());
    // Each key delays the rewrite by a second.
    run::<redis::Value>(redis, "CONFIG SET rdb-key-save-delay 1000000");
    for key in 0..6 {
        run::<redis::Value>(redis, &format!("SET key-{key} x"));
    }
    run::<redis::Value>(redis, "CONFIG SET appendonly yes");
    let mut refused = 0;
    while is_rewritten(redis) {
        let promised = is_promised();
        assert!(!promised || !is_rewritten(redis), "a crash now loses all of it");
        refused += u32::from(!promised);
    }
    assert!(refused > 0, "the rewrite was slow enough");
    wait::until("the promise", || is_promised().then_some(()));
}

/// Writes the append-only file anew, so that its size is known from then on.
fn rewrite(redis: &mut Connection) {
    run::<redis::Value>(redis, "BGREWRITEAOF");
    wait::until("a whole file", || (info_number(redis, "persistence", "aof_base_size") > 0).then_some(()));
}

/// The file from before `appendonly no` is what a restart reads until the rewrite is done, though INFO shows its size.
#[test]
fn nothing_is_promised_of_the_disk_while_a_file_is_written_anew() {
    let server = Server::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let redis = &mut server.connect();
    run::<redis::Value>(redis, &format!("FLASH.WARM {KEY} 100"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _within = runtime.enter();
    let durable = Durable::connect(&server.redis.url()).expect("a URL");
    let fsync = Durability { fsync: true, replicas: 0 };
    let is_promised = || runtime.block_on(durable.check(fsync)).is_ok();
    let is_rewritten = |redis: &mut Connection| info_number(redis, "persistence", "aof_rewrite_in_progress") == 1;
    let slow_rewrite_begins = |redis: &mut Connection, command: &str| {
        run::<redis::Value>(redis, command);
        wait::until("a rewrite", || is_rewritten(redis).then_some(()));
    };
    rewrite(redis);
    for key in 0..6 {
        run::<redis::Value>(redis, &format!("SET key-{key} x"));
    }
    wait::until("the promise", || is_promised().then_some(()));
    // Each key delays a rewrite by a second.
    run::<redis::Value>(redis, "CONFIG SET rdb-key-save-delay 1000000 appendonly no");
    for reset in ["PING", "CONFIG RESETSTAT"] {
        slow_rewrite_begins(redis, "CONFIG SET appendonly yes");
        run::<redis::Value>(redis, reset);
        assert!(info_number(redis, "persistence", "aof_base_size") > 0, "the size of the file that is not written");
        let promised = is_promised();
        assert!(!promised || !is_rewritten(redis), "a crash now loses what was synced, after {reset}");
        run::<redis::Value>(redis, "CONFIG SET appendonly no");
    }
    run::<redis::Value>(redis, "CONFIG SET rdb-key-save-delay 0 appendonly yes");
    wait::until("the promise", || is_promised().then_some(()));
}

/// Without a changed setting, a rewrite is one of a complete file.
#[test]
fn a_rewrite_of_a_whole_file_costs_no_promise() {
    let settings = ["--appendonly", "yes", "--appendfsync", "always", "--rdb-key-save-delay", "300000"];
    let server = Server::start_with(&settings);
    let redis = &mut server.connect();
    run::<redis::Value>(redis, &format!("FLASH.WARM {KEY} 100"));
    rewrite(redis);
    for key in 0..6 {
        run::<redis::Value>(redis, &format!("SET key-{key} x"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _within = runtime.enter();
    let durable = Durable::connect(&server.redis.url()).expect("a URL");
    let fsync = Durability { fsync: true, replicas: 0 };
    let is_promised = || runtime.block_on(durable.check(fsync)).is_ok();
    wait::until("the promise", || is_promised().then_some(()));
    run::<redis::Value>(redis, "BGREWRITEAOF");
    let is_rewritten = |redis: &mut Connection| info_number(redis, "persistence", "aof_rewrite_in_progress") == 1;
    wait::until("a rewrite", || is_rewritten(redis).then_some(()));
    assert!(is_promised(), "the file from before is whole, and what follows is appended to it");
    assert!(is_rewritten(redis), "the rewrite was slow enough");
}

#[test]
fn what_a_gateway_gives_by_itself_no_request_makes_less() {
    let shop = &mut Shop::open("fsync");
    check(shop, "", (201, "fsync"));
    check(shop, "memory", (201, "fsync"));
    check(shop, "replicas=1", (503, "durability-unavailable"));
    let id = shop.reserve("ada", "").id().expect("a reservation has an id").to_owned();
    let http = &mut shop.http();
    for _ in 0..2 {
        let confirmed = http.send("POST", &format!("{RESERVE}/{id}/confirm"), &[], "").expect("an answer");
        assert_eq!(said(&confirmed), (200, "fsync".to_owned()));
    }
    let id = shop.reserve("bob", "").id().expect("a reservation has an id").to_owned();
    let released = http.send("DELETE", &format!("{RESERVE}/{id}"), &[], "").expect("an answer");
    assert_eq!(said(&released), (200, "fsync".to_owned()));
    let refused = http.send("POST", &format!("{RESERVE}/{id}/confirm"), &[], "").expect("an answer");
    assert_eq!(said(&refused), (409, "conflict".to_owned()), "a refusal promises nothing");
}

/// A replica of a shop's Redis.
struct Replica {
    server: Server,
    redis: Connection,
}

impl Replica {
    fn of(shop: &mut Shop) -> Self {
        let server = Server::start();
        let mut redis = server.connect();
        let _: redis::Value = run(&mut redis, &format!("REPLICAOF 127.0.0.1 {}", shop.server.redis.server.port()));
        wait::until("the replica", || (run::<i64>(&mut shop.redis, "WAIT 1 1000") == 1).then_some(()));
        Self { server, redis }
    }

    fn signal(&self, signal: Signal) {
        let pid = self.server.redis.server.pid().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        kill_process(pid.expect("it runs"), signal).expect("ours to signal");
    }
}

#[test]
fn a_stopped_replica_is_reported_and_a_repeat_waits_for_it_again() {
    let shop = &mut Shop::open("memory");
    let replica = &mut Replica::of(shop);
    check(shop, "replicas=2", (503, "durability-unavailable"));
    check(shop, "fsync, replicas=1", (201, "fsync, replicas=1"));
    let mut attempt = 0;
    // Where the gateway looks at its Redis in just this moment, it refuses; then once more.
    let short = wait::until("an answer that falls short", || {
        check(shop, "replicas=1", (201, "replicas=1"));
        replica.signal(Signal::STOP);
        attempt += 1;
        let buyer = format!("short-{attempt}");
        // Made on the gateway's other connection: for the one that waits the request is a repeat from the beginning.
        assert_eq!(said(&shop.reserve(&buyer, "")), (201, "memory".to_owned()));
        let said = said(&shop.reserve(&buyer, "replicas=1"));
        if said == (504, "durability-short".to_owned()) {
            return Some(buyer);
        }
        assert_eq!(said, (503, "durability-unavailable".to_owned()));
        replica.signal(Signal::CONT);
        None
    });
    assert_eq!(said(&shop.reserve(&short, "")), (200, "memory".to_owned()), "it stands, and no more is claimed");
    assert!(said(&shop.reserve("eve", "replicas=1")).0 >= 500, "no other request is promised more");
    let seq = shop.seq();
    let said_again = said(&shop.reserve(&short, "replicas=1"));
    assert!(said_again.0 >= 500, "the replica does not have it: {said_again:?}");
    assert_eq!(shop.seq(), seq, "a repeat makes nothing");
    replica.signal(Signal::CONT);
    wait::until("the repeat's promise", || {
        let said = said(&shop.reserve(&short, "replicas=1"));
        (said == (200, "replicas=1".to_owned())).then_some(())
    });
    assert!(status(&mut replica.redis, KEY, "seq") >= seq, "the replica has it by now");
}

#[test]
fn a_connection_that_writes_waits_for_all_that_was_written_before() {
    let shop = &mut Shop::open("memory");
    let replica = &mut Replica::of(shop);
    replica.signal(Signal::STOP);
    assert!(flat(&run(&mut shop.redis, "FLASH.RESERVE flash:drop ada ID r")).starts_with("[RESERVED "));
    let other = &mut shop.server.connect();
    assert_eq!(run::<i64>(other, "WAIT 1 50"), 1, "a connection that wrote nothing waits for nothing");
    assert!(flat(&run(other, "FLASH.RESERVE flash:drop ada ID r")).starts_with("[REPLAYED "));
    // Until 7.0 a WAIT here would tell that the replica does not have it; since 7.2 it does not.
    assert!(flat(&run(other, "FLASH.THROTTLE flash:throttle:any STRICT 9 1000")).starts_with("[1 "));
    assert_eq!(run::<i64>(other, "WAIT 1 50"), 0, "the replica does not have it");
    replica.signal(Signal::CONT);
    wait::until("the replica", || (run::<i64>(other, "WAIT 1 1000") == 1).then_some(()));
    assert_eq!(status(&mut replica.redis, KEY, "seq"), shop.seq());
}

#[test]
fn a_batch_waits_once_for_all_of_its_calls() {
    let shop = &mut Shop::open("memory");
    let _replica = Replica::of(shop);
    let waits = |redis: &mut Connection| {
        let stats: String = run(redis, "INFO commandstats");
        let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_wait:calls=")).unwrap_or("0");
        line.split(',').next().and_then(|calls| calls.parse::<u64>().ok()).expect("a number")
    };
    let durability = Durability { fsync: true, replicas: 1 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _within = runtime.enter();
    let durable = Durable::connect(&shop.server.redis.url()).expect("a URL");
    wait::until("a connection", || runtime.block_on(durable.check(durability)).ok());
    wait::until("a batch that is kept", || {
        let before = waits(&mut shop.redis);
        let answers = runtime.block_on(reserve_at_once(&durable, durability));
        // All of them were there before the first was sent. One wait more is a look at the server, once a second.
        assert!((1..=2).contains(&(waits(&mut shop.redis) - before)));
        answers.iter().all(|answer| matches!(answer, Ok(Ok(_) | Err(Refusal::Replayed { .. })))).then_some(())
    });
}

async fn reserve_at_once(
    durable: &Durable,
    durability: Durability,
) -> Vec<Result<Outcome<ReserveAnswer>, DurableError>> {
    const CALLS: usize = 200;
    let mut calls = tokio::task::JoinSet::new();
    for at in 0..CALLS {
        let durable = durable.clone();
        calls.spawn(async move {
            let (buyer, request) = (format!("b{at}"), Some("r"));
            let details = Details { request, ..Details::NONE };
            let reserve = Reserve { buyer: &buyer, wanted: Wanted::Quantity(1), details, is_new: false };
            durable.call(Call::reserve("drop", &reserve), durability).await
        });
    }
    calls.join_all().await
}

#[test]
fn what_was_answered_with_fsync_is_there_after_a_crash() {
    const THREADS: usize = 4;
    const ANSWERS_BEFORE_THE_CRASH: usize = 300;
    let mut shop = Shop::open("fsync");
    check(&mut shop, "", (201, "fsync"));
    let answered = Mutex::new(BTreeSet::new());
    let address = shop.address;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let answered = &answered;
            scope.spawn(move || buy_until_refused(address, thread, answered));
        }
        wait::until("answers", || (answered.lock().expect("whole").len() >= ANSWERS_BEFORE_THE_CRASH).then_some(()));
        shop.server.redis.server.kill().expect("ours to kill");
    });
    shop.server.redis.server.restart().expect("Redis starts again");
    let redis = &mut shop.server.connect();
    let buyers = answered.into_inner().expect("whole");
    for buyer in &buyers {
        let held = flat(&run(redis, &format!("FLASH.STATUS {KEY} BUYER {buyer}")));
        assert!(held.contains("held"), "{buyer} was told that it is on the disk: {held}");
    }
    assert!(status(redis, KEY, "held") >= i64::try_from(buyers.len()).expect("small"));
    assert_eq!(info_number(redis, "persistence", "aof_enabled"), 1);
}

fn buy_until_refused(address: SocketAddr, thread: usize, answered: &Mutex<BTreeSet<String>>) {
    let mut http = Http::connect(address).expect("the gateway takes connections");
    for at in 0.. {
        let buyer = format!("t{thread}-{at}");
        let Ok(answer) = reserve(&mut http, &buyer, "") else { return };
        if answer.status != 201 {
            return;
        }
        assert_eq!(said(&answer).1, "fsync");
        answered.lock().expect("whole").insert(buyer);
    }
}
