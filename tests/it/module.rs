//! The module in a real redis-server: commands, replication, restarts.

use redis::{Connection, Value};
use tempfile::tempdir;

use crate::support::redis::{Server, check, connect, digest, flat, run, start_in, status, try_run};
use crate::support::wait;

#[test]
fn a_session_without_anything_but_redis_and_the_module() {
    let server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.WARM drop 3 HOLD 60000", "[WARMED 1]");
    check(redis, "FLASH.WARM drop 3 HOLD 60000", "[EXISTS 1]");
    check(redis, "FLASH.RESERVE drop ada", "[RESERVED 2 * 2]");
    check(redis, "FLASH.RESERVE drop ada", "[REPLAYED 2 * held]");
    check(redis, "FLASH.RESERVE drop ada QTY 2", "[LIMIT_EXCEEDED]");
    check(redis, "FLASH.RESERVE drop bob ID first", "[RESERVED 3 * 1]");
    check(redis, "FLASH.RESERVE drop bob QTY 2 ID first", "[CONFLICT]");
    check(redis, "FLASH.RESERVE drop eve DATA {}", "[RESERVED 4 * 0]");
    check(redis, "FLASH.RESERVE drop joe", "[SOLD_OUT]");
    check(redis, "FLASH.CONFIRM drop 2", "[CONFIRMED 2]");
    check(redis, "FLASH.CONFIRM drop 2", "[REPLAYED 2 * confirmed]");
    check(redis, "FLASH.RELEASE drop 2", "[CONFLICT]");
    check(redis, "FLASH.RELEASE drop 3", "[RELEASED 3]");
    check(redis, "FLASH.RELEASE drop 3", "[REPLAYED 3 * released]");
    check(redis, "FLASH.CONFIRM drop 99", "[UNKNOWN]");
    check(redis, "FLASH.RESERVE drop joe", "[RESERVED 7 * 0]");
    check(
        redis,
        "FLASH.STATUS drop ID 2",
        "[id 2 state confirmed buyer ada slot 0 expires_at_ms * request nil items [default 1]]",
    );
    check(
        redis,
        "FLASH.STATUS drop BUYER bob",
        "[buyer bob units 0 reservations [[id 3 state released buyer bob slot 0 expires_at_ms * request first items [default 1]]]]",
    );
    check(redis, "FLASH.STATUS drop BUYER nobody", "[buyer nobody units 0 reservations []]");
    check(redis, "FLASH.RESERVE other ada", "[NOT_WARMED]");
    check(redis, "FLASH.STATUS other", "[NOT_WARMED]");
    check(redis, "FLASH.REAP drop", "[REAPED 0]");
    for (field, want) in [("total", 3), ("available", 0), ("held", 2), ("confirmed", 1), ("journal_events", 0)] {
        assert_eq!(status(redis, "drop", field), want, "{field}");
    }
}

#[test]
fn several_skus_are_reserved_all_or_nothing() {
    let server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.WARM drop SKU small 1 SKU large 5 LIMIT 4", "[WARMED 1]");
    check(redis, "FLASH.RESERVE drop ada SKU large 1 SKU small 2", "[SOLD_OUT]");
    check(redis, "FLASH.RESERVE drop ada SKU small 1 SKU large 2", "[RESERVED 2 nil 3]");
    check(redis, "FLASH.RESERVE drop ada SKU large 1", "[RESERVED 3 nil 2]");
    check(redis, "FLASH.RESERVE drop ada SKU large 1", "[LIMIT_EXCEEDED]");
    check(redis, "FLASH.RESERVE drop bob SKU small 1", "[SOLD_OUT]");
}

#[test]
fn a_window_opens_and_closes() {
    let server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.WARM early 1 OPENS 253402300799000", "[WARMED 1]");
    check(redis, "FLASH.RESERVE early ada", "[NOT_STARTED 253402300799000]");
    check(redis, "FLASH.WARM late 1 CLOSES 1", "[WARMED 1]");
    check(redis, "FLASH.RESERVE late ada", "[ENDED]");
}

