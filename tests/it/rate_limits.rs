//! Rate limits and admission, as clients see them. What the strategies decide, and when, to the millisecond, is for
//! `throttle/tests` to say; here it is that the gateway passes it on, in whole seconds, and does as it says.

use std::fs;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::metrics::{metric, wait_for};
use crate::support::http::{Answer, Http};
use crate::support::wait;
use crate::support::world::World;

const SALE: &str = "/v1/sales/drop";
const RESERVE: &str = "/v1/sales/drop/reservations";
/// Longer than any test.
const LONG: &str = "window-ms = 2592000000";

/// A world whose gateway has been told this.
struct Limited {
    world: World,
    config: String,
    _dir: TempDir,
}

impl Limited {
    fn start(database: &str, config: &str) -> Self {
        Self::start_with(database, config, &[])
    }

    fn start_with(database: &str, config: &str, args: &[&str]) -> Self {
        let world = World::start_direct(database);
        world.create_sale("{\"sale\":\"drop\",\"total\":1000}");
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("flash.toml").to_str().expect("UTF-8").to_owned();
        let mut limited = Self { world, config: path, _dir: dir };
        limited.restart(config, args);
        limited
    }

    fn restart(&mut self, config: &str, args: &[&str]) {
        fs::write(&self.config, config).expect("writable");
        self.world.kill_gateway();
        self.world.start_gateway_with(&[&["--config", &self.config], args].concat());
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.http().send("GET", path, headers, "").expect("an answer")
    }

    fn reserve(&self, buyer: &str) -> Answer {
        self.http().post(RESERVE, &format!("{{\"buyer\":\"{buyer}\"}}")).expect("an answer")
    }

    fn http(&self) -> Http {
        self.world.http()
    }

    fn signal_redis(&self, signal: Signal) {
        let pid = self.world.redis.redis.server.pid().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        kill_process(pid.expect("Redis runs"), signal).expect("ours to signal");
    }
}

fn policy(name: &str, rest: &str) -> String {
    format!("[[rate-limit]]\nname = \"{name}\"\n{rest}\n")
}

