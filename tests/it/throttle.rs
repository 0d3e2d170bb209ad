//! FLASH.THROTTLE in a real redis-server. What the strategies decide, and when, is for `crates/throttle/tests` to say:
//! there the clock is in the test's hands.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use flash_client::{Call, Client};
use flash_wire::{Throttle, ThrottleTerms, WindowTerms};
use redis::{Connection, Value};

use crate::support::redis::{Server, check, digest, flat, info, info_number, run, try_run};
use crate::support::wait;

/// Every strategy with a limit of 3, in a span that outlasts the test.
fn strategies() -> [String; 5] {
    let day_ms = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() % 86_400_000;
    let minutes_to_noon = 720 - i64::try_from(day_ms / 60_000).expect("a minute of the day");
    [
        "BUCKET 1 2592000000 3".to_owned(),
        "BURST 2 2592000000 1 2592000000".to_owned(),
        "STRICT 3 2592000000".to_owned(),
        "SLIDING 3 2592000000".to_owned(),
        format!("DAILY 3 {minutes_to_noon}"),
    ]
}

/// A server with a rate limit of each strategy, `limit:0` and so on, of which one unit is in use.
fn limiting() -> (Server, Connection) {
    let server = Server::start();
    let mut redis = server.connect();
    for (at, strategy) in strategies().iter().enumerate() {
        check(&mut redis, &format!("FLASH.THROTTLE limit:{at} {strategy}"), "[1 3 2 nil *]");
    }
    (server, redis)
}

/// What must be the same in every copy: states, and when they are thrown away.
fn states(redis: &mut Connection) -> Vec<(String, i64)> {
    let keys = (0..strategies().len()).map(|at| format!("limit:{at}"));
    keys.map(|key| (digest(redis, &key), run(redis, &format!("PEXPIRETIME {key}")))).collect()
}

fn field(redis: &mut Connection, command: &str, at: usize) -> i64 {
    let reply: Vec<Value> = run(redis, command);
    flat(&reply[at]).parse().unwrap_or_else(|_| panic!("{command}: {reply:?}"))
}

#[test]
fn every_strategy_allows_its_limit_and_then_says_when_to_come_again() {
    let (_server, redis) = limiting();
    let redis = &mut { redis };
    for (at, strategy) in strategies().iter().enumerate() {
        let ask = |more: &str| format!("FLASH.THROTTLE limit:{at} {strategy}{more}");
        check(redis, &ask(" COST 0"), "[1 3 2 nil *]");
        check(redis, &ask(" COST 3"), "[0 3 2 * *]");
        check(redis, &ask(" COST 2"), "[1 3 0 nil *]");
        check(redis, &ask(" COST 0"), "[1 3 0 nil *]");
        check(redis, &ask(""), "[0 3 0 * *]");
        let refused: Vec<i64> = run(redis, &ask(""));
        let [0, 3, 0, retry_after_ms, reset_ms] = refused[..] else { panic!("{strategy}: {refused:?}") };
        assert!(0 < retry_after_ms && retry_after_ms <= reset_ms, "{strategy}: {refused:?}");
    }
    assert_eq!(info_number(redis, "flash", "flash_throttle_allowed"), 10);
    assert_eq!(info_number(redis, "flash", "flash_throttle_refused"), 15);
}

#[test]
fn a_refused_call_is_allowed_after_its_stated_wait() {
    let server = Server::start();
    let redis = &mut server.connect();
    for ask in ["FLASH.THROTTLE bucket BUCKET 1 1000 1", "FLASH.THROTTLE sliding SLIDING 1 1000"] {
        check(redis, ask, "[1 1 0 nil 1000]");
        let begin = Instant::now();
        let retry_after_ms = u64::try_from(field(redis, ask, 3)).expect("a time to wait");
        wait::until("a unit", || (field(redis, ask, 0) == 1).then_some(()));
        assert!(begin.elapsed() >= Duration::from_millis(retry_after_ms - 1), "{ask}");
    }
}

#[test]
fn six_thousand_a_second_are_limited() {
    let server = Server::start();
    let redis = &mut server.connect();
    let begin = Instant::now();
    let mut calls = redis::pipe();
    (0..20_000).for_each(|_| {
        calls.cmd("FLASH.THROTTLE").arg(&["api", "BUCKET", "6000", "1000", "6"]);
    });
    let replies: Vec<Vec<Option<i64>>> = calls.query(redis).expect("replies");
    let elapsed_ms = usize::try_from(begin.elapsed().as_millis()).expect("a short while");
    let allowed = replies.iter().filter(|reply| reply[0] == Some(1)).count();
    assert!((6..=6 + 6 * (elapsed_ms + 1)).contains(&allowed), "{allowed} in {elapsed_ms} ms");
    assert!(allowed < replies.len(), "all of {allowed} in {elapsed_ms} ms");
}

