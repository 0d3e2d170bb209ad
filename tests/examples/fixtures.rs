//! Writes the files by which `tests/it/module_versions.rs` proves that what an older release saved still loads. Run it
//! once when the version of the snapshot or of the event changes, with the release before the change, and never write
//! over an older folder:
//!
//! ```sh
//! cargo build -p flash-module && cargo run -p flash-tests --example fixtures -- tests/it/fixtures/v1
//! ```
//!
//! The test repeats what it sells, as claims.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flash_servers::{Redis, RedisOptions, silent};
use redis::{Connection, FromRedisValue, Value};

/// Long enough for a reservation and its confirm, short enough to wait for its end.
const HOLD_MS: u64 = 1_000;
const DEADLINE: Duration = Duration::from_secs(20);

fn main() {
    let out = PathBuf::from(std::env::args().nth(1).expect("the folder to write"));
    fs::create_dir_all(&out).expect("a folder can be made");
    let dir = tempfile::tempdir().expect("a directory");
    let module = std::env::current_exe().expect("a path").ancestors().nth(2).expect("target").join("libflash.so");
    let options = RedisOptions { module: Some(module), ..RedisOptions::new(dir.path()) };
    let redis = Redis::start(&options, silent).expect("Redis starts");
    let mut connection = redis::Client::open(redis.url()).and_then(|client| client.get_connection()).expect("Redis");
    sell(&mut connection);
    save(&mut connection, dir.path(), &out);
}

/// Three sales: `drop` with every kind of reservation and a journal that is acknowledged in part, `plain` without
/// holds and journal, `empty` with every term and nothing sold.
fn sell(redis: &mut Connection) {
    let hold = HOLD_MS.to_string();
    let warm = ["SKU", "small", "40", "SKU", "größe L", "300", "SKU", "vip", "2", "LIMIT", "200", "HOLD", &hold];
    let _: Value = run(redis, &[&["FLASH.WARM", "drop"], &warm[..], &["JOURNAL", "1000", "EPOCH", "7"]].concat());
    let expired = [
        reserve(redis, &["early-0", "SKU", "small", "1"]),
        reserve(redis, &["early-1", "SKU", "small", "2", "SKU", "vip", "1", "ID", "e-1"]),
        reserve(redis, &["early-2", "SKU", "größe L", "130", "ID", "e-2", "DATA", "{\"size\":42}"]),
    ];
    reap(redis, expired.len());
    for buyer in ["ada", "ädä-✓", &"b".repeat(128)] {
        let confirmed = reserve(redis, &[buyer, "SKU", "small", "1", "ID", "first"]);
        let _: Value = run(redis, &["FLASH.CONFIRM", "drop", &confirmed]);
        let released = reserve(redis, &[buyer, "SKU", "größe L", "3", "SKU", "small", "2"]);
        reserve(redis, &[buyer, "SKU", "small", "1", "ID", "third", "DATA", "[]"]);
        let _: Value = run(redis, &["FLASH.RELEASE", "drop", &released]);
    }
    reserve(redis, &["early-1", "SKU", "vip", "2"]);
    let _: Value = run(redis, &["FLASH.ACK", "drop", "7", "6"]);
    let _: Value = run(redis, &["FLASH.WARM", "plain", "1000"]);
    for buyer in 0..10 {
        let _: Value = run(redis, &["FLASH.RESERVE", "plain", &format!("buyer-{buyer}")]);
    }
    let window = ["OPENS", "1", "CLOSES", "253402300799000", "LIMIT", "3", "HOLD", "2592000000", "JOURNAL", "5"];
    let _: Value = run(redis, &[&["FLASH.WARM", "empty", "1000000000"], &window[..]].concat());
}

/// Writes one state in each form in which Redis keeps it.
fn save(redis: &mut Connection, dir: &Path, out: &Path) {
    let write = |name: &str, bytes: &[u8]| fs::write(out.join(name), bytes).expect("it can be written");
    for key in ["drop", "plain", "empty"] {
        let dump: Vec<u8> = run(redis, &["DUMP", key]);
        write(&format!("{key}.dump"), &dump);
    }
    let aof = dir.join("appendonlydir");
    write("events.aof", &fs::read(aof.join("appendonly.aof.1.incr.aof")).expect("the AOF is on"));
    let _: Value = run(redis, &["CONFIG", "SET", "aof-use-rdb-preamble", "no"]);
    let _: Value = run(redis, &["BGREWRITEAOF"]);
    until(|| fs::read(aof.join("appendonly.aof.2.base.aof")).ok().map(|rewritten| write("rewritten.aof", &rewritten)));
    until(|| {
        let info: String = run(redis, &["INFO", "persistence"]);
        info.contains("aof_rewrite_in_progress:0").then_some(())
    });
    let _: Value = run(redis, &["SAVE"]);
    write("dump.rdb", &fs::read(dir.join("dump.rdb")).expect("it was saved"));
}

/// Reserves, and gives the reservation's id.
fn reserve(redis: &mut Connection, args: &[&str]) -> String {
    let reply: Vec<Value> = run(redis, &[&["FLASH.RESERVE", "drop"], args].concat());
    let Value::Int(id) = reply[1] else { panic!("{args:?}: {reply:?}") };
    id.to_string()
}

/// Waits for the end of `holds` holds.
fn reap(redis: &mut Connection, holds: usize) {
    let mut reaped = 0;
    until(|| {
        let (_, more): (String, usize) = run(redis, &["FLASH.REAP", "drop"]);
        reaped += more;
        (reaped == holds).then_some(())
    });
}

fn run<T: FromRedisValue>(redis: &mut Connection, words: &[&str]) -> T {
    let mut command = redis::Cmd::new();
    words.iter().for_each(|word| {
        command.arg(word);
    });
    command.query(redis).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    while start.elapsed() < DEADLINE {
        if let Some(found) = look() {
            return found;
        }
        std::thread::yield_now();
    }
    panic!("waited in vain");
}
