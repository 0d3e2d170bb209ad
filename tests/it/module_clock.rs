//! The clock of Redis is set, forward and back. (The module that is built for tests has a setting by how much its clock
//! is off.)

use redis::{Connection, Value};

use crate::support::aof;
use crate::support::redis::{Server, check, digest, flat, follow, info_number, run};
use crate::support::wait;

const HOUR_MS: i64 = 60 * 60 * 1_000;
const YEAR_MS: i64 = 365 * 24 * HOUR_MS;

fn set_clock(redis: &mut Connection, offset_ms: i64) {
    check(redis, &format!("FLASH.OFFSET {offset_ms}"), "OK");
}

fn reap_until_expired(redis: &mut Connection, id: u64) {
    wait::until("the end of its hold", || {
        let _: Value = run(redis, "FLASH.REAP drop");
        flat(&run(redis, &format!("FLASH.STATUS drop ID {id}"))).contains("expired").then_some(())
    });
}

#[test]
fn a_hold_lasts_as_long_as_promised_after_the_clock_was_set_back_by_an_hour_and_by_a_year() {
    for back_ms in [HOUR_MS, YEAR_MS] {
        let server = Server::start();
        let redis = &mut server.connect();
        check(redis, "FLASH.WARM drop 3 HOLD 1500 JOURNAL 100", "[WARMED 1]");
        check(redis, "FLASH.RESERVE drop ada", "[RESERVED 2 * 2]");
        set_clock(redis, -back_ms);
        assert!(info_number(redis, "flash", "flash_clock_lead_ms") > 1_000, "an operator can see it");
        let ready = flat(&run(redis, "FLASH.READY"));
        assert!(ready.contains("drop"), "a relay is called, which reaps: {ready}");
        check(redis, "FLASH.RESERVE drop bob", "[RESERVED 3 * 1]");
        assert_eq!(info_number(redis, "flash", "flash_clock_steps_back"), 1);
        assert_eq!(info_number(redis, "flash", "flash_clock_lead_ms"), 0);
        reap_until_expired(redis, 2);
        reap_until_expired(redis, 3);
    }
}

#[test]
fn a_clock_that_jumps_by_a_year_and_returns_sells_no_unit_twice_and_new_holds_end() {
    let server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.WARM drop 1 HOLD 1000 JOURNAL 100", "[WARMED 1]");
    check(redis, "FLASH.RESERVE drop ada", "[RESERVED 2 * 0]");
    set_clock(redis, YEAR_MS);
    check(redis, "FLASH.RESERVE drop bob", "[RESERVED 4 * 0]");
    set_clock(redis, 0);
    check(redis, "FLASH.RESERVE drop eve", "[SOLD_OUT]");
    check(redis, "FLASH.CONFIRM drop 2", "[EXPIRED]");
    reap_until_expired(redis, 4);
    let reserved = flat(&run(redis, "FLASH.RESERVE drop eve"));
    assert!(reserved.starts_with("[RESERVED "), "{reserved}");
}

#[test]
fn replicas_and_the_append_only_file_step_back_with_the_primary() {
    let server = Server::start();
    let (redis, other) = (&mut server.connect(), Server::start());
    let copy = &mut other.connect();
    check(redis, "FLASH.WARM drop 9 HOLD 600000 JOURNAL 100", "[WARMED 1]");
    follow(copy, &server);
    set_clock(redis, YEAR_MS);
    check(redis, "FLASH.RESERVE drop ada", "[RESERVED 2 * 8]");
    set_clock(redis, -HOUR_MS);
    check(redis, "FLASH.RESERVE drop bob", "[RESERVED 3 * 7]");
    wait::until("the replica", || (digest(copy, "drop") == digest(redis, "drop")).then_some(()));
    let before = digest(redis, "drop");
    let _: Value = run(redis, "DEBUG LOADAOF");
    assert_eq!(digest(redis, "drop"), before);
    let steps = aof::names(server.redis.server.dir()).iter().filter(|name| *name == "FLASH.CLOCK").count();
    assert_eq!(steps, 1);
}

#[test]
fn a_rate_limit_grants_again_after_the_clock_was_set_back() {
    let server = Server::start();
    let redis = &mut server.connect();
    const CALL: &str = "FLASH.THROTTLE flash:throttle:any SLIDING 1 1000";
    set_clock(redis, YEAR_MS);
    assert!(flat(&run(redis, CALL)).starts_with("[1 "));
    set_clock(redis, 0);
    assert!(flat(&run(redis, CALL)).starts_with("[0 "), "what is in use stays in use");
    wait::until("a unit", || flat(&run(redis, CALL)).starts_with("[1 ").then_some(()));
    assert_eq!(info_number(redis, "flash", "flash_throttle_clock_steps_back"), 1);
    assert!(run::<i64>(redis, "PTTL flash:throttle:any") < 60_000, "it is not kept for a year");
}
