//! Bad input: a clear error, and nothing changed.

use redis::{Connection, Value};

use crate::support::redis::{Server, digest, run, try_run_args};

fn check(redis: &mut Connection, args: &[&[u8]], want: &str) {
    let shown: Vec<String> =
        args.iter().map(|arg| String::from_utf8_lossy(&arg[..arg.len().min(40)]).into_owned()).collect();
    let shown = shown.join(" ");
    let before = digest(redis, "drop");
    match try_run_args::<Value>(redis, args) {
        Ok(reply) => panic!("{shown} was taken: {reply:?}"),
        Err(error) => assert_eq!(error, want, "{shown}"),
    }
    assert_eq!(digest(redis, "drop"), before, "{shown} changed the sale");
}

fn check_words(redis: &mut Connection, words: &str, want: &str) {
    check(redis, &words.split(' ').map(str::as_bytes).collect::<Vec<_>>(), want);
}

fn warmed() -> (Server, Connection) {
    let server = Server::start();
    let mut redis = server.connect();
    let _: Value = run(&mut redis, "FLASH.WARM drop 9 HOLD 60000 JOURNAL 100");
    let _: Value = run(&mut redis, "FLASH.RESERVE drop ada");
    let _: Value = run(&mut redis, "SET string x");
    (server, redis)
}

#[test]
fn every_command_wants_its_own_number_of_arguments() {
    let (_server, redis) = warmed();
    let redis = &mut { redis };
    for command in
        ["WARM", "RESERVE", "CONFIRM", "RELEASE", "STATUS", "REAP", "PULL", "ACK", "RESTOCK", "OPEN", "CLOSE"]
    {
        let want = format!("ERR wrong number of arguments for 'FLASH.{command}' command");
        check_words(redis, &format!("FLASH.{command}"), &want);
    }
    check_words(redis, "FLASH.WARM drop", "ERR wrong number of arguments for 'FLASH.WARM' command");
    check_words(redis, "FLASH.RESERVE drop", "ERR wrong number of arguments for 'FLASH.RESERVE' command");
    check_words(redis, "FLASH.RESERVE drop bob QTY", "ERR wrong number of arguments for 'FLASH.RESERVE' command");
    check_words(redis, "FLASH.CONFIRM drop 2 3", "ERR wrong number of arguments for 'FLASH.CONFIRM' command");
    check_words(redis, "FLASH.OPEN drop now", "ERR wrong number of arguments for 'FLASH.OPEN' command");
    check_words(redis, "FLASH.ACK drop 1", "ERR wrong number of arguments for 'FLASH.ACK' command");
}

#[test]
fn every_bad_argument_is_named_with_its_limit() {
    let (_server, redis) = warmed();
    let redis = &mut { redis };
    let rows = [
        ("FLASH.RESERVE drop bob QTY 0", "INVALID quantity must be 1 to 1000000000"),
        ("FLASH.RESERVE drop bob QTY -1", "INVALID quantity must be a whole number, 1 to 1000000000"),
        ("FLASH.RESERVE drop bob QTY 1.5", "INVALID quantity must be a whole number, 1 to 1000000000"),
        ("FLASH.RESERVE drop bob QTY 99999999999999999999", "INVALID quantity must be a whole number, 1 to 1000000000"),
        ("FLASH.RESERVE drop bob QTY 1 QTY 1", "INVALID quantity must be given once"),
        ("FLASH.RESERVE drop bob SKU blue 1", "INVALID SKU must be one of the sale's"),
        ("FLASH.RESERVE drop bob SKU default 1 QTY 1", "INVALID quantity must not stand beside SKU"),
        ("FLASH.RESERVE drop bob COLOUR blue", "INVALID option must be one of QTY, SKU, ID, DATA"),
        ("FLASH.WARM new 0", "INVALID total must be 1 to 1000000000"),
        ("FLASH.WARM new many", "INVALID total must be a whole number, 1 to 1000000000"),
        ("FLASH.WARM new 5 LIMIT 0", "INVALID limit must be 1 to 1000000000"),
        ("FLASH.WARM new 5 HOLD 2592000001", "INVALID hold must be 1 to 2592000000"),
        ("FLASH.WARM new 5 OPENS 2 CLOSES 2", "INVALID closes must be later than opens"),
        ("FLASH.WARM new SKU a 1 SKU a 1", "INVALID SKU must not name the same SKU twice"),
        ("FLASH.WARM drop 10", "ERR the sale exists under other terms; nothing was changed. FLASH.STATUS shows them"),
        ("FLASH.CONFIRM drop 0", "INVALID id must be 1 to 1099511627775"),
        ("FLASH.RELEASE drop x", "INVALID id must be a whole number, 1 to 1099511627775"),
        ("FLASH.RESTOCK drop 0", "INVALID delta must be a whole number, -1000000000 to 1000000000, and not 0"),
        ("FLASH.RESTOCK drop many", "INVALID delta must be a whole number, -1000000000 to 1000000000, and not 0"),
        (
            "FLASH.RESTOCK drop -1000000001",
            "INVALID delta must be a whole number, -1000000000 to 1000000000, and not 0",
        ),
        ("FLASH.RESTOCK drop 1000000000", "INVALID total must be 0 to 1000000000"),
        ("FLASH.RESTOCK drop SKU blue 1", "INVALID SKU must be one of the sale's"),
        ("FLASH.STATUS drop WHO ada", "INVALID option must be one of BUYER, ID"),
        ("FLASH.REAP drop COUNT 1001", "INVALID count must be 1 to 1000"),
        ("FLASH.READY COUNT 0", "INVALID count must be 1 to 1000"),
        ("FLASH.PULL drop me WITHIN 5", "INVALID option must be one of LEASE (required, behind the relay)"),
        ("FLASH.PULL drop me LEASE 60001", "INVALID lease must be 1 to 60000"),
        ("FLASH.ACK drop 0 1", "INVALID epoch must be 1 to 9223372036854775807"),
        ("FLASH.APPLY drop x", "ERR this command comes only from a primary or an AOF, never from a client"),
        ("FLASH.LOAD drop x", "ERR this command comes only from a primary or an AOF, never from a client"),
    ];
    for (words, want) in rows {
        check_words(redis, words, want);
    }
}

