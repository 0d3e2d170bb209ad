//! Bad input: a clear error, and nothing changed.

use redis::{Connection, Value};

use crate::support::redis::{Server, digest, run, try_run_args};

/// A number in a command: at `#`, its name in errors, and its bounds.
const NUMBERS: [(&str, &str, u64, u64); 43] = [
    ("FLASH.WARM new #", "total", 1, 1_000_000_000),
    ("FLASH.WARM new SKU a #", "total", 1, 1_000_000_000),
    ("FLASH.WARM new SKU a 5 SKU b #", "total", 1, 1_000_000_000),
    ("FLASH.WARM new 5 LIMIT #", "limit", 1, 1_000_000_000),
    ("FLASH.WARM new 5 HOLD #", "hold", 1, 2_592_000_000),
    ("FLASH.WARM new 5 OPENS #", "opens", 1, 253_402_300_799_999),
    ("FLASH.WARM new 5 CLOSES #", "closes", 1, 253_402_300_799_999),
    ("FLASH.WARM new 5 JOURNAL #", "journal", 1, 1_000_000_000),
    ("FLASH.WARM new 5 EPOCH #", "epoch", 1, EPOCH_MAX),
    ("FLASH.WARM new 5 EPOCH 2 AFTER #", "after", 1, SEQ_MAX - 1),
    ("FLASH.RESERVE drop bob QTY #", "quantity", 1, 1_000_000_000),
    ("FLASH.RESERVE drop bob SKU default #", "quantity", 1, 1_000_000_000),
    ("FLASH.RESERVE drop bob SKU default 1 SKU default #", "quantity", 1, 1_000_000_000),
    ("FLASH.CONFIRM drop #", "id", 1, SEQ_MAX),
    ("FLASH.RELEASE drop #", "id", 1, SEQ_MAX),
    ("FLASH.STATUS drop ID #", "id", 1, SEQ_MAX),
    ("FLASH.REAP drop COUNT #", "count", 1, 1_000),
    ("FLASH.READY COUNT #", "count", 1, 1_000),
    ("FLASH.PULL drop me LEASE #", "lease", 0, 60_000),
    ("FLASH.PULL drop me LEASE 5 AFTER #", "after", 0, SEQ_MAX),
    ("FLASH.PULL drop me LEASE 5 COUNT #", "count", 1, 1_000),
    ("FLASH.ACK drop # 1", "epoch", 1, EPOCH_MAX),
    ("FLASH.ACK drop 1 #", "seq", 0, SEQ_MAX),
    ("FLASH.UNFENCE drop # 1", "epoch", 1, EPOCH_MAX),
    ("FLASH.UNFENCE drop 1 #", "seq", 0, SEQ_MAX),
    ("FLASH.REBUILD drop # {}", "epoch", 1, EPOCH_MAX),
    ("FLASH.FENCE drop TERM #", "term", 1, EPOCH_MAX),
    ("FLASH.ACTIVE drop AFTER #", "after", 0, SEQ_MAX),
    ("FLASH.ACTIVE drop COUNT #", "count", 1, 1_000),
    ("FLASH.UNFENCE drop 1 1 TERM # INSTANCE 1", "term", 1, EPOCH_MAX),
    ("FLASH.UNFENCE drop 1 1 TERM 1 INSTANCE #", "instance", 1, INSTANCE_MAX),
    ("FLASH.UNFENCE drop 1 1 RESERVATIONS #", "reservations", 0, SEQ_MAX),
    ("FLASH.UNFENCE drop 1 1 RESERVATIONS 1 DIGEST #", "digest", 0, EPOCH_MAX),
    ("FLASH.UNFENCE drop 1 1 RESERVATIONS 1 DIGEST 1 CLOSED #", "closed", 0, 1),
    ("FLASH.WARM new 5 TERM 1 INSTANCE 1 TOTALS #", "total", 0, 1_000_000_000),
    ("FLASH.WARM new 5 FORGOTTEN #", "forgotten", 1, SEQ_MAX),
    // The same, told apart from what else the command may take.
    ("flash.warm new sku a 5 limit #", "limit", 1, 1_000_000_000),
    ("FLASH.WARM drop #", "total", 1, 1_000_000_000),
    ("FLASH.RESERVE string bob QTY #", "quantity", 1, 1_000_000_000),
    ("FLASH.RESERVE nothing bob QTY #", "quantity", 1, 1_000_000_000),
    ("FLASH.CONFIRM nothing #", "id", 1, SEQ_MAX),
    ("FLASH.REAP nothing COUNT #", "count", 1, 1_000),
    ("FLASH.ACK nothing 1 #", "seq", 0, SEQ_MAX),
];
const SEQ_MAX: u64 = 1_099_511_627_775;
const EPOCH_MAX: u64 = 9_223_372_036_854_775_807;
const INSTANCE_MAX: u64 = 1 << 62;

