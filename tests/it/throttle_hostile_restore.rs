//! Whoever may RESTORE may hand over any bytes. They load into a rate limit that goes on like any other, or they are
//! refused; the server lives, and no key takes more memory than its bytes are worth.

use redis::{Connection, Pipeline, RedisResult, Value};

use crate::support::dump::Frame;
use crate::support::fuzz::{self, Fuzz};
use crate::support::redis::{Server, check, flat, run};

/// Inputs that travel together.
const BATCH: usize = 500;
/// What a rate limit may take for each byte that it was loaded from: a moment of a sliding window is two bytes there, and
/// 16 here, in a table that may be twice as large as it need be.
const MEMORY_PER_BYTE_MAX: usize = 16;
/// What even the smallest may take, in bytes.
const MEMORY_BYTES_MIN: usize = 400;
/// What is asked of a rate limit that was loaded. Each asks by terms that are valid, so none may fail.
const TRAFFIC: [&str; 7] = [
    "FLASH.THROTTLE key SLIDING 20 600000 COST 0",
    "FLASH.THROTTLE key SLIDING 20 600000",
    "FLASH.THROTTLE key BUCKET 10 1000 20 COST 3",
    "FLASH.THROTTLE key BURST 5 1000 10 600000 COST 4",
    "FLASH.THROTTLE key STRICT 1000000000 2592000000 COST 1000000000",
    "FLASH.THROTTLE key DAILY 20 -720",
    "FLASH.THROTTLE key SLIDING 20 600000",
];

/// Rate limits of every strategy, as this server saves them.
fn good_limits(redis: &mut Connection) -> (Frame, Vec<Vec<u8>>) {
    let _: Value = run(redis, "CONFIG SET rdbcompression no");
    let strategies =
        ["BUCKET 7 3000 20", "BURST 5 1000 10 600000", "STRICT 20 600000", "SLIDING 20 600000", "DAILY 20 60"];
    let dumps = strategies.map(|strategy| -> Vec<u8> {
        let _: Value = run(redis, "DEL limit");
        for _ in 0..9 {
            check(redis, &format!("FLASH.THROTTLE limit {strategy}"), "[1 * * nil *]");
        }
        run(redis, "DUMP limit")
    });
    let frame = Frame::of(&dumps[0]);
    let good = dumps.iter().map(|dump| frame.sale(dump).expect("nothing is compressed").to_vec()).collect();
    let _: Value = run(redis, "FLUSHALL");
    (frame, good)
}

fn pipeline(redis: &mut Connection, pipeline: &mut Pipeline) -> Vec<RedisResult<Value>> {
    pipeline.ignore_errors().query(redis).expect("the server lives")
}

/// Loads payloads under the names of their places; says which of them loaded.
fn restore(redis: &mut Connection, payloads: &[Vec<u8>]) -> Vec<usize> {
    let mut restores = redis::pipe();
    for (at, payload) in payloads.iter().enumerate() {
        restores.cmd("RESTORE").arg(at).arg(0).arg(payload);
    }
    let replies = pipeline(redis, &mut restores);
    let loaded = replies.iter().enumerate().filter(|(_, reply)| reply.is_ok());
    loaded.map(|(at, _)| at).collect()
}

/// Asks each rate limit that was loaded, and copies it by way of its bytes.
fn ask_on(redis: &mut Connection, payloads: &[Vec<u8>], loaded: &[usize]) {
    for at in loaded {
        let payload = &payloads[*at];
        let memory: usize = run(redis, &format!("MEMORY USAGE {at}"));
        assert!(memory <= MEMORY_BYTES_MIN + MEMORY_PER_BYTE_MAX * payload.len(), "{memory} bytes: {payload:02x?}");
        for ask in TRAFFIC {
            let reply: Value = run(redis, &ask.replace("key", &at.to_string()));
            assert!(flat(&reply).split(' ').count() == 5, "{ask}: {reply:?} {payload:02x?}");
        }
        let dump: Vec<u8> = run(redis, &format!("DUMP {at}"));
        let mut restore = redis::cmd("RESTORE");
        restore.arg("copy").arg(0).arg(dump).arg("REPLACE");
        let _: Value = restore.query(redis).unwrap_or_else(|error| panic!("{error}: {payload:02x?}"));
        let _: Value = run(redis, &format!("PERSIST {at}"));
        let digests: Vec<String> = run(redis, &format!("DEBUG DIGEST-VALUE {at} copy"));
        assert_eq!(digests[0], digests[1], "{payload:02x?}");
        let _: Value = run(redis, &format!("DEL {at}"));
    }
}

#[test]
fn hostile_dumps_are_refused_or_load_into_rate_limits_that_go_on() {
    let server = Server::start_with(&["--appendonly", "no"]);
    let redis = &mut server.connect();
    let (frame, good) = good_limits(redis);
    let mut fuzz = Fuzz::of(good);
    let (inputs, mut loaded_inputs) = (fuzz::inputs(), 0);
    for batch in 0..inputs.div_ceil(BATCH) {
        let payloads: Vec<Vec<u8>> =
            (0..BATCH.min(inputs - batch * BATCH)).map(|_| frame.sealed(frame.around(&fuzz.next()))).collect();
        let loaded = restore(redis, &payloads);
        loaded_inputs += loaded.len();
        ask_on(redis, &payloads, &loaded);
    }
    eprintln!("{inputs} payloads, of which {loaded_inputs} loaded");
    assert!(loaded_inputs * 100 > inputs, "the damage is so great that nothing is tried: {loaded_inputs} loaded");
}
