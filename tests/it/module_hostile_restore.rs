//! A client that may RESTORE may send any bytes. They load into a sale whose sums hold, and that goes on like any
//! other, or they are refused; the server lives, and no key takes more memory than its bytes are worth.

use flash_sale::{HashKey, Sale};
use redis::{Connection, RedisResult, Value};

use crate::support::dump::Frame;
use crate::support::fuzz::{self, Fuzz};
use crate::support::hostile::{self, pipeline};
use crate::support::redis::{Server, check, flat, reservation_of_bob, run};
use crate::support::saved;

/// What a sale may take for each byte that it was loaded from: a reservation of few bytes may stand alone in its page.
const MEMORY_PER_BYTE_MAX: usize = 32;
/// What even the smallest sale may take, in bytes.
const MEMORY_BYTES_MIN: usize = 8 * 1024;
/// What is done to a sale that was loaded. None of it may fail but by a refusal, or an error that names an argument.
const TRAFFIC: [&str; 24] = [
    "FLASH.STATUS key",
    "FLASH.OPEN key",
    "FLASH.RESTOCK key 5",
    "FLASH.RESTOCK key SKU small -20",
    "FLASH.UNFENCE key 2 1002",
    "FLASH.CONFIRM key 900",
    "FLASH.STATUS key BUYER ada",
    "FLASH.STATUS key ID 2",
    "FLASH.RESERVE key ada",
    "FLASH.RESERVE key new QTY 2 ID first DATA {}",
    "FLASH.RESERVE key ada SKU small 1 SKU vip 1",
    "FLASH.RESERVE key new SKU small 1",
    "FLASH.CONFIRM key 2",
    "FLASH.CONFIRM key 9",
    "FLASH.RELEASE key 3",
    "FLASH.RELEASE key 21",
    "FLASH.REAP key COUNT 1000",
    "FLASH.PULL key relay LEASE 1 COUNT 1000",
    "FLASH.ACK key 1 5",
    "FLASH.ACK key 7 9",
    "FLASH.RESERVE key later",
    "FLASH.READY COUNT 3",
    "FLASH.FENCE key",
    "FLASH.RELEASE key 900",
];

fn memory_bytes_max(payload: &[u8]) -> usize {
    MEMORY_BYTES_MIN + MEMORY_PER_BYTE_MAX * payload.len()
}

/// Sales as this server saves them, and as older releases did.
fn good_sales(redis: &mut Connection) -> (Frame, Vec<Vec<u8>>) {
    let _: Value = run(redis, "CONFIG SET rdbcompression no");
    check(redis, "FLASH.WARM drop SKU small 50 SKU vip 9 HOLD 600000 LIMIT 9 JOURNAL 100", "[WARMED 1]");
    for buyer in ["ada", "bob", "eve"] {
        check(redis, &format!("FLASH.RESERVE drop {buyer} SKU small 2 SKU vip 1 ID first"), "[RESERVED * * *]");
    }
    check(redis, "FLASH.CONFIRM drop 2", "[CONFIRMED 2]");
    check(redis, "FLASH.RELEASE drop 3", "[RELEASED 3]");
    check(redis, "FLASH.RESTOCK drop SKU vip -3", "[RESTOCKED 6 4]");
    check(redis, "FLASH.CLOSE drop", "[CLOSED]");
    check(redis, "FLASH.WARM plain 1000", "[WARMED 1]");
    check(redis, "FLASH.RESERVE plain ada", "[RESERVED 2 nil 999]");
    check(redis, "FLASH.WARM rebuilt 9 HOLD 600000 EPOCH 2 AFTER 1000", "[WARMED 2]");
    let bob = reservation_of_bob(redis);
    check(redis, &format!("FLASH.REBUILD rebuilt 2 {bob}"), "[REBUILT 1]");
    let dumps = ["drop", "plain", "rebuilt"].map(|sale| -> Vec<u8> { run(redis, &format!("DUMP {sale}")) });
    let frame = Frame::of(&dumps[0]);
    let ours = dumps.iter().map(|dump| frame.value(dump).expect("nothing is compressed").to_vec());
    let good = ours.chain(saved::sales()).collect();
    let _: Value = run(redis, "FLUSHALL");
    (frame, good)
}