#[test]
fn bytes_that_are_no_names_are_refused() {
    let (_server, redis) = warmed();
    let redis = &mut { redis };
    let long = vec![b'a'; 1 << 20];
    let rows: [(&[u8], &str); 5] = [
        (b"", "INVALID buyer must be 1 to 128 bytes"),
        (&long, "INVALID buyer must be 1 to 128 bytes"),
        (b"\xff\xfe", "INVALID buyer must be UTF-8"),
        (b"a\0b", "INVALID buyer must not contain control characters"),
        (b"a\nb", "INVALID buyer must not contain control characters"),
    ];
    for (buyer, want) in rows {
        check(redis, &[b"FLASH.RESERVE", b"drop", buyer], want);
        check(redis, &[b"FLASH.STATUS", b"drop", b"BUYER", buyer], want);
    }
    check(redis, &[b"FLASH.RESERVE", b"drop", b"bob", b"ID", &long], "INVALID id must be 1 to 128 bytes");
    check(redis, &[b"FLASH.RESERVE", b"drop", b"bob", b"DATA", &long], "INVALID data must be at most 16384 bytes");
    check(redis, &[b"FLASH.RESERVE", b"drop", b"bob", b"DATA", b"\xff"], "INVALID data must be UTF-8");
    check(redis, &[b"FLASH.WARM", b"new", b"SKU", b"\xff", b"1"], "INVALID SKU must be UTF-8");
}

#[test]
fn a_key_of_another_type_is_refused() {
    let (_server, redis) = warmed();
    let redis = &mut { redis };
    let want = "WRONGTYPE Operation against a key holding the wrong kind of value";
    for command in [
        "FLASH.WARM string 5",
        "FLASH.RESERVE string bob",
        "FLASH.CONFIRM string 2",
        "FLASH.RELEASE string 2",
        "FLASH.STATUS string",
        "FLASH.REAP string",
        "FLASH.RESTOCK string 5",
        "FLASH.OPEN string",
        "FLASH.CLOSE string",
        "FLASH.PULL string me LEASE 5",
        "FLASH.ACK string 1 1",
    ] {
        check_words(redis, command, want);
    }
}

#[test]
fn a_damaged_dump_is_refused_and_the_server_lives() {
    let (_server, redis) = warmed();
    let redis = &mut { redis };
    let dump: Vec<u8> = run(redis, "DUMP drop");
    for length in [0, 1, 5, dump.len() / 2, dump.len() - 1] {
        check(redis, &[b"RESTORE", b"new", b"0", &dump[..length]], "ERR DUMP payload version or checksum are wrong");
    }
    let restored: String = try_run_args(redis, &[b"RESTORE", b"copy", b"0", &dump]).expect("whole");
    assert_eq!((restored.as_str(), digest(redis, "copy")), ("OK", digest(redis, "drop")));
}
