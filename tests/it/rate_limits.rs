//! Rate limits and admission, as clients see them. What the strategies decide, and when, to the millisecond, is for
//! `crates/throttle/tests` to say; here it is that the gateway passes it on, in whole seconds, and does as it says.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::Signal;

use crate::metrics::{metric, wait_for};
use crate::support::http::{Answer, Http};
use crate::support::limited::{Limited, in_time, is_unknown, policy, refusal, statuses, try_in_time};
use crate::support::redis::info_number;
use crate::support::wait;

const SALE: &str = "/v1/sales/drop";
const RESERVE: &str = "/v1/sales/drop/reservations";
/// Longer than any test.
const LONG: &str = "window-ms = 2592000000";

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

/// Asks until it is allowed again. What is asked before the last second of the wait is refused, what is asked after
/// all of it is allowed. (Between the two lies the true moment, and how fast this machine is today makes no
/// difference.)
fn comes_back(ask: impl Fn() -> Answer, policy: &str, wait_s: u64, refused_between: (Instant, Instant)) {
    let [earliest, latest] =
        [refused_between.0 + Duration::from_secs(wait_s - 1), refused_between.1 + Duration::from_secs(wait_s)];
    let again = wait::within(Duration::from_secs(wait_s + 60), || {
        let sent = Instant::now();
        let answer = ask();
        if is_unknown(&answer) {
            // If it was counted, nothing can be said of those after it.
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
    let count = |outcome: &str| {
        let line = format!("flash_rate_limit_{outcome}_total{{policy=\"buyers\"}}");
        metric(limited.world.address, &line).expect("a number")
    };
    try_in_time(|attempt| {
        let before = (limited.available("drop"), count("allowed"), count("limited"));
        // A long one with colons, which is kept as a digest.
        for buyer in ["ada".to_owned(), "bob".to_owned(), format!("{} {}", "x:".repeat(40), "y".repeat(40))] {
            let buyer = format!("{buyer}{attempt}");
            assert_eq!(statuses([(); 4].map(|()| limited.reserve(&buyer)))?, [201, 200, 429, 429], "{buyer}");
        }
        let after = (before.0 - 3, before.1 + 6.0, before.2 + 6.0);
        assert_eq!((limited.available("drop"), count("allowed"), count("limited")), after);
        Some(())
    });
    let eve = in_time(|| limited.reserve("eve"));
    assert_eq!(eve.header("ratelimit-policy"), Some("\"buyers\";q=2;w=2592000"), "{eve:?}");
    refused(&refusal(|| limited.reserve("eve")), "buyers");
    let shown = in_time(|| limited.get(SALE, &[]));
    assert_eq!(shown.header("ratelimit"), None, "no policy holds for this route");
}

#[test]
fn whoever_was_refused_is_refused_again_without_asking_redis() {
    const REQUESTS: u64 = 200;
    let terms = format!("strategy = \"sliding\"\nlimit = 1\n{LONG}\nby = [\"buyer\"]\nroutes = [\"reserve\"]");
    let limited = Limited::start("limits_remembered", &policy("buyers", &terms));
    let redis = &mut limited.world.redis.connect();
    refusal(|| limited.reserve("ada"));
    let (begin, before) = (Instant::now(), info_number(redis, "flash", "flash_throttle_refused"));
    let unknown = (0..REQUESTS).filter(|_| is_unknown(&limited.reserve("ada"))).count() as u64;
    // A refusal is remembered for a second, so that Redis is asked once in each; but one that did not come is not
    // remembered.
    let asked = info_number(redis, "flash", "flash_throttle_refused") - before;
    assert!(asked <= 1 + unknown + begin.elapsed().as_secs(), "{asked} of {REQUESTS} in {:?}", begin.elapsed());
    assert_eq!(in_time(|| limited.reserve("bob")).status, 201);
}

const BY_ADDRESS: &str = "strategy = \"strict\"\nlimit = 1\nwindow-ms = 2592000000\nby = [\"address\"]";

#[test]
fn a_client_that_is_no_trusted_proxy_counts_by_its_own_address() {
    let limited = Limited::start("limits_spoofed", &policy("addresses", BY_ADDRESS));
    refusal(|| limited.get(SALE, &[("x-forwarded-for", "203.0.113.1")]));
    for name in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        for value in ["203.0.113.2", "for=203.0.113.3", "203.0.113.4, 127.0.0.1", ""] {
            refused(&in_time(|| limited.get(SALE, &[(name, value)])), "addresses");
        }
    }
}

#[test]
fn behind_a_proxy_of_ours_addresses_are_counted_apart_and_ipv6_by_its_network() {
    let config = format!("trusted-proxies = [\"127.0.0.0/8\"]\n{}", policy("addresses", BY_ADDRESS));
    let limited = Limited::start("limits_proxied", &config);
    let get = |forwarded: &str| limited.get(SALE, &[("x-forwarded-for", forwarded)]);
    try_in_time(|attempt| {
        let [one, other] = [1, 2].map(|host| format!("203.0.{attempt}.{host}"));
        assert_eq!(statuses([get(&one), get(&one), get(&other)])?, [200, 429, 200]);
        assert_eq!(statuses([get(&format!("{one}, {other}, 127.0.0.7"))])?, [429], "the last that is not ours counts");
        let network = |rest: &str| get(&format!("2001:db8:{attempt}:{rest}"));
        assert_eq!(statuses([network("0::1"), network("0::ffff:1"), network("1::1")])?, [200, 429, 200]);
        Some(())
    });
    refusal(|| get("nonsense"));
    assert_eq!(in_time(|| get("other nonsense")).status, 429, "it is the proxy's own");
}

#[test]
fn two_gateways_share_a_limit() {
    let terms = format!("strategy = \"sliding\"\nlimit = 3\n{LONG}\nby = [\"buyer\"]\nroutes = [\"reserve\"]");
    let mut limited = Limited::start("limits_shared", &policy("buyers", &terms));
    let first = limited.world.address;
    let args = ["--config", &limited.config.clone()];
    limited.world.start_second_gateway_with(&args);
    let second = limited.world.address;
    let reserve = |address, buyer: &str| {
        let body = format!("{{\"buyer\":\"{buyer}\"}}");
        Http::connect(address).and_then(|mut http| http.post(RESERVE, &body)).expect("an answer")
    };
    try_in_time(|attempt| {
        let buyer = format!("ada{attempt}");
        let ask = |address| reserve(address, &buyer);
        assert_eq!(statuses([first, second, first, second, first].map(ask))?, [201, 200, 200, 429, 429]);
        Some(())
    });
}

#[test]
fn all_policies_of_a_request_apply_and_each_is_named() {
    let strict = |limit: u8, by: &str| {
        format!("strategy = \"strict\"\nlimit = {limit}\n{LONG}\nby = [\"{by}\"]\nroutes = [\"reserve\"]")
    };
    let config = [policy("sales", &strict(3, "sale")), policy("buyers", &strict(2, "buyer"))];
    let limited = Limited::start("limits_both", &config.concat());
    try_in_time(|attempt| {
        let (sale, ada, bob) = (format!("drop{attempt}"), format!("ada{attempt}"), format!("bob{attempt}"));
        limited.world.create_sale(&format!("{{\"sale\":\"{sale}\",\"total\":9}}"));
        let [first, second, third, fourth] = [&ada, &ada, &ada, &bob].map(|buyer| limited.reserve_of(&sale, buyer));
        let told = |answer: &Answer| answer.header("ratelimit").unwrap_or_default().to_owned();
        let fields = [&first, &third].map(|answer| answer.header("ratelimit-policy").map(str::to_owned));
        let remaining = [&first, &third, &fourth].map(told);
        let details = [&third, &fourth].map(|answer| answer.body["detail"].as_str().unwrap_or_default().to_owned());
        // What one policy refuses was still a request to the other one.
        assert_eq!(statuses([first, second, third, fourth])?, [201, 200, 429, 429]);
        assert_eq!(fields, [(); 2].map(|()| Some("\"sales\";q=3;w=2592000, \"buyers\";q=2;w=2592000".to_owned())));
        for (got, want) in
            remaining.iter().zip([["sales\";r=2", "buyers\";r=1"], ["r=0", "buyers\";r=0"], ["r=0", "r=1"]])
        {
            assert!(want.iter().all(|want| got.contains(want)), "{got} lacks one of {want:?}");
        }
        assert!(
            details[0].starts_with("refused by buyers:") && details[1].starts_with("refused by sales:"),
            "{details:?}"
        );
        assert_eq!(limited.available(&sale), 8);
        Some(())
    });
}

#[test]
fn where_redis_cannot_be_asked_nothing_is_allowed() {
    let terms = format!("strategy = \"strict\"\nlimit = 900\n{LONG}\nroutes = [\"reserve\"]");
    let mut limited = Limited::start("limits_away", &policy("all", &terms));
    assert_eq!(in_time(|| limited.reserve("ada")).status / 100, 2);
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
    assert_eq!(limited.available("drop"), 999, "nobody else reserved anything");
}

#[test]
fn a_gateway_with_enough_in_hand_sheds_the_rest_at_once() {
    let limited = Limited::start_with("limits_shed", "", &["--requests-max", "1"]);
    let gateway = limited.world.address;
    assert_eq!(metric(gateway, "flash_requests_shed_total"), Some(0.0));
    limited.signal_redis(Signal::STOP);
    // Of seven who ask all the time, one is in hand and waits for Redis, and four wait for its place.
    let shed = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..7 {
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
