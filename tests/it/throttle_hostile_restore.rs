//! A rate limit out of made-up bytes is refused, or limits like any other.

use redis::{Connection, RedisResult, Value};

use crate::support::dump::Frame;
use crate::support::hostile::{self, pipeline};
use crate::support::redis::{Server, flat, run};

/// What a rate limit may take for each byte that it was loaded from: a call in the log of a sliding window is two
/// numbers.
const MEMORY_PER_BYTE_MAX: usize = 32;
/// What even the smallest may take, in bytes.
const MEMORY_BYTES_MIN: usize = 1024;
/// Limits of every kind; each is asked of whatever was loaded, which may be under other terms.
const TERMS: [&str; 7] = [
    "BUCKET 1 1000 3",
    "BUCKET 1000000000 1 1000000000",
    "BURST 2 60000 1 3600000",
    "STRICT 3 60000",
    "SLIDING 3 60000",
    "SLIDING 65536 2592000000",
    "DAILY 3 -720",
];
const COSTS: [u64; 3] = [0, 1, 3];

fn good_limits(redis: &mut Connection) -> (Frame, Vec<Vec<u8>>) {
    let _: Value = run(redis, "CONFIG SET rdbcompression no");
    let mut dumps = Vec::new();
    for terms in TERMS {
        for _ in 0..3 {
            let _: Value = run(redis, &format!("FLASH.THROTTLE limit {terms}"));
        }
        dumps.push(run::<Vec<u8>>(redis, "DUMP limit"));
        let _: Value = run(redis, "DEL limit");
    }
    let frame = Frame::of(&dumps[0]);
    let good = dumps.iter().map(|dump| frame.value(dump).expect("nothing is compressed").to_vec()).collect();
    (frame, good)
}

/// Asks each limit that was loaded for units under every kind of terms, and copies it.
fn ask(redis: &mut Connection, payloads: &[Vec<u8>], loaded: &[usize]) {
    let mut commands = redis::pipe();
    for at in loaded {
        commands.cmd("MEMORY").arg("USAGE").arg(at);
        for terms in TERMS {
            for cost in COSTS {
                commands.cmd("FLASH.THROTTLE").arg(at).arg(terms.split(' ').collect::<Vec<_>>()).arg("COST").arg(cost);
            }
        }
        commands.cmd("COPY").arg(at).arg("copy").arg("REPLACE");
        commands.cmd("DEBUG").arg("DIGEST-VALUE").arg(at).arg("copy");
        commands.cmd("DEL").arg(at).arg("copy");
    }
    let replies = pipeline(redis, &mut commands);
    for (at, replies) in loaded.iter().zip(replies.chunks(TERMS.len() * COSTS.len() + 4)) {
        check_replies(&payloads[*at], replies);
    }
}

fn check_replies(payload: &[u8], replies: &[RedisResult<Value>]) {
    let ok = |reply: &RedisResult<Value>| match reply {
        Ok(reply) => flat(reply),
        Err(error) => panic!("{error}\n{payload:02x?}"),
    };
    let [memory, answers @ .., copied, digests, deleted] = replies else { panic!("{replies:?}") };
    let memory: usize = ok(memory).parse().expect("bytes");
    assert!(memory <= MEMORY_BYTES_MIN + MEMORY_PER_BYTE_MAX * payload.len(), "{memory} bytes\n{payload:02x?}");
    for answer in answers {
        let answer = ok(answer);
        let numbers = answer.trim_matches(['[', ']']).split(' ').map(|number| number.parse::<i64>().unwrap_or(0));
        let [allowed, limit, remaining, retry_after_ms, reset_ms] = numbers.collect::<Vec<_>>()[..] else {
            panic!("{answer}")
        };
        assert!([0, 1].contains(&allowed) && (0..=limit).contains(&remaining), "{answer}\n{payload:02x?}");
        assert!(retry_after_ms >= 0 && reset_ms >= 0, "{answer}\n{payload:02x?}");
    }
    assert_eq!((ok(copied), ok(deleted)), ("1".to_owned(), "2".to_owned()), "{payload:02x?}");
    let digests = ok(digests);
    let (one, other) = digests.trim_matches(['[', ']']).split_once(' ').expect("two digests");
    assert_eq!(one, other, "the copy of {payload:02x?}");
}

#[test]
fn hostile_dumps_are_refused_or_load_into_limits_that_limit() {
    let server = Server::start_with(&["--appendonly", "no"]);
    let redis = &mut server.connect();
    let (frame, good) = good_limits(redis);
    hostile::restore_all(redis, &frame, good, ask);
}