/// Checks what a refusal says; how many seconds it says to wait.
fn refused(answer: &Answer, policy: &str) -> u64 {
    assert_eq!((answer.status, answer.problem()), (429, "rate-limited"), "{answer:?}");
    assert!(answer.body["detail"].as_str().is_some_and(|detail| detail.contains(policy)), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let wait_s: u64 = answer.header("retry-after").and_then(|value| value.parse().ok()).expect("seconds");
    assert_eq!(answer.header("ratelimit"), Some(format!("\"{policy}\";r=0;t={wait_s}").as_str()), "{answer:?}");
    assert!(wait_s >= 1, "{answer:?}");
    wait_s
}

fn allowed(answer: &Answer, policy: &str) {
    assert_ne!(answer.status, 429, "{answer:?}");
    let standing = answer.header("ratelimit").unwrap_or_else(|| panic!("{answer:?} says how the limit stands"));
    assert!(standing.starts_with(&format!("\"{policy}\";r=")), "{answer:?}");
}

/// Redis did not answer in time, which nobody can hold against a busy machine. The request may have been counted.
fn is_unknown(answer: &Answer) -> bool {
    [503, 504].contains(&answer.status)
}

/// Asks until the limit is reached; the refusal, and between which moments it was made.
fn reach(ask: impl Fn() -> Answer, policy: &str, fields: &str, limit: u64) -> (Answer, Instant, Instant) {
    let mut count = 0;
    wait::until("a refusal", || {
        let sent = Instant::now();
        let answer = ask();
        if is_unknown(&answer) {
            count += 1;
            return None;
        }
        assert_eq!(answer.header("ratelimit-policy"), Some(format!("\"{policy}\";{fields}").as_str()), "{answer:?}");
        if answer.status == 429 {
            assert!(count >= limit, "only {count} were allowed of {limit}");
            return Some((answer, sent, Instant::now()));
        }
        allowed(&answer, policy);
        count += 1;
        None
    })
}

/// Asks until it is allowed again. What is asked before the last second of the wait is refused, what is asked behind all of
/// it is allowed. (Between the two lies the true moment, and how fast this machine is today makes no difference.)
fn comes_back(ask: impl Fn() -> Answer, policy: &str, wait_s: u64, refused_between: (Instant, Instant)) {
    let [earliest, latest] =
        [refused_between.0 + Duration::from_secs(wait_s - 1), refused_between.1 + Duration::from_secs(wait_s)];
    let again = wait::within(Duration::from_secs(wait_s + 60), || {
        let sent = Instant::now();
        let answer = ask();
        if is_unknown(&answer) {
            // Where it was counted, nothing can be said of those behind it.
            return Some(());
        }
        if answer.status == 429 {
            refused(&answer, policy);
            assert!(sent < latest, "refused {:?} late: {answer:?}", sent - latest);
            return None;
        }
        allowed(&answer, policy);
        let now = Instant::now();
        assert!(now >= earliest, "allowed {:?} early: {answer:?}", earliest - now);
        Some(())
    });
    assert!(again.is_some(), "{policy} refuses {wait_s} s and no end");
}

#[test]
fn each_strategy_refuses_at_its_limit_and_allows_again_when_it_said() {
    // A route each, so that they do not meet.
    let rows = [
        ("bucket", "rate = 1\nperiod-ms = 3000\nburst = 2", "show-sale", "GET", SALE, "q=2;w=6", 2),
        (
            "burst",
            "limit = 1\nwindow-ms = 2000\nextra = 2\nperiod-ms = 4000",
            "confirm",
            "POST",
            "/confirm",
            "q=3;w=2",
            3,
        ),
        ("strict", "limit = 2\nwindow-ms = 3000", "show-reservation", "GET", "", "q=2;w=3", 2),
        ("sliding", "limit = 2\nwindow-ms = 2500", "release", "DELETE", "", "q=2;w=3", 2),
    ];
    let config = rows.map(|(strategy, terms, route, ..)| {
        policy(strategy, &format!("strategy = \"{strategy}\"\n{terms}\nby = [\"address\"]\nroutes = [\"{route}\"]"))
    });
    let limited = Limited::start("limits_strategies", &config.concat());
    thread::scope(|scope| {
        for (strategy, _, _, method, path, fields, limit) in rows {
            let limited = &limited;
            let path = if path.starts_with(SALE) { path.to_owned() } else { format!("{RESERVE}/999{path}") };
            scope.spawn(move || {
                let ask = || limited.http().send(method, &path, &[], "").expect("an answer");
                let (answer, sent, received) = reach(ask, strategy, fields, limit);
                comes_back(ask, strategy, refused(&answer, strategy), (sent, received));
            });
        }
    });
}

#[test]
fn a_daily_quota_comes_back_at_midnight() {
    /// The minutes of a time zone in which the next minute begins a new day.
    fn offset_minutes() -> i64 {
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let next = i64::try_from(now_s / 60 + 1).expect("a minute") % 1_440;
        if next > 600 { 1_440 - next } else { -next }
    }
    let mut limited = Limited::start("limits_daily", "");
    // The minute may be over before the limit is reached: then the next one.
    for attempt in 0.. {
        let (name, offset) = (format!("daily-{attempt}"), offset_minutes());
        let terms = format!("strategy = \"daily\"\nlimit = 2\noffset-minutes = {offset}\nroutes = [\"show-sale\"]");
        limited.restart(&policy(&name, &terms), &[]);
        let ask = || limited.get(SALE, &[]);
        let (answer, sent, received) = reach(ask, &name, "q=2;w=86400", 2);
        let wait_s = refused(&answer, &name);
        if wait_s <= 60 {
            return comes_back(ask, &name, wait_s, (sent, received));
        }
        assert!(attempt < 10, "a minute is too short for this machine today");
    }
}

#[test]
fn buyers_are_counted_apart_and_what_is_refused_reserves_nothing() {
    let terms = format!("strategy = \"strict\"\nlimit = 2\n{LONG}\nby = [\"buyer\", \"sale\"]\nroutes = [\"reserve\"]");
    let limited = Limited::start("limits_buyers", &policy("buyers", &terms));
    let statuses = |buyer: &str| [(); 4].map(|()| limited.reserve(buyer).status);
    let long = format!("{} {}", "x:".repeat(40), "y".repeat(40));
    assert_eq!(statuses("ada"), [201, 200, 429, 429]);
    assert_eq!(statuses("bob"), [201, 200, 429, 429]);
    assert_eq!(statuses(&long), [201, 200, 429, 429]);
    assert_eq!(limited.reserve("eve").header("ratelimit-policy"), Some("\"buyers\";q=2;w=2592000"));
    refused(&limited.reserve("ada"), "buyers");
    assert_eq!(limited.get(SALE, &[]).body["available"], 1_000 - 4);
    assert_eq!(limited.get(SALE, &[]).header("ratelimit"), None, "no policy holds for this route");
    let count = |outcome: &str| {
        metric(limited.world.address, &format!("flash_rate_limit_{outcome}_total{{policy=\"buyers\"}}"))
    };
    assert_eq!((count("allowed"), count("limited")), (Some(7.0), Some(7.0)));
}

const BY_ADDRESS: &str = "strategy = \"strict\"\nlimit = 1\nwindow-ms = 2592000000\nby = [\"address\"]";

#[test]
fn whoever_is_no_proxy_of_ours_is_counted_by_his_own_address_whatever_he_says() {
    let limited = Limited::start("limits_spoofed", &policy("addresses", BY_ADDRESS));
    assert_eq!(limited.get(SALE, &[("x-forwarded-for", "203.0.113.1")]).status, 200);
    for name in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        for value in ["203.0.113.2", "for=203.0.113.3", "203.0.113.4, 127.0.0.1", ""] {
            refused(&limited.get(SALE, &[(name, value)]), "addresses");
        }
    }
}