#[test]
fn a_look_makes_no_key_and_an_allowed_call_makes_one_that_expires() {
    let server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.THROTTLE new STRICT 3 1000 COST 0", "[1 3 3 nil 0]");
    check(redis, "EXISTS new", "0");
    for strategy in strategies() {
        let reset_ms = field(redis, &format!("FLASH.THROTTLE new {strategy}"), 4);
        let ttl_ms: i64 = run(redis, "PTTL new");
        assert!((reset_ms + 5_000..=reset_ms + 20_000).contains(&ttl_ms), "{strategy}: {ttl_ms} for {reset_ms}");
        let _: Value = run(redis, "PEXPIRE new 1");
        wait::until("the key's end", || (run::<i64>(redis, "EXISTS new") == 0).then_some(()));
    }
    check(redis, "FLASH.THROTTLE often SLIDING 100 1000", "[1 100 99 nil 1000]");
    let expires_at_ms: i64 = run(redis, "PEXPIRETIME often");
    check(redis, "FLASH.THROTTLE often SLIDING 100 1000", "[1 100 98 nil *]");
    check(redis, "PEXPIRETIME often", &expires_at_ms.to_string());
}

#[test]
fn changed_terms_hold_at_once_and_what_is_in_use_stays_in_use() {
    let server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.THROTTLE api STRICT 5 2592000000 COST 4", "[1 5 1 nil *]");
    check(redis, "FLASH.THROTTLE api STRICT 9 2592000000", "[1 9 4 nil *]");
    check(redis, "FLASH.THROTTLE api DAILY 4 0", "[0 4 0 * *]");
    check(redis, "FLASH.THROTTLE api SLIDING 6 2592000000", "[1 6 0 nil 2592000000]");
    check(redis, "FLASH.THROTTLE api STRICT 9 2592000000 COST 0", "[1 9 3 nil *]");
}

#[test]
fn a_rate_limit_is_the_same_on_a_replica_which_decides_nothing() {
    let (primary, redis) = limiting();
    let (redis, replica) = (&mut { redis }, Server::start());
    let copy = &mut replica.connect();
    let _: Value = run(copy, &format!("REPLICAOF 127.0.0.1 {}", primary.redis.server.port()));
    wait::until("the link", || (info(copy, "replication", "master_link_status") == "up").then_some(()));
    for (at, strategy) in strategies().iter().enumerate() {
        check(redis, &format!("FLASH.THROTTLE limit:{at} {strategy}"), "[1 3 1 nil *]");
        check(redis, &format!("FLASH.THROTTLE limit:{at} {strategy} COST 2"), "[0 3 1 * *]");
        check(redis, &format!("FLASH.THROTTLE limit:{at} {strategy} COST 0"), "[1 3 1 nil *]");
    }
    wait::until("the replica", || (run::<i64>(redis, "WAIT 1 100") == 1).then_some(()));
    assert_eq!(states(copy), states(redis));
    let applied = info(copy, "commandstats", "cmdstat_FLASH.THROTTLE.APPLY");
    assert!(applied.starts_with("calls=5,"), "one for each call that took something: {applied}");
    let refused = try_run::<Value>(copy, "FLASH.THROTTLE limit:0 BUCKET 1 1000 3").expect_err("it is read only");
    assert!(refused.starts_with("READONLY"), "{refused}");
    let _: Value = run(copy, "CONFIG SET replica-read-only no");
    let refused = try_run::<Value>(copy, "FLASH.THROTTLE limit:0 BUCKET 1 1000 3").expect_err("it never decides");
    assert!(refused.starts_with("READONLY a replica never decides"), "{refused}");
    let _: Value = run(copy, "REPLICAOF NO ONE");
    check(copy, "FLASH.THROTTLE limit:0 BUCKET 1 2592000000 3", "[1 3 0 nil *]");
    let _: Value = run(redis, "PEXPIRE limit:1 1");
    wait::until("the key's end", || (run::<i64>(redis, "EXISTS limit:1") == 0).then_some(()));
}

