//! A sale whose Redis has forgotten it: fenced, rebuilt under the next epoch, and sold on.

use redis::Value;

use crate::support::redis::{
    Server, check, digest, follow, let_go_on, reservation_of_bob, run, status, try_run, try_run_args, wait_for_copy,
};
use crate::support::wait;

const ADA: &str =
    r#"{"id":7,"buyer":"ada","slot":0,"state":"confirmed","items":[{"sku":"default","quantity":1}],"request":"r"}"#;

#[test]
fn a_sale_is_rebuilt_under_the_next_epoch_and_sells_on() {
    let (primary, replica) = (Server::start(), Server::start());
    let (redis, copy) = (&mut primary.connect(), &mut replica.connect());
    follow(copy, &primary);
    check(redis, "FLASH.WARM drop 3 HOLD 120000 JOURNAL 100 EPOCH 2 AFTER 1000", "[WARMED 2]");
    check(redis, "FLASH.RESERVE drop eve", "[FENCED]");
    let bob = reservation_of_bob(redis);
    check(redis, &format!("FLASH.REBUILD drop 2 {ADA} {bob}"), "[REBUILT 2]");
    check(redis, &format!("FLASH.REBUILD drop 2 {ADA} {bob}"), "[REBUILT 0]");
    check(redis, "FLASH.CONFIRM drop 900", "[FENCED]");
    check(redis, "FLASH.REAP drop", "[REAPED 0]");
    check(redis, "FLASH.READY", "[READY * [[drop 2 1000 1001 0 1 *]]]");
    check(redis, "FLASH.UNFENCE drop 1 1001", "[FENCED]");
    check(redis, "FLASH.UNFENCE drop 2 1002", "[CONFLICT]");
    check(redis, "FLASH.UNFENCE drop 2 1001", "[CONFLICT]");
    assert_eq!(let_go_on(redis, "drop", 7, "2 1001"), "[UNFENCED 2 1001]");
    check(redis, "FLASH.RESERVE drop ada ID r", "[REPLAYED 7 nil confirmed]");
    check(redis, "FLASH.CONFIRM drop 900", "[CONFIRMED 900]");
    check(redis, "FLASH.RESERVE drop eve", "[RESERVED 1003 * 0]");
    check(redis, "FLASH.RESERVE drop joe", "[SOLD_OUT]");
    check(redis, &format!("FLASH.REBUILD drop 2 {ADA}"), "[FENCED]");
    assert_eq!((status(redis, "drop", "confirmed"), status(redis, "drop", "held")), (2, 1));
    wait_for_copy(copy, redis, "drop");
    let before = digest(redis, "drop");
    for reload in ["DEBUG LOADAOF", "DEBUG RELOAD"] {
        let _: Value = run(redis, reload);
        assert_eq!(digest(redis, "drop"), before, "{reload}");
    }
}

#[test]
fn a_fence_outlives_a_restart_and_is_replicated() {
    let (mut primary, replica) = (Server::start(), Server::start());
    let copy = &mut replica.connect();
    let redis = &mut primary.connect();
    follow(copy, &primary);
    check(redis, "FLASH.WARM drop 3", "[WARMED 1]");
    check(redis, "FLASH.FENCE drop", "[FENCED 1 1 *]");
    check(redis, "FLASH.FENCE drop", "[FENCED 1 1 *]");
    wait::until("the replica", || {
        let status: Value = try_run(copy, "FLASH.STATUS drop").ok()?;
        format!("{status:?}").contains("fenced").then_some(())
    });
    primary.redis.server.kill().expect("ours to kill");
    primary.redis.server.restart().expect("Redis starts again");
    let redis = &mut primary.connect();
    check(redis, "FLASH.RESERVE drop ada", "[FENCED]");
    check(redis, "FLASH.RESTOCK drop 1", "[FENCED]");
    check(redis, "FLASH.UNFENCE drop 1 1", "[UNFENCED 1 1]");
    check(redis, "FLASH.RESERVE drop ada", "[RESERVED 2 nil 2]");
}

#[test]
fn a_reservation_that_does_not_fit_is_refused_with_the_whole_batch() {
    let server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.WARM drop 3 EPOCH 2 AFTER 1000", "[WARMED 2]");
    let before = digest(redis, "drop");
    for (from, to) in [("\"id\":7", "\"id\":1001"), ("\"quantity\":1", "\"quantity\":3"), ("confirmed", "held")] {
        let wrong = ADA.replace(from, to).replace("ada", "eve").replace("\"id\":7", "\"id\":8");
        check(redis, &format!("FLASH.REBUILD drop 2 {ADA} {wrong}"), "[CONFLICT]");
        assert_eq!(digest(redis, "drop"), before, "{wrong}");
    }
    let unknown = ADA.replace("default", "blue");
    let rows: [(&[&[u8]], &str); 5] = [
        (&[b"FLASH.REBUILD", b"drop", b"2", unknown.as_bytes()], "INVALID SKU must be one of the sale's"),
        (&[b"FLASH.REBUILD", b"drop", b"2"], "ERR wrong number of arguments for 'FLASH.REBUILD' command"),
        (&[b"FLASH.UNFENCE", b"drop", b"2", b"x"], "INVALID seq must be a whole number, 0 to 1099511627775"),
        (&[b"FLASH.UNFENCE", b"drop", b"0", b"1"], "INVALID epoch must be 1 to 9223372036854775807"),
        (&[b"FLASH.FENCE", b"drop", b"now"], "INVALID option must be one of TERM"),
    ];
    for (args, want) in rows {
        assert_eq!(try_run_args::<Value>(redis, args).expect_err("bad input"), want);
        assert_eq!(digest(redis, "drop"), before, "{want}");
    }
    let error = try_run::<Value>(redis, "FLASH.REBUILD drop 2 {}").expect_err("bad input");
    assert!(error.starts_with("INVALID reservation must be the JSON of one: missing field `id`"), "{error}");
}