/// A name in a command: at `#`, its name in errors, and its maximum length.
const NAMES: [(&str, &str, usize); 8] = [
    ("FLASH.WARM new SKU # 5", "SKU", 64),
    ("FLASH.RESERVE drop #", "buyer", 128),
    ("FLASH.RESERVE drop bob SKU # 1", "SKU", 64),
    ("FLASH.RESERVE drop bob ID #", "id", 128),
    ("FLASH.STATUS drop BUYER #", "buyer", 128),
    ("FLASH.RESTOCK drop SKU # 1", "SKU", 64),
    ("FLASH.PULL drop # LEASE 5", "relay", 64),
    ("FLASH.RESERVE nothing #", "buyer", 128),
];

/// What only a whole command shows to be wrong.
const WHOLE: [(&str, &str); 38] = [
    ("FLASH.WARM drop 10", "ERR the sale exists under other terms; nothing was changed. FLASH.STATUS shows them"),
    ("FLASH.WARM new 5 OPENS 2 CLOSES 2", "INVALID closes must be later than opens"),
    ("FLASH.WARM new SKU a 1 SKU a 1", "INVALID SKU must not name the same SKU twice"),
    ("FLASH.WARM new LIMIT 5", "INVALID total must be a whole number, 1 to 1000000000"),
    ("FLASH.WARM new 5 LIMIT 1 LIMIT 1", "INVALID limit must be given once"),
    ("FLASH.WARM new 5 HOLD 1 HOLD 1", "INVALID hold must be given once"),
    ("FLASH.WARM new 5 OPENS 1 OPENS 1", "INVALID opens must be given once"),
    ("FLASH.WARM new 5 CLOSES 1 CLOSES 1", "INVALID closes must be given once"),
    ("FLASH.WARM new 5 JOURNAL 1 JOURNAL 1", "INVALID journal must be given once"),
    ("FLASH.WARM new 5 EPOCH 1 EPOCH 1", "INVALID epoch must be given once"),
    ("FLASH.WARM new 5 AFTER 1 AFTER 1", "INVALID after must be given once"),
    ("FLASH.RESERVE drop bob QTY 1 QTY 1", "INVALID quantity must be given once"),
    ("FLASH.RESERVE drop bob ID r ID r", "INVALID id must be given once"),
    ("FLASH.RESERVE drop bob DATA {} DATA {}", "INVALID data must be given once"),
    ("FLASH.RESERVE drop bob SKU blue 1", "INVALID SKU must be one of the sale's"),
    ("FLASH.RESERVE drop bob SKU default 1 QTY 1", "INVALID quantity must not stand beside SKU"),
    ("FLASH.RESERVE drop bob SKU default 999999999 SKU default 2", "INVALID quantity must be 1 to 1000000000"),
    ("FLASH.RESERVE drop bob COLOUR blue", "INVALID option must be one of QTY, SKU, ID, KEY, DATA"),
    ("FLASH.RESTOCK drop 999999992", "INVALID total must be 0 to 1000000000"),
    ("FLASH.RESTOCK drop SKU blue 1", "INVALID SKU must be one of the sale's"),
    ("FLASH.STATUS drop WHO ada", "INVALID option must be one of BUYER, ID"),
    ("FLASH.REAP drop MANY 5", "INVALID option must be one of COUNT"),
    ("FLASH.REAP drop COUNT 5 COUNT 5", "INVALID count must be given once"),
    ("FLASH.READY MANY 5", "INVALID option must be one of COUNT"),
    ("FLASH.PULL drop me WITHIN 5", "INVALID option must be one of LEASE (required, behind the relay)"),
    ("FLASH.PULL drop me LEASE 5 BEFORE 5", "INVALID option must be one of AFTER, COUNT"),
    ("FLASH.PULL drop me LEASE 5 AFTER 1 AFTER 1", "INVALID after must be given once"),
    ("FLASH.PULL drop me LEASE 5 COUNT 1 COUNT 1", "INVALID count must be given once"),
    ("FLASH.RESERVE drop bob ID r KEY OLD", "INVALID key must be NEW"),
    ("FLASH.RESERVE drop bob KEY NEW", "INVALID key must stand beside ID"),
    ("FLASH.FENCE drop now", "INVALID option must be one of TERM"),
    ("FLASH.ACTIVE drop now", "INVALID option must be one of AFTER, COUNT"),
    ("FLASH.WARM new 5 CLOSED", "INVALID TERM must be given beside CLOSED, FORGOTTEN, TOTAL and TOTALS"),
    ("FLASH.WARM new 5 TERM 1", "INVALID TERM must be given beside INSTANCE, and only there"),
    ("FLASH.REBUILD drop 1 TERM 1 {}", "INVALID option must be one of INSTANCE (required, after TERM)"),
    ("FLASH.CLOCK drop 1", "ERR this command comes only from a primary or an AOF, never from a client"),
    ("FLASH.APPLY drop x", "ERR this command comes only from a primary or an AOF, never from a client"),
    ("FLASH.LOAD drop x", "ERR this command comes only from a primary or an AOF, never from a client"),
];

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
/// Every command on a key that holds a string.
const ON_A_STRING: [&str; 15] = [
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
    "FLASH.FENCE string TERM 1",
    "FLASH.ACTIVE string",
    "FLASH.UNFENCE string 1 1",
    "FLASH.REBUILD string 1 {\"id\":1,\"buyer\":\"a\",\"slot\":0,\"state\":\"held\",\"items\":[{\"sku\":\"a\",\"quantity\":1}]}",
];