#[test]
fn an_operator_restocks_closes_and_opens() {
    let server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.WARM drop SKU a 2 SKU b 5 HOLD 60000", "[WARMED 1]");
    check(redis, "FLASH.RESERVE drop ada SKU a 1", "[RESERVED 2 * 6]");
    check(redis, "FLASH.RESTOCK drop SKU a -2", "[CONFLICT]");
    check(redis, "FLASH.RESTOCK drop SKU a -1", "[RESTOCKED 1 0]");
    check(redis, "FLASH.RESERVE drop bob SKU a 1", "[SOLD_OUT]");
    check(redis, "FLASH.RESTOCK drop SKU a +3", "[RESTOCKED 4 3]");
    check(redis, "FLASH.CLOSE drop", "[CLOSED]");
    check(redis, "FLASH.CLOSE drop", "[CLOSED]");
    check(redis, "FLASH.RESERVE drop bob SKU a 1", "[CLOSED]");
    check(redis, "FLASH.CONFIRM drop 2", "[CONFIRMED 2]");
    check(redis, "FLASH.OPEN drop", "[OPENED]");
    check(redis, "FLASH.OPEN drop", "[OPENED]");
    check(redis, "FLASH.RESERVE drop bob SKU a 1", "[RESERVED 8 * 7]");
    check(redis, "FLASH.WARM drop SKU a 2 SKU b 5 HOLD 60000", "[EXISTS 1]");
    for nothing in ["FLASH.RESTOCK other 5", "FLASH.OPEN other", "FLASH.CLOSE other"] {
        check(redis, nothing, "[NOT_WARMED]");
    }
}

#[test]
fn a_hold_that_runs_out_gives_its_unit_to_the_next_buyer() {
    let server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.WARM drop 1 HOLD 1 JOURNAL 100", "[WARMED 1]");
    check(redis, "FLASH.RESERVE drop ada", "[RESERVED 2 * 0]");
    wait::until("the hold's end", || {
        let reply: Value = run(redis, "FLASH.STATUS drop ID 2");
        flat(&reply).contains("state expired").then_some(())
    });
    check(redis, "FLASH.CONFIRM drop 2", "[EXPIRED]");
    let reply: Value = run(redis, "FLASH.RESERVE drop bob");
    assert!(flat(&reply).starts_with("[RESERVED "), "{reply:?}");
}

#[test]
fn a_relay_reads_the_journal_and_an_ack_empties_it() {
    let server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.READY", "[READY * []]");
    check(redis, "FLASH.WARM flash:drop 9 JOURNAL 3", "[WARMED 1]");
    check(redis, "FLASH.RESERVE flash:drop ada", "[RESERVED 2 nil 8]");
    check(redis, "FLASH.RESERVE flash:drop bob", "[RESERVED 3 nil 7]");
    check(redis, "FLASH.RESERVE flash:drop eve", "[JOURNAL_FULL]");
    check(redis, "FLASH.READY", "[READY * [[flash:drop 1 0 3 0 0 *]]]");
    let pulled = |redis: &mut Connection, command: &str| -> Vec<u64> {
        let reply: Vec<Value> = run(redis, command);
        let Value::Array(events) = &reply[4] else { panic!("{reply:?}") };
        let seq = |event: &Value| match event {
            Value::BulkString(bytes) => flash_wire::Event::decode(bytes).expect("an event").seq,
            other => panic!("{other:?}"),
        };
        events.iter().map(seq).collect()
    };
    assert_eq!(pulled(redis, "FLASH.PULL flash:drop me LEASE 60000"), [1, 2, 3]);
    assert_eq!(pulled(redis, "FLASH.PULL flash:drop me LEASE 60000 AFTER 1 COUNT 1"), [2]);
    check(redis, "FLASH.PULL flash:drop you LEASE 60000", "[LEASED *]");
    assert_eq!(pulled(redis, "FLASH.PULL flash:drop you LEASE 0 AFTER 2"), [3], "a look needs no lease");
    let shown = flat(&run(redis, "FLASH.STATUS flash:drop"));
    assert!(shown.contains(" relay me lease_until_ms "), "and takes none: {shown}");
    check(redis, "FLASH.ACK flash:drop 1 2", "[ACKED 2]");
    check(redis, "FLASH.ACK flash:drop 1 1", "[ACKED 2]");
    assert_eq!(pulled(redis, "FLASH.PULL flash:drop me LEASE 60000"), [3]);
    check(redis, "FLASH.RESERVE flash:drop eve", "[RESERVED 4 nil 6]");
    check(redis, "FLASH.ACK flash:drop 1 4", "[ACKED 4]");
    check(redis, "FLASH.READY", "[READY * []]");
}

