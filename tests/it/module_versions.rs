//! What an older release saved still loads. Each folder of `fixtures/` was written by `examples/fixtures.rs` with one
//! release: the same three sales as an RDB file, as DUMP payloads, as events in an AOF, and as a rewritten AOF.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use redis::{Connection, Value};
use tempfile::tempdir;

use crate::support::redis::{Server, check, connect, digest, flat, run, start_in, status, try_run_args};
use crate::support::saved;

const SALES: [&str; 3] = ["drop", "plain", "empty"];

/// What is left to check once a server has loaded its sales from a file.
fn check_loaded(redis: &mut Connection, from: &str) -> [String; 3] {
    let digests = SALES.map(|sale| digest(redis, sale));
    for (sale, total, available, held, confirmed) in
        [("drop", 342, 334, 5, 3), ("plain", 1_000, 990, 0, 10), ("empty", 1_000_000_000, 1_000_000_000, 0, 0)]
    {
        for (field, want) in [("total", total), ("available", available), ("held", held), ("confirmed", confirmed)] {
            assert_eq!(status(redis, sale, field), want, "{from}: {sale} {field}");
        }
    }
    check(redis, "FLASH.READY", "[READY * [[* * * * * * *] [* * * * * * *]]]");
    check_journal(redis, from);
    check_reservations(redis);
    digests
}

/// 21 events, of which 6 are acknowledged.
fn check_journal(redis: &mut Connection, from: &str) {
    let reply: Vec<Value> = run(redis, "FLASH.PULL drop relay LEASE 1");
    let Value::Array(events) = &reply[4] else { panic!("{reply:?}") };
    let seqs: Vec<u64> = events
        .iter()
        .map(|event| {
            let Value::BulkString(bytes) = event else { panic!("{event:?}") };
            let event = flash_wire::Event::decode(bytes).unwrap_or_else(|error| panic!("{from}: {error}"));
            assert_eq!(event.epoch, 7);
            event.seq
        })
        .collect();
    assert_eq!(seqs, (7..=21).collect::<Vec<_>>(), "{from}");
}

/// Every kind of reservation is remembered for what it is, and the sale goes on.
fn check_reservations(redis: &mut Connection) {
    let long = "b".repeat(128);
    for (buyer, first) in [("ada", 6), ("ädä-✓", 11), (&long, 16)] {
        let other = first + 2;
        check(redis, &format!("FLASH.CONFIRM drop {first}"), &format!("[REPLAYED {first} * confirmed]"));
        check(redis, &format!("FLASH.RELEASE drop {other}"), &format!("[REPLAYED {other} * released]"));
        let again = format!("FLASH.RESERVE drop {buyer} SKU small 1 ID first");
        check(redis, &again, &format!("[REPLAYED {first} * confirmed]"));
    }
    // The first of those commands has met the holds, which ended when the fixture was made.
    check(redis, "FLASH.REAP drop", "[REAPED 0]");
    for (id, buyer, request) in [(2, "early-0", "nil"), (3, "early-1", "e-1"), (9, "ada", "third")] {
        let reply: Value = run(redis, &format!("FLASH.STATUS drop ID {id}"));
        let want = format!("state expired buyer {buyer} slot");
        assert!(flat(&reply).contains(&want) && flat(&reply).contains(request), "{reply:?}");
    }
    assert_eq!(status(redis, "drop", "held"), 0);
    check(redis, "FLASH.RESERVE drop new SKU vip 2", "[RESERVED 23 * 337]");
    check(redis, "FLASH.RESERVE plain buyer-3", "[REPLAYED 5 nil confirmed]");
    check(redis, "FLASH.RESERVE plain new", "[RESERVED 12 nil 989]");
    check(redis, "FLASH.RESERVE empty new QTY 3", "[RESERVED 2 * 999999997]");
}

/// Starts a server on a directory in which `file` of the fixture lies under the name `name`.
fn loaded(fixture: &Path, file: &str, name: &str, args: &[&str]) -> [String; 3] {
    let dir = tempdir().expect("a directory");
    fs::copy(fixture.join(file), dir.path().join(name)).expect("it can be copied");
    let redis = start_in(dir.path(), args);
    check_loaded(&mut connect(&redis), file)
}

fn restored(fixture: &Path) -> [String; 3] {
    let server = Server::start();
    let redis = &mut server.connect();
    for sale in SALES {
        let dump = fs::read(fixture.join(format!("{sale}.dump"))).expect("it is there");
        let _: Value = try_run_args(redis, &[b"RESTORE", sale.as_bytes(), b"0", &dump]).expect("it loads");
    }
    check_loaded(redis, "RESTORE")
}

#[test]
fn what_an_older_release_saved_loads_from_every_form() {
    for fixture in saved::versions() {
        // Events know what came with each request, and older snapshots do not: alone these may be another state.
        loaded(&fixture, "events.aof", "appendonly.aof", &[]);
        let states = BTreeSet::from([
            loaded(&fixture, "dump.rdb", "dump.rdb", &["--appendonly", "no"]),
            loaded(&fixture, "rewritten.aof", "appendonly.aof", &[]),
            restored(&fixture),
        ]);
        assert_eq!(states.len(), 1, "{}: {states:?}", fixture.display());
    }
}