/// Every command with too few words, or one too many.
const ARITIES: [&str; 33] = [
    "FLASH.WARM",
    "FLASH.WARM new",
    "FLASH.WARM new SKU",
    "FLASH.WARM new SKU a",
    "FLASH.WARM new 5 LIMIT",
    "FLASH.RESERVE",
    "FLASH.RESERVE drop",
    "FLASH.RESERVE drop bob QTY",
    "FLASH.RESERVE drop bob SKU",
    "FLASH.RESERVE drop bob SKU default",
    "FLASH.RESERVE drop bob ID",
    "FLASH.RESERVE drop bob DATA",
    "FLASH.CONFIRM",
    "FLASH.CONFIRM drop",
    "FLASH.CONFIRM drop 2 3",
    "FLASH.RELEASE drop",
    "FLASH.RELEASE drop 2 3",
    "FLASH.STATUS",
    "FLASH.STATUS drop BUYER",
    "FLASH.STATUS drop ID 2 3",
    "FLASH.RESTOCK drop",
    "FLASH.RESTOCK drop 5 6",
    "FLASH.OPEN",
    "FLASH.OPEN drop now",
    "FLASH.CLOSE drop now",
    "FLASH.REAP",
    "FLASH.REAP drop COUNT",
    "FLASH.READY COUNT",
    "FLASH.PULL drop me",
    "FLASH.ACK drop 1",
    "FLASH.FENCE drop TERM 1 2",
    "FLASH.UNFENCE drop 1",
    "FLASH.REBUILD drop 1",
];

type Row = (Vec<Vec<u8>>, String);

/// The command with `value` in place of `#`.
fn with(command: &str, value: &[u8]) -> Vec<Vec<u8>> {
    command.split(' ').map(|word| if word == "#" { value.to_vec() } else { word.into() }).collect()
}

fn numbers() -> impl Iterator<Item = Row> {
    let megabyte = vec![b'9'; 1 << 20];
    NUMBERS.into_iter().flat_map(move |(command, field, min, max)| {
        let not_whole = format!("INVALID {field} must be a whole number, {min} to {max}");
        let words: [&[u8]; 11] =
            [b"", b"x", b"-1", b"+1", b"1.5", b"1e3", b" 1", b"1\0", b"\xff", b"18446744073709551616", &megabyte];
        let words = words.map(|word| (with(command, word), not_whole.clone()));
        let out_of_bounds = [min.checked_sub(1), Some(max + 1)].into_iter().flatten();
        let out_of_bounds = out_of_bounds.map(move |value| {
            (with(command, value.to_string().as_bytes()), format!("INVALID {field} must be {min} to {max}"))
        });
        words.into_iter().chain(out_of_bounds)
    })
}

fn names() -> impl Iterator<Item = Row> {
    NAMES.into_iter().flat_map(|(command, field, bytes_max)| {
        let length = format!("must be 1 to {bytes_max} bytes");
        let one_too_long = vec![b'a'; bytes_max + 1];
        let megabyte = vec![b'a'; 1 << 20];
        let rows: [(&[u8], &str); 7] = [
            (b"", &length),
            (&one_too_long, &length),
            (&megabyte, &length),
            (b"a\0b", "must not contain control characters"),
            (b"a\nb", "must not contain control characters"),
            (b"\xff\xfe", "must be UTF-8"),
            (b"\xed\xa0\x80", "must be UTF-8"),
        ];
        let row = |(value, rule): (&[u8], &str)| (with(command, value), format!("INVALID {field} {rule}"));
        rows.map(row).to_vec()
    })
}