#[test]
fn ready_finds_a_sale_after_a_rename_a_copy_and_a_restart() {
    let mut server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.WARM a 9 JOURNAL 9", "[WARMED 1]");
    let _: Value = run(redis, "RENAME a b");
    check(redis, "FLASH.READY", "[READY * []]");
    let _: Value = run(redis, "DEL b");
    check(redis, "FLASH.READY", "[READY * []]");
    check(redis, "FLASH.WARM c 9 JOURNAL 9", "[WARMED 1]");
    server.redis.server.kill().expect("ours to kill");
    server.redis.server.restart().expect("Redis starts again");
    check(&mut server.connect(), "FLASH.READY", "[READY * [[c 1 0 1 0 0 *]]]");
}

/// Leaves a sale with every kind of reservation in it.
fn some_history(redis: &mut Connection) {
    check(redis, "FLASH.WARM drop SKU a 50 SKU b 50 HOLD 600000 LIMIT 3 JOURNAL 1000", "[WARMED 1]");
    for buyer in 0..30 {
        let id: Vec<Value> = run(redis, &format!("FLASH.RESERVE drop buyer-{buyer} SKU a 1 SKU b 2 ID r DATA [1,2]"));
        let id = flat(&id[1]);
        match buyer % 3 {
            0 => check(redis, &format!("FLASH.CONFIRM drop {id}"), "[CONFIRMED *]"),
            1 => check(redis, &format!("FLASH.RELEASE drop {id}"), "[RELEASED *]"),
            _ => {}
        }
    }
    check(redis, "FLASH.RESTOCK drop SKU b 10", "[RESTOCKED 60 *]");
    check(redis, "FLASH.ACK drop 1 17", "[ACKED 17]");
}

