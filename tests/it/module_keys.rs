//! What Redis may do to any key, done to a sale: it stays whole, or is gone, and READY knows.

use redis::{Connection, Value};

use crate::support::redis::{Server, check, digest, info_number, let_go_on, run};
use crate::support::wait;

const READY_DROP: &str = "[READY * [[drop 1 0 2 0 0 *]]]";

/// A server with the sale `drop` in it, which has two events for a relay.
fn selling() -> (Server, Connection) {
    let server = Server::start();
    let mut redis = server.connect();
    check(&mut redis, "FLASH.WARM drop 9 JOURNAL 9", "[WARMED 1]");
    check(&mut redis, "FLASH.RESERVE drop ada", "[RESERVED 2 nil 8]");
    check(&mut redis, "FLASH.READY", READY_DROP);
    (server, redis)
}

/// Runs commands one after the other and then asks READY, in the database that they have selected last.
fn check_ready_after(commands: &[&str], want: &str) {
    let (_server, mut redis) = selling();
    for command in commands {
        let _: Value = run(&mut redis, command);
    }
    check(&mut redis, "FLASH.READY", want);
}

#[test]
fn ready_is_right_after_whatever_may_happen_to_a_key() {
    const NONE: &str = "[READY * []]";
    // Fenced, for it came without a command of ours.
    const MOVED: &str = "[READY * [[drop 1 0 2 0 1 *]]]";
    check_ready_after(&["FLUSHALL SYNC"], NONE);
    check_ready_after(&["FLUSHALL ASYNC"], NONE);
    check_ready_after(&["FLUSHDB SYNC"], NONE);
    check_ready_after(&["FLUSHDB ASYNC"], NONE);
    check_ready_after(&["SELECT 1", "FLUSHDB", "SELECT 0"], READY_DROP);
    check_ready_after(&["DEL drop"], NONE);
    check_ready_after(&["UNLINK drop"], NONE);
    check_ready_after(&["SET drop string"], NONE);
    check_ready_after(&["RENAME drop other"], NONE);
    check_ready_after(&["RENAME drop other", "RENAME other drop"], MOVED);
    check_ready_after(&["FLASH.WARM old 9 JOURNAL 9", "RENAME drop old"], NONE);
    check_ready_after(&["COPY drop other"], READY_DROP);
    check_ready_after(&["COPY drop other", "DEL drop"], NONE);
    check_ready_after(&["COPY drop drop DB 3", "SELECT 3"], MOVED);
    // If any module listens to key events, Valkey 8.1 leaves the client in the other database (valkey#4024).
    check_ready_after(&["MOVE drop 1", "SELECT 0"], NONE);
    check_ready_after(&["MOVE drop 1", "SELECT 1"], MOVED);
    check_ready_after(&["SWAPDB 0 1"], NONE);
    check_ready_after(&["SWAPDB 0 1", "SELECT 1"], READY_DROP);
    check_ready_after(&["SWAPDB 0 1", "SWAPDB 1 2", "SELECT 2"], READY_DROP);
    check_ready_after(&["DEBUG RELOAD"], READY_DROP);
    check_ready_after(&["DEBUG LOADAOF"], READY_DROP);
    check_ready_after(&["PEXPIRE drop 600000", "PERSIST drop"], READY_DROP);
}

#[test]
fn a_sale_moved_about_is_whole_where_it_is() {
    let (_server, mut redis) = selling();
    let redis = &mut redis;
    check(redis, "FLASH.ACK drop 1 2", "[ACKED 2]");
    check(redis, "FLASH.FENCE drop", "[FENCED 1 2 *]");
    let before = digest(redis, "drop");
    for command in ["RENAME drop a", "MOVE a 1", "SELECT 1", "SWAPDB 1 2", "SELECT 2", "COPY a b", "DEL a"] {
        let _: Value = run(redis, command);
    }
    assert_eq!(digest(redis, "b"), before);
    let _: Value = run(redis, "RENAME b drop");
    assert_eq!(let_go_on(redis, "drop", 1, "1 2"), "[UNFENCED 1 2]");
    check(redis, "FLASH.RESERVE drop ada", "[REPLAYED 2 nil confirmed]");
    check(redis, "FLASH.RESERVE drop bob", "[RESERVED 3 nil 7]");
    check(redis, "FLASH.ACK drop 1 3", "[ACKED 3]");
    check(redis, "FLASH.READY", "[READY * []]");
}

#[test]
fn a_copy_is_a_sale_of_its_own() {
    let (_server, mut redis) = selling();
    let redis = &mut redis;
    let _: Value = run(redis, "COPY drop copy");
    check(redis, "FLASH.RESERVE copy bob", "[FENCED]");
    check(redis, "FLASH.RESERVE drop eve", "[RESERVED 3 nil 7]");
    check(redis, "FLASH.STATUS copy BUYER eve", "[buyer eve units 0 reservations []]");
    check(redis, "FLASH.ACK copy 1 2", "[ACKED 2]");
    check(redis, "FLASH.READY", "[READY * [[drop 1 0 3 0 0 *]]]");
}

#[test]
fn a_sale_that_expires_as_a_key_is_gone_and_may_be_warmed_again() {
    let (_server, mut redis) = selling();
    let redis = &mut redis;
    let _: Value = run(redis, "PEXPIRE drop 1");
    wait::until("the key's end", || {
        let keys: i64 = run(redis, "EXISTS drop");
        (keys == 0).then_some(())
    });
    check(redis, "FLASH.READY", "[READY * []]");
    check(redis, "FLASH.RESERVE drop ada", "[NOT_WARMED]");
    assert_eq!(info_number(redis, "stats", "expired_keys"), 1);
    check(redis, "FLASH.WARM drop 5 EPOCH 2", "[WARMED 2]");
    check(redis, "FLASH.RESERVE drop ada", "[RESERVED 2 nil 4]");
}
