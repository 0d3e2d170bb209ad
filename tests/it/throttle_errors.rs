//! Bad input to FLASH.THROTTLE: an error that names the field and its limit, and nothing changed.

use redis::{Connection, Value};

use crate::support::redis::{Server, check as check_reply, digest, run, try_run_args};

fn check(redis: &mut Connection, args: &[&[u8]], want: &str) {
    let shown: Vec<String> =
        args.iter().map(|arg| String::from_utf8_lossy(&arg[..arg.len().min(40)]).into_owned()).collect();
    let shown = shown.join(" ");
    let before = (digest(redis, "limit"), run::<i64>(redis, "DBSIZE"));
    match try_run_args::<Value>(redis, args) {
        Ok(reply) => panic!("{shown} was taken: {reply:?}"),
        Err(error) => assert_eq!(error, want, "{shown}"),
    }
    assert_eq!((digest(redis, "limit"), run::<i64>(redis, "DBSIZE")), before, "{shown} changed something");
}

fn check_words(redis: &mut Connection, words: &str, want: &str) {
    check(redis, &words.split(' ').map(str::as_bytes).collect::<Vec<_>>(), want);
}

fn limiting() -> (Server, Connection) {
    let server = Server::start();
    let mut redis = server.connect();
    check_reply(&mut redis, "FLASH.THROTTLE limit STRICT 10 2592000000 COST 3", "[1 10 7 nil *]");
    let _: Value = run(&mut redis, "FLASH.WARM sale 9");
    let _: Value = run(&mut redis, "SET string x");
    (server, redis)
}

#[test]
fn every_bad_argument_is_named_with_its_limit() {
    let (_server, redis) = limiting();
    let redis = &mut { redis };
    let units = "must be a whole number, 1 to 1000000000";
    let ms = "must be a whole number, 1 to 2592000000";
    let offset = "INVALID offset must be a whole number, -720 to 840";
    for (words, want) in [
        ("LEAKY 10 1000", "INVALID strategy must be one of BUCKET, BURST, STRICT, SLIDING, DAILY"),
        ("BUCKET 0 1000 10", "INVALID rate must be 1 to 1000000000"),
        ("BUCKET -1 1000 10", &format!("INVALID rate {units}")),
        ("BUCKET 1.5 1000 10", &format!("INVALID rate {units}")),
        ("BUCKET 1000000001 1000 10", "INVALID rate must be 1 to 1000000000"),
        ("BUCKET 18446744073709551616 1000 10", &format!("INVALID rate {units}")),
        ("BUCKET 10 0 10", "INVALID period must be 1 to 2592000000"),
        ("BUCKET 10 x 10", &format!("INVALID period {ms}")),
        ("BUCKET 10 2592000001 10", "INVALID period must be 1 to 2592000000"),
        ("BUCKET 10 1000 0", "INVALID burst must be 1 to 1000000000"),
        ("BUCKET 6000 1000 5", "INVALID burst must be at least 6, which is the rate for a millisecond"),
        ("BURST 0 1000 5 60000", "INVALID limit must be 1 to 1000000000"),
        ("BURST 10 0 5 60000", "INVALID window must be 1 to 2592000000"),
        ("BURST 10 1000 0 60000", "INVALID extra must be 1 to 1000000000"),
        ("BURST 10 1000 5 0", "INVALID period must be 1 to 2592000000"),
        ("BURST 10 1000 5 999", "INVALID period must be at least as long as the window"),
        ("STRICT 0 1000", "INVALID limit must be 1 to 1000000000"),
        ("STRICT 10 -1000", &format!("INVALID window {ms}")),
        ("STRICT 10 9223372036854775808", "INVALID window must be 1 to 2592000000"),
        ("SLIDING many 1000", &format!("INVALID limit {units}")),
        ("SLIDING 65537 65537", "INVALID limit must be at most 65536 where a sliding window is longer than 65536 ms"),
        ("DAILY 0 0", "INVALID limit must be 1 to 1000000000"),
        ("DAILY 10 -721", offset),
        ("DAILY 10 841", offset),
        ("DAILY 10 +-1", offset),
        ("DAILY 10 Z", offset),
        ("STRICT 10 1000 COST 11", "INVALID cost must be 0 to 10"),
        ("BURST 10 1000 5 60000 COST 16", "INVALID cost must be 0 to 15"),
        ("STRICT 10 1000 COST -1", "INVALID cost must be a whole number, 0 to 10"),
        ("STRICT 10 1000 COST 1 COST 1", "INVALID cost must be given once"),
        ("STRICT 10 1000 5", "INVALID option must be one of COST"),
        ("STRICT 10 1000 QUANTITY 5", "INVALID option must be one of COST"),
    ] {
        check_words(redis, &format!("FLASH.THROTTLE limit {words}"), want);
        check_words(redis, &format!("FLASH.THROTTLE new {words}"), want);
    }
}

