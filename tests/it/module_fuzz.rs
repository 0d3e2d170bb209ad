//! Calls of the module that no client of ours would send: each gets a reply, and the server lives.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use redis::Value;

use crate::support::redis::{Server, check, run};

const CALLS: usize = 20_000;
/// Calls that are sent at once.
const PIPELINE_CALLS: usize = 500;
const WORDS_MAX: usize = 8;
const COMMANDS: [&str; 16] = [
    "WARM", "RESERVE", "CONFIRM", "RELEASE", "STATUS", "REAP", "READY", "PULL", "ACK", "THROTTLE", "FENCE", "UNFENCE",
    "REBUILD", "ACTIVE", "RESTOCK", "CLOSE",
];
const WORDS: [&[u8]; 36] = [
    b"drop",
    b"other",
    b"string",
    b"",
    b"0",
    b"1",
    b"2",
    b"-1",
    b"9",
    b"60000",
    b"1000000000",
    b"18446744073709551615",
    b"9223372036854775808",
    b"SKU",
    b"default",
    b"LIMIT",
    b"HOLD",
    b"OPENS",
    b"CLOSES",
    b"JOURNAL",
    b"EPOCH",
    b"AFTER",
    b"TERM",
    b"INSTANCE",
    b"QTY",
    b"ID",
    b"REQUEST",
    b"DATA",
    b"COUNT",
    b"LEASE",
    b"COST",
    b"BUCKET",
    b"DAILY",
    b"\xff\x00\n",
    b"a\0b",
    &[b'x'; 5_000],
];

#[test]
fn random_calls_get_replies_and_the_server_lives() {
    let seed = std::env::var("FLASH_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("FLASH_FUZZ_SEED={seed}");
    let rng = &mut StdRng::seed_from_u64(seed);
    let server = Server::start();
    let redis = &mut server.connect();
    let _: Value = run(redis, "SET string x");
    for _ in 0..CALLS / PIPELINE_CALLS {
        let mut pipeline = redis::pipe();
        for _ in 0..PIPELINE_CALLS {
            pipeline.cmd(&format!("FLASH.{}", COMMANDS.choose(rng).expect("some")));
            for _ in 0..rng.random_range(0..WORDS_MAX) {
                pipeline.arg(*WORDS.choose(rng).expect("some"));
            }
        }
        let packed = pipeline.get_packed_pipeline();
        let replies = redis::ConnectionLike::req_packed_commands(redis, &packed, 0, PIPELINE_CALLS).expect("replies");
        assert_eq!(replies.len(), PIPELINE_CALLS);
        let panicked = |reply: &&Value| format!("{reply:?}").contains("panic");
        assert_eq!(replies.iter().find(panicked), None, "seed {seed}");
    }
    check(redis, "PING", "PONG");
}
