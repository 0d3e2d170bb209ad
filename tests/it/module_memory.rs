//! What a sale takes is what it says that it takes, and it is given back without anybody waiting for it.

use redis::{Connection, Value};

use crate::support::redis::{Server, check, info, info_number, run, status};
use crate::support::wait;

/// Reservations of one run of a script.
const BATCH: usize = 10_000;
/// How far `MEMORY USAGE` may be off with jemalloc, whose sizes the module knows, and with another allocator.
const OFF_PERCENT_MAX: [u64; 2] = [5, 10];
/// How often each way to delete is tried; the least time counts, for others use this machine too.
const DELETES: usize = 3;

/// A server that keeps no files, so that nothing but keys takes memory.
fn server() -> Server {
    Server::start_with(&["--appendonly", "no"])
}

/// Sells to `buyers` buyers with ids of 17 bytes: in the server, where it is quickest.
fn sell(redis: &mut Connection, buyers: u64) {
    let script = "for buyer = ARGV[1], ARGV[2] do\n\
                  redis.call('FLASH.RESERVE', KEYS[1], string.format('buyer-%011d', buyer))\n\
                  end";
    for first in (0..buyers).step_by(BATCH) {
        let last = buyers.min(first + BATCH as u64) - 1;
        let eval = redis::cmd("EVAL").arg(script).arg(1).arg("drop").arg(first).arg(last).query::<Value>(redis);
        assert_eq!(eval.expect("it runs"), Value::Nil);
    }
    assert_eq!(status(redis, "drop", "confirmed") + status(redis, "drop", "held"), buyers.cast_signed());
}

/// Compares `MEMORY USAGE` of `drop` with what the allocator gets back when the key is deleted.
fn check_usage(redis: &mut Connection, what: &str) {
    let _: Value = run(redis, "CONFIG SET lazyfree-lazy-user-del no");
    let said: u64 = run(redis, "MEMORY USAGE drop");
    // The first call of a command takes memory for its statistics.
    let _: Value = run(redis, "DEL nothing");
    info_number(redis, "memory", "used_memory");
    let before = info_number(redis, "memory", "used_memory");
    let _: Value = run(redis, "DEL drop");
    let taken = before - info_number(redis, "memory", "used_memory");
    eprintln!("{what}: said {said}, taken {taken}");
    let is_jemalloc = info(redis, "memory", "mem_allocator").starts_with("jemalloc");
    let off_percent_max = OFF_PERCENT_MAX[usize::from(!is_jemalloc)];
    assert!(said.abs_diff(taken) * 100 <= taken * off_percent_max, "{what}: it says {said} and takes {taken} bytes");
}

fn check_memory(warm: &str, buyers: u64, ack: bool) {
    let server = server();
    sell_first(&server, warm, buyers);
    // A connection that has done little more than this has buffers that do not change.
    let redis = &mut server.connect();
    if ack {
        check(redis, &format!("FLASH.ACK drop 1 {}", buyers + 1), &format!("[ACKED {}]", buyers + 1));
    }
    check_usage(redis, &format!("{warm}, {buyers} buyers, acknowledged: {ack}"));
}

fn sell_first(server: &Server, warm: &str, buyers: u64) {
    let redis = &mut server.connect();
    check(redis, warm, "[WARMED 1]");
    sell(redis, buyers);
}

#[test]
fn memory_usage_is_true() {
    for buyers in [1_000, 30_000, 100_000] {
        check_memory("FLASH.WARM drop 1000000", buyers, false);
        check_memory("FLASH.WARM drop 1000000 HOLD 600000", buyers, false);
        check_memory("FLASH.WARM drop 1000000 JOURNAL 1000000", buyers, false);
        check_memory("FLASH.WARM drop 1000000 JOURNAL 1000000", buyers, true);
    }
}

/// The server's own time for one call of a command, in microseconds.
fn usec_of(redis: &mut Connection, command: &str, key: &str) -> u64 {
    let _: Value = run(redis, "CONFIG RESETSTAT");
    let deleted: i64 = run(redis, &format!("{command} {key}"));
    assert_eq!(deleted, 1);
    let stats = info(redis, "commandstats", &format!("cmdstat_{}", command.to_lowercase()));
    let usec = stats.split(',').find_map(|field| field.strip_prefix("usec=")).expect("usec");
    usec.parse().expect("a number")
}

#[test]
fn a_sale_of_a_million_buyers_is_freed_in_the_background() {
    let server = server();
    let redis = &mut server.connect();
    let _: Value = run(redis, "CONFIG SET lazyfree-lazy-user-del no");
    check(redis, "FLASH.WARM drop 1000000 JOURNAL 2000000", "[WARMED 1]");
    sell(redis, 1_000_000);
    let mut least = |command: &str| {
        (0..DELETES)
            .map(|_| {
                let _: Value = run(redis, "COPY drop copy");
                let usec = usec_of(redis, command, "copy");
                // RESETSTAT has set that count to none.
                let wanted = u64::from(command == "UNLINK");
                wait::until("the background", || {
                    (info_number(redis, "memory", "lazyfree_pending_objects") == 0).then_some(())
                });
                assert_eq!(info_number(redis, "memory", "lazyfreed_objects"), wanted, "{command}");
                usec
            })
            .min()
    };
    let (unlink, delete) = (least("UNLINK"), least("DEL"));
    eprintln!("UNLINK {unlink:?} us, DEL {delete:?} us");
    assert!(unlink < delete, "UNLINK takes {unlink:?} us, DEL {delete:?} us");
    check_usage(&mut server.connect(), "a million buyers with their journal");
}