#[test]
fn every_strategy_wants_its_own_number_of_arguments() {
    let (_server, redis) = limiting();
    let redis = &mut { redis };
    let want = "ERR wrong number of arguments for 'FLASH.THROTTLE' command";
    for words in [
        "FLASH.THROTTLE",
        "FLASH.THROTTLE limit",
        "FLASH.THROTTLE limit STRICT",
        "FLASH.THROTTLE limit BUCKET 10 1000",
        "FLASH.THROTTLE limit BURST 10 1000 5",
        "FLASH.THROTTLE limit SLIDING 10",
        "FLASH.THROTTLE limit DAILY 10",
        "FLASH.THROTTLE limit STRICT 10 1000 COST",
    ] {
        check_words(redis, words, want);
    }
}

#[test]
fn bytes_that_are_no_numbers_are_refused() {
    let (_server, redis) = limiting();
    let redis = &mut { redis };
    let long = vec![b'9'; 1 << 20];
    for bytes in [&b""[..], b"\xff\xfe", b"1\0", b" 1", b"1\n", b"0x10", "\u{661}".as_bytes(), &long] {
        let limit = "INVALID limit must be a whole number, 1 to 1000000000";
        check(redis, &[b"FLASH.THROTTLE", b"limit", b"STRICT", bytes, b"1000"], limit);
        let window = "INVALID window must be a whole number, 1 to 2592000000";
        check(redis, &[b"FLASH.THROTTLE", b"limit", b"STRICT", b"10", bytes], window);
        let offset = "INVALID offset must be a whole number, -720 to 840";
        check(redis, &[b"FLASH.THROTTLE", b"limit", b"DAILY", b"10", bytes], offset);
        let cost = "INVALID cost must be a whole number, 0 to 10";
        check(redis, &[b"FLASH.THROTTLE", b"limit", b"STRICT", b"10", b"1000", b"COST", bytes], cost);
        let strategy = "INVALID strategy must be one of BUCKET, BURST, STRICT, SLIDING, DAILY";
        check(redis, &[b"FLASH.THROTTLE", b"limit", bytes, b"10", b"1000"], strategy);
    }
}

#[test]
fn a_key_of_another_type_is_refused() {
    let (_server, redis) = limiting();
    let redis = &mut { redis };
    let want = "WRONGTYPE Operation against a key holding the wrong kind of value";
    for words in [
        "FLASH.THROTTLE string STRICT 10 1000",
        "FLASH.THROTTLE sale STRICT 10 1000",
        "FLASH.THROTTLE sale STRICT 10 1000 COST 0",
        "FLASH.RESERVE limit ada",
        "FLASH.WARM limit 5",
        "FLASH.STATUS limit",
        "INCR limit",
    ] {
        check_words(redis, words, want);
    }
}

#[test]
fn what_only_the_server_sends_is_refused_from_clients() {
    let (_server, redis) = limiting();
    let redis = &mut { redis };
    let want = "ERR this command comes only from a primary or an AOF, never from a client";
    for words in ["FLASH.THROTTLE.APPLY limit x", "FLASH.THROTTLE.LOAD limit x", "FLASH.LOAD limit x"] {
        check_words(redis, words, want);
    }
}