#[test]
fn behind_a_proxy_of_ours_addresses_are_counted_apart_and_ipv6_by_its_network() {
    let config = format!("trusted-proxies = [\"127.0.0.0/8\"]\n{}", policy("addresses", BY_ADDRESS));
    let limited = Limited::start("limits_proxied", &config);
    let status = |forwarded: &str| limited.get(SALE, &[("x-forwarded-for", forwarded)]).status;
    assert_eq!([status("203.0.113.1"), status("203.0.113.1")], [200, 429]);
    assert_eq!([status("203.0.113.2"), status("203.0.113.9, 203.0.113.2, 127.0.0.7")], [200, 429]);
    assert_eq!([status("2001:db8::1"), status("2001:db8::ffff:1"), status("2001:db8:0:1::1")], [200, 429, 200]);
    assert_eq!([status("nonsense"), status("other nonsense")], [200, 429], "it is the proxy's own");
}

#[test]
fn two_gateways_share_a_limit() {
    let terms = format!("strategy = \"sliding\"\nlimit = 3\n{LONG}");
    let mut limited = Limited::start("limits_shared", &policy("all", &terms));
    let first = limited.world.address;
    let at = |address| Http::connect(address).and_then(|mut http| http.get(SALE)).expect("an answer");
    assert_eq!([at(first).status, at(first).status], [200, 200]);
    let args = ["--config", &limited.config.clone()];
    limited.world.start_second_gateway_with(&args);
    let second = limited.world.address;
    assert_eq!(at(second).header("ratelimit").map(|value| value.starts_with("\"all\";r=0")), Some(true));
    refused(&at(second), "all");
    refused(&at(first), "all");
}