#[test]
fn a_rate_limit_is_the_same_after_a_crash_a_reload_a_copy_and_every_rewrite() {
    let (server, redis) = limiting();
    let (mut server, redis) = (server, &mut { redis });
    let before = states(redis);
    for preamble in ["yes", "no"] {
        let _: Value = run(redis, &format!("CONFIG SET aof-use-rdb-preamble {preamble}"));
        let _: Value = run(redis, "BGREWRITEAOF");
        wait::until("the rewrite's end", || {
            let is_over = |field| info(redis, "persistence", field) == "0";
            let is_written = (["aof_rewrite_in_progress", "aof_rewrite_scheduled"].into_iter()).all(is_over);
            is_written.then_some(())
        });
        assert_eq!(info(redis, "persistence", "aof_last_bgrewrite_status"), "ok");
        let _: Value = run(redis, "DEBUG LOADAOF");
        assert_eq!(states(redis), before, "preamble {preamble}");
    }
    let _: Value = run(redis, "DEBUG RELOAD");
    assert_eq!(states(redis), before, "RDB");
    for (at, strategy) in strategies().iter().enumerate() {
        let _: Value = run(redis, &format!("COPY limit:{at} copy"));
        assert_eq!(digest(redis, "copy"), before[at].0, "COPY");
        let dump: Vec<u8> = run(redis, &format!("DUMP limit:{at}"));
        let mut restore = redis::cmd("RESTORE");
        restore.arg("copy").arg(before[at].1).arg(dump).arg("ABSTTL").arg("REPLACE");
        let _: Value = restore.query(redis).expect("it loads");
        assert_eq!(digest(redis, "copy"), before[at].0, "RESTORE");
        check(redis, &format!("FLASH.THROTTLE copy {strategy}"), "[1 3 1 nil *]");
        let _: Value = run(redis, "DEL copy");
    }
    assert_eq!(states(redis), before, "a copy is a rate limit of its own");
    server.redis.server.kill().expect("ours to kill");
    server.redis.server.restart().expect("Redis starts again");
    assert_eq!(states(&mut server.connect()), before, "SIGKILL");
}

#[test]
fn a_refusal_and_a_look_touch_nothing() {
    let (server, redis) = limiting();
    let (redis, other) = (&mut { redis }, &mut server.connect());
    let _: Value = run(redis, "FLASH.THROTTLE limit:2 STRICT 3 2592000000 COST 2");
    let before = (states(redis), info(redis, "persistence", "aof_current_size"));
    let _: Value = run(redis, "WATCH limit:2");
    check(other, "FLASH.THROTTLE limit:2 STRICT 3 2592000000", "[0 3 0 * *]");
    check(other, "FLASH.THROTTLE limit:2 STRICT 3 2592000000 COST 0", "[1 3 0 nil *]");
    check(other, "FLASH.THROTTLE limit:2 DAILY 2 0", "[0 2 0 * *]");
    let _: Value = run(redis, "MULTI");
    let _: Value = run(redis, "PING");
    assert_ne!(run::<Value>(redis, "EXEC"), Value::Nil, "a refusal does not touch a watched key");
    assert_eq!((states(redis), info(redis, "persistence", "aof_current_size")), before);
}

#[test]
fn a_transaction_and_a_script_may_ask_too() {
    let server = Server::start();
    let redis = &mut server.connect();
    let _: Value = run(redis, "MULTI");
    let _: Value = run(redis, "FLASH.THROTTLE api STRICT 3 2592000000");
    let _: Value = run(redis, "FLASH.THROTTLE api STRICT 3 2592000000");
    check(redis, "EXEC", "[[1 3 2 nil *] [1 3 1 nil *]]");
    let script = "return redis.call('FLASH.THROTTLE', KEYS[1], 'STRICT', 3, 2592000000)[3]";
    let remaining: i64 = redis::cmd("EVAL").arg(script).arg(1).arg("api").query(redis).expect("a number");
    assert_eq!(remaining, 0);
    let before = digest(redis, "api");
    let _: Value = run(redis, "DEBUG LOADAOF");
    assert_eq!(digest(redis, "api"), before);
}

#[test]
fn the_typed_client_asks_and_reads_the_answer() {
    let server = Server::start();
    let terms = ThrottleTerms::Strict(WindowTerms { limit: 1, window_ms: 2_592_000_000 });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let answers = runtime.block_on(async {
        let client = Client::connect(&server.redis.url()).expect("a URL");
        client.connected().await;
        let ask = |cost| client.call(Call::throttle("ada", &Throttle { terms, cost }));
        [ask(1).await, ask(1).await, ask(0).await]
    });
    let [allowed, refused, look] = answers.map(|answer| answer.expect("answered").expect("no refusal of a sale's"));
    assert!(allowed.is_allowed() && !refused.is_allowed() && look.is_allowed(), "{refused:?}");
    assert_eq!((refused.standing.limit, refused.standing.remaining), (1, 0));
    assert_eq!(run::<i64>(&mut server.connect(), "EXISTS flash:throttle:ada"), 1);
}

#[test]
fn out_of_memory_nothing_is_allowed() {
    let (_server, redis) = limiting();
    let redis = &mut { redis };
    let _: Value = run(redis, "CONFIG SET maxmemory 1");
    let error = try_run::<Value>(redis, "FLASH.THROTTLE new STRICT 3 1000").expect_err("there is no memory");
    assert!(error.starts_with("OOM"), "{error}");
}
