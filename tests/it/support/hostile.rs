//! Payloads that somebody made up, restored into a real server by the hundred.

use redis::{Connection, Pipeline, RedisResult, Value};

use super::dump::Frame;
use super::fuzz::{self, Fuzz};

/// Inputs that travel together.
const BATCH: usize = 500;

/// Damages good values, restores them, and lets `go_on` use those that loaded, by their places among the payloads,
/// which are their keys. It leaves no key.
pub(crate) fn restore_all(
    redis: &mut Connection,
    frame: &Frame,
    good: Vec<Vec<u8>>,
    mut go_on: impl FnMut(&mut Connection, &[Vec<u8>], &[usize]),
) {
    let mut fuzz = Fuzz::of(good);
    let (inputs, mut loaded_inputs) = (fuzz::inputs(), 0);
    for batch in 0..inputs.div_ceil(BATCH) {
        let payloads: Vec<Vec<u8>> =
            (0..BATCH.min(inputs - batch * BATCH)).map(|input| payload(&mut fuzz, frame, input)).collect();
        let loaded = restore(redis, &payloads);
        loaded_inputs += loaded.len();
        go_on(redis, &payloads, &loaded);
    }
    eprintln!("{inputs} payloads, of which {loaded_inputs} loaded");
    assert!(loaded_inputs * 100 > inputs, "the damage is so great that nothing is tried: {loaded_inputs} loaded");
}

/// The next payload: a damaged value, now and then in a frame that is damaged too.
fn payload(fuzz: &mut Fuzz, frame: &Frame, input: usize) -> Vec<u8> {
    let mut dump = frame.around(&fuzz.next());
    if input.is_multiple_of(16) {
        let mut body = dump.split_off(frame.header_bytes());
        fuzz.wound(&mut body);
        dump.append(&mut body);
    }
    frame.sealed(dump)
}

/// Sends all, and gives every reply.
pub(crate) fn pipeline(redis: &mut Connection, pipeline: &mut Pipeline) -> Vec<RedisResult<Value>> {
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