#[test]
fn a_sale_is_the_same_after_a_crash_a_reload_and_every_rewrite() {
    let mut server = Server::start();
    let redis = &mut server.connect();
    some_history(redis);
    let before = digest(redis, "drop");
    let rewrite = |redis: &mut Connection, preamble: &str| {
        let _: Value = run(redis, &format!("CONFIG SET aof-use-rdb-preamble {preamble}"));
        let _: Value = run(redis, "BGREWRITEAOF");
        wait::until("the rewrite's end", || {
            let info: String = run(redis, "INFO persistence");
            (info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0")).then_some(info)
        })
    };
    for preamble in ["yes", "no"] {
        let info = rewrite(redis, preamble);
        assert!(info.contains("aof_last_bgrewrite_status:ok"), "preamble {preamble}: {info}");
        let _: Value = run(redis, "DEBUG LOADAOF");
        assert_eq!(digest(redis, "drop"), before, "preamble {preamble}");
    }
    let _: Value = run(redis, "DEBUG RELOAD");
    assert_eq!(digest(redis, "drop"), before, "RDB");
    let _: Value = run(redis, "COPY drop copy");
    check(redis, "FLASH.FENCE drop", "[FENCED * * *]");
    let fenced = digest(redis, "drop");
    assert_eq!(digest(redis, "copy"), fenced, "COPY");
    server.redis.server.kill().expect("ours to kill");
    server.redis.server.restart().expect("Redis starts again");
    assert_eq!(digest(&mut server.connect(), "drop"), fenced, "SIGKILL");
}

#[test]
fn a_replica_has_the_same_state_and_decides_nothing() {
    let (primary, replica) = (Server::start(), Server::start());
    let (redis, copy) = (&mut primary.connect(), &mut replica.connect());
    check(redis, "FLASH.WARM before 5", "[WARMED 1]");
    let port = primary.redis.server.port();
    let _: Value = run(copy, &format!("REPLICAOF 127.0.0.1 {port}"));
    some_history(redis);
    wait::until("the replica", || {
        let waited: i64 = run(redis, "WAIT 1 100");
        (waited == 1).then_some(())
    });
    for key in ["before", "drop"] {
        assert_eq!(digest(redis, key), digest(copy, key), "{key}");
    }
    let refused = try_run::<Value>(copy, "FLASH.RESERVE drop late SKU a 1").expect_err("a replica is read only");
    assert!(refused.starts_with("READONLY"), "{refused}");
    assert_eq!(status(copy, "drop", "total"), 110);
    let _: Value = run(copy, "REPLICAOF NO ONE");
    check(copy, "FLASH.RESERVE drop late SKU a 1", "[RESERVED * * *]");
}

#[test]
fn a_refusal_touches_nothing() {
    let server = Server::start();
    let (redis, other) = (&mut server.connect(), &mut server.connect());
    check(redis, "FLASH.WARM drop 1", "[WARMED 1]");
    check(redis, "FLASH.RESERVE drop ada", "[RESERVED 2 nil 0]");
    let offset = |redis: &mut Connection| -> String {
        let info: String = run(redis, "INFO persistence");
        info.lines().find(|line| line.starts_with("aof_current_size:")).expect("the AOF is on").to_owned()
    };
    let (state, written) = (digest(redis, "drop"), offset(redis));
    let _: Value = run(redis, "WATCH drop");
    for refused in ["FLASH.RESERVE drop bob", "FLASH.RESERVE drop ada", "FLASH.CONFIRM drop 9", "FLASH.REAP drop"] {
        let _: Value = run(other, refused);
    }
    let _: Value = run(redis, "MULTI");
    let _: Value = run(redis, "PING");
    let done: Value = run(redis, "EXEC");
    assert_ne!(done, Value::Nil, "a refusal does not touch a watched key");
    assert_eq!((digest(redis, "drop"), offset(redis)), (state, written));
}

#[test]
fn out_of_memory_nothing_new_is_taken_and_what_is_held_still_ends() {
    let server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.WARM drop 9 HOLD 60000", "[WARMED 1]");
    check(redis, "FLASH.RESERVE drop ada", "[RESERVED 2 * 8]");
    let _: Value = run(redis, "CONFIG SET maxmemory 1");
    for grows in ["FLASH.WARM other 9", "FLASH.RESERVE drop bob"] {
        let error = try_run::<Value>(redis, grows).expect_err("there is no memory");
        assert!(error.starts_with("OOM"), "{grows}: {error}");
    }
    check(redis, "FLASH.CONFIRM drop 2", "[CONFIRMED 2]");
}

#[test]
fn a_panic_is_an_error_reply_and_its_sale_takes_no_more_writes() {
    let server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.WARM drop 9", "[WARMED 1]");
    check(redis, "FLASH.WARM other 9", "[WARMED 1]");
    let error = try_run::<Value>(redis, "FLASH.PANIC drop").expect_err("it panics");
    assert!(error.contains("the command panicked"), "{error}");
    for write in ["FLASH.RESERVE drop ada", "FLASH.RESTOCK drop 5", "FLASH.CLOSE drop", "FLASH.REAP drop"] {
        let error = try_run::<Value>(redis, write).expect_err("the sale is in doubt");
        assert!(error.starts_with("POISONED "), "{write}: {error}");
    }
    assert_eq!(status(redis, "drop", "available"), 9, "it may still be looked at");
    check(redis, "FLASH.RESERVE other ada", "[RESERVED 2 nil 8]");
    let _: Value = run(redis, "DEBUG LOADAOF");
    check(redis, "FLASH.RESERVE drop ada", "[RESERVED 2 nil 8]");
}

#[test]
fn a_directory_with_a_sale_starts_again() {
    let dir = tempdir().expect("a directory");
    let mut first = start_in(dir.path(), &[]);
    check(&mut connect(&first), "FLASH.WARM drop 9", "[WARMED 1]");
    first.server.stop().expect("it stops");
    let second = start_in(dir.path(), &[]);
    check(&mut connect(&second), "FLASH.WARM drop 9", "[EXISTS 1]");
}