fn deltas() -> impl Iterator<Item = Row> {
    let bad = ["", "x", "0", "-0", "+", "-", "--5", "1.5", "1000000001", "-1000000001", "-99999999999999999999"];
    let want = "INVALID delta must be a whole number, -1000000000 to 1000000000, and not 0";
    bad.into_iter().map(move |bad| (with("FLASH.RESTOCK drop #", bad.as_bytes()), want.to_owned()))
}

/// What is too long to be written down.
fn long() -> Vec<Row> {
    let megabyte = vec![b'a'; 1 << 20];
    let row = |args: Vec<Vec<u8>>, want: &str| (args, want.to_owned());
    let skus = |command: &str, each: &str, count: usize| {
        let words = (0..count)
            .flat_map(|sku| each.replace('#', &sku.to_string()).split(' ').map(Vec::from).collect::<Vec<_>>());
        with(command, b"").into_iter().chain(words).collect::<Vec<_>>()
    };
    vec![
        row(with("FLASH.RESERVE drop bob DATA #", &megabyte), "INVALID data must be at most 16384 bytes"),
        row(with("FLASH.RESERVE drop bob DATA #", &[b'a'; 16_385]), "INVALID data must be at most 16384 bytes"),
        row(with("FLASH.RESERVE drop bob DATA #", b"\xff"), "INVALID data must be UTF-8"),
        row(skus("FLASH.WARM new", "SKU s# 1", 65), "INVALID SKU must be 1 to 64"),
        row(skus("FLASH.RESERVE drop bob", "SKU s# 1", 65), "INVALID SKU must be given at most 64 times"),
        row(skus("FLASH.REBUILD drop 1", REBUILT, 257), "INVALID reservations must be 1 to 256"),
    ]
}

const REBUILT: &str = r##"{"id":1,"buyer":"a","slot":0,"state":"held","items":[{"sku":"a","quantity":1}]}"##;

fn words(rows: impl IntoIterator<Item = (&'static str, impl Into<String>)>) -> Vec<Row> {
    rows.into_iter().map(|(command, want)| (with(command, b""), want.into())).collect()
}

fn arities() -> Vec<Row> {
    let want = |command: &str| {
        let name = command.split(' ').next().unwrap_or_default();
        format!("ERR wrong number of arguments for '{name}' command")
    };
    words(ARITIES.map(|command| (command, want(command))))
}

/// Everything that a bad call must leave alone: the sale, its memory, and what other keys there are.
fn everything(redis: &mut Connection) -> (String, i64, i64) {
    (digest(redis, "drop"), run(redis, "MEMORY USAGE drop SAMPLES 0"), run(redis, "DBSIZE"))
}

#[test]
fn every_bad_argument_is_refused_by_its_name_and_limit_and_changes_nothing() {
    let server = Server::start();
    let redis = &mut server.connect();
    for command in ["FLASH.WARM drop 9 HOLD 60000 JOURNAL 100", "FLASH.RESERVE drop ada", "SET string x"] {
        let _: Value = run(redis, command);
    }
    let rows = numbers().chain(names()).chain(deltas()).chain(long()).chain(words(WHOLE)).chain(arities());
    let before = everything(redis);
    for (args, want) in rows.chain(words(ON_A_STRING.map(|command| (command, WRONG_TYPE)))) {
        let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        let shown = args.iter().map(|arg| String::from_utf8_lossy(&arg[..arg.len().min(40)]).into_owned());
        let shown = shown.collect::<Vec<_>>().join(" ");
        match try_run_args::<Value>(redis, &args) {
            Ok(reply) => panic!("{shown} was taken: {reply:?}"),
            Err(error) => assert_eq!(error, want, "{shown}"),
        }
        assert_eq!(everything(redis), before, "{shown} changed something");
    }
}

#[test]
fn a_damaged_dump_is_refused_and_the_server_lives() {
    let server = Server::start();
    let redis = &mut server.connect();
    let _: Value = run(redis, "FLASH.WARM drop 9 HOLD 60000 JOURNAL 100");
    let _: Value = run(redis, "FLASH.RESERVE drop ada");
    let dump: Vec<u8> = run(redis, "DUMP drop");
    for length in [0, 1, 5, dump.len() / 2, dump.len() - 1] {
        let error = try_run_args::<Value>(redis, &[b"RESTORE", b"new", b"0", &dump[..length]]).expect_err("damaged");
        assert_eq!(error, "ERR DUMP payload version or checksum are wrong", "{length} bytes");
    }
    let before = digest(redis, "drop");
    let restored: String = try_run_args(redis, &[b"RESTORE", b"drop", b"0", &dump, b"REPLACE"]).expect("whole");
    assert_eq!((restored.as_str(), digest(redis, "drop")), ("OK", before));
}