#[test]
fn all_policies_of_a_request_hold_and_each_is_told() {
    let strict = |limit: u8, by: &str| {
        format!("strategy = \"strict\"\nlimit = {limit}\n{LONG}\nby = [{by}]\nroutes = [\"reserve\"]")
    };
    let config = [policy("all", &strict(3, "\"route\"")), policy("buyers", &strict(2, "\"buyer\""))];
    let limited = Limited::start("limits_both", &config.concat());
    let first = limited.reserve("ada");
    assert_eq!(first.header("ratelimit-policy"), Some("\"all\";q=3;w=2592000, \"buyers\";q=2;w=2592000"));
    assert!(first.header("ratelimit").is_some_and(|value| value.contains("\"buyers\";r=1;t=")), "{first:?}");
    assert_eq!([limited.reserve("ada").status, limited.reserve("ada").status], [200, 429]);
    // What one policy refused was a request to the other one all the same.
    let third = limited.reserve("bob");
    assert_eq!(third.status, 429, "{third:?}");
    assert!(third.body["detail"].as_str().is_some_and(|detail| detail.starts_with("refused by all:")), "{third:?}");
    assert_eq!(limited.get(SALE, &[]).body["available"], 999);
}

#[test]
fn where_redis_cannot_be_asked_nothing_is_allowed() {
    let terms = format!("strategy = \"strict\"\nlimit = 900\n{LONG}\nroutes = [\"reserve\"]");
    let mut limited = Limited::start("limits_away", &policy("all", &terms));
    assert_eq!(limited.reserve("ada").status, 201);
    let is_refused = || {
        let away = limited.reserve("bob");
        assert_ne!(away.status / 100, 2, "{away:?}");
        let says_why = away.problem() == "redis-away" && away.body.to_string().contains("rate limits");
        (says_why && away.header("retry-after").is_some()).then_some(())
    };
    limited.signal_redis(Signal::STOP);
    wait::until("a Redis that does not answer", is_refused);
    limited.signal_redis(Signal::CONT);
    wait::until("a Redis that answers", || (limited.get("/readyz", &[]).status == 200).then_some(()));
    limited.world.redis.redis.server.kill().expect("ours to kill");
    wait::until("Redis to be away", || {
        let away = limited.reserve("bob");
        assert_ne!(away.status / 100, 2, "{away:?}");
        (away.status == 503).then_some(())
    });
    limited.world.redis.redis.server.restart().expect("Redis starts again");
    wait::until("a reservation", || (limited.reserve("ada").status == 200).then_some(()));
    assert_eq!(limited.get(SALE, &[]).body["available"], 999, "nobody else reserved anything");
}

#[test]
fn a_gateway_with_enough_in_hand_sheds_the_rest_at_once() {
    let limited = Limited::start_with("limits_shed", "", &["--requests-max", "1"]);
    let gateway = limited.world.address;
    assert_eq!(metric(gateway, "flash_requests_shed_total"), Some(0.0));
    limited.signal_redis(Signal::STOP);
    // Of two who ask all the time, one is in hand and waits for Redis. Which one, nobody knows.
    let shed = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                wait::until("a request that is shed", || {
                    let answer = limited.get(SALE, &[]);
                    assert!([503, 504].contains(&answer.status), "{answer:?}");
                    let mut shed = shed.lock().expect("nobody panicked");
                    if answer.problem() == "overloaded" {
                        *shed = Some(answer);
                    }
                    shed.is_some().then_some(())
                });
            });
        }
    });
    limited.signal_redis(Signal::CONT);
    let shed = shed.into_inner().expect("nobody panicked").expect("one of them saw it");
    assert_eq!((shed.status, shed.header("retry-after")), (503, Some("1")), "{shed:?}");
    wait_for(gateway, "flash_requests_shed_total", |count| count >= 1.0);
    wait::until("an answer", || (limited.get(SALE, &[]).status == 200).then_some(()));
}