/// Sells in each sale that was loaded, and copies it: the copy is a save and a load of the state that came of it.
fn sell_on(redis: &mut Connection, payloads: &[Vec<u8>], loaded: &[usize]) {
    let mut commands = redis::pipe();
    for at in loaded {
        commands.cmd("MEMORY").arg("USAGE").arg(at);
        for command in TRAFFIC {
            let words = command.split(' ').map(|word| if word == "key" { at.to_string() } else { word.to_owned() });
            commands.add_command(redis::Cmd::new().arg(words.collect::<Vec<_>>()).to_owned());
        }
        commands.cmd("COPY").arg(at).arg("copy").arg("REPLACE");
        commands.cmd("DEBUG").arg("DIGEST-VALUE").arg(at).arg("copy");
        commands.cmd("FLASH.STATUS").arg(at);
        commands.cmd("DEL").arg(at);
    }
    let replies = pipeline(redis, &mut commands);
    for (at, replies) in loaded.iter().zip(replies.chunks(TRAFFIC.len() + 5)) {
        check_replies(&payloads[*at], replies);
    }
}

fn check_replies(payload: &[u8], replies: &[RedisResult<Value>]) {
    for error in replies.iter().filter_map(|reply| reply.as_ref().err()) {
        let text = error.to_string();
        assert!(text.starts_with("\"INVALID\"") || text.contains("INVALID"), "{text}\n{payload:02x?}");
    }
    let ok = |reply: &RedisResult<Value>| reply.as_ref().map(flat).unwrap_or_default();
    let [memory, before, .., copied, digests, after, deleted] = replies else { panic!("{replies:?}") };
    let memory: usize = ok(memory).parse().expect("bytes");
    assert!(memory <= memory_bytes_max(payload), "{memory} bytes for {}\n{payload:02x?}", payload.len());
    for status in [before, after] {
        check_sums(status.as_ref().expect("a status"), payload);
    }
    assert_eq!((ok(copied), ok(deleted)), ("1".to_owned(), "1".to_owned()), "{payload:02x?}");
    let digests = ok(digests);
    let (one, other) = digests.trim_matches(['[', ']']).split_once(' ').expect("two digests");
    assert_eq!(one, other, "the copy of {payload:02x?}");
}

/// total = available + held + confirmed, for each SKU and for the sale.
fn check_sums(status: &Value, payload: &[u8]) {
    let sums = |fields: &[Value]| {
        let number = |name: &str| {
            let at = fields.iter().position(|field| flat(field) == name).expect("the field is there");
            flat(&fields[at + 1]).parse::<i64>().expect("a number")
        };
        ["total", "available", "held", "confirmed"].map(number)
    };
    let Value::Array(fields) = status else { panic!("{status:?}") };
    let Some(Value::Array(skus)) = fields.last() else { panic!("{status:?}") };
    let mut left = sums(fields);
    let skus = skus.iter().map(|sku| if let Value::Array(sku) = sku { sums(sku) } else { panic!("{sku:?}") });
    for sums in std::iter::once(left).chain(skus.clone()) {
        let [total, available, held, confirmed] = sums;
        assert!(
            sums.iter().all(|units| *units >= 0) && total == available + held + confirmed,
            "{sums:?}\n{payload:02x?}"
        );
    }
    skus.for_each(|sku| left.iter_mut().zip(sku).for_each(|(left, units)| *left -= units));
    assert_eq!(left, [0; 4], "{status:?}\n{payload:02x?}");
}

#[test]
fn hostile_dumps_are_refused_or_load_into_sales_that_go_on() {
    let server = Server::start_with(&["--appendonly", "no"]);
    let redis = &mut server.connect();
    let (frame, good) = good_sales(redis);
    hostile::restore_all(redis, &frame, good, sell_on);
}

#[test]
fn hostile_bytes_are_refused_by_the_core_or_make_a_sound_sale() {
    let mut fuzz = Fuzz::of(saved::sales());
    for _ in 0..fuzz::inputs() {
        let bytes = fuzz.next();
        let Ok(sale) = Sale::load(&bytes, HashKey([1, 2])) else { continue };
        let units = sale.units().iter();
        assert!(units.clone().all(|units| units.held + units.confirmed <= units.total), "{bytes:02x?}");
        assert!(sale.memory_bytes() <= memory_bytes_max(&bytes), "{} for {bytes:02x?}", sale.memory_bytes());
        let saved = sale.save();
        let again = Sale::load(&saved, HashKey([3, 4])).unwrap_or_else(|error| panic!("{error}: {bytes:02x?}"));
        assert_eq!(again.save(), saved, "{bytes:02x?}");
    }
}

#[test]
fn hostile_events_are_refused_or_have_one_form() {
    let mut fuzz = Fuzz::of(saved::events());
    for _ in 0..fuzz::inputs() {
        let bytes = fuzz.next();
        let Ok(event) = flash_sale::Event::decode(&bytes) else { continue };
        let mut again = Vec::new();
        event.encode(&mut again);
        assert_eq!(flash_sale::Event::decode(&again), Ok(event), "{bytes:02x?}");
    }
}
