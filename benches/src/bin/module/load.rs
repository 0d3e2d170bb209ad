//! Sends calls and checks every reply: a fast wrong answer is no result. How fast they are sent does not matter, for
//! what is measured is the server's own time.

use anyhow::ensure;
use redis::{Cmd, Connection, Value};
use serde::Serialize;

use crate::server::Server;

/// What calls of one kind cost.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Cost {
    /// The server's CPU time per call.
    pub(crate) us: f64,
    /// The slowest call by the server's SLOWLOG; none: all were below what it takes down.
    pub(crate) slowest_us: Option<u64>,
    /// How often the server was taken from its CPU, and for how long: a call in the SLOWLOG may have waited, not
    /// worked.
    pub(crate) preempted: u64,
    pub(crate) waited_us: u64,
}

impl Cost {
    /// Other work on the machine only ever adds.
    pub(crate) fn least(self, other: Self) -> Self {
        Self {
            us: self.us.min(other.us),
            slowest_us: self.slowest_us.min(other.slowest_us),
            preempted: self.preempted.min(other.preempted),
            waited_us: self.waited_us.min(other.waited_us),
        }
    }
}

/// Sends `calls`, `in_flight` at a time. Every reply must be as `is_expected` says.
pub(crate) fn run(
    server: &Server,
    in_flight: u16,
    count: u64,
    call: impl Fn(u64) -> Cmd,
    is_expected: impl Fn(&Value) -> bool,
) -> anyhow::Result<Cost> {
    let mut connection = server.connect()?;
    redis::cmd("SLOWLOG").arg("RESET").exec(&mut connection)?;
    let before = server.used()?;
    let mut left = 0..count;
    loop {
        let mut pipeline = redis::pipe();
        for at in left.by_ref().take(in_flight.into()) {
            pipeline.add_command(call(at));
        }
        if pipeline.is_empty() {
            break;
        }
        for reply in pipeline.query::<Vec<Value>>(&mut connection)? {
            ensure!(is_expected(&reply), "the server answered {reply:?}");
        }
    }
    let after = server.used()?;
    Ok(Cost {
        us: (after.cpu_ns - before.cpu_ns) as f64 / 1e3 / count as f64,
        slowest_us: slowest_us(&mut connection)?,
        preempted: after.preempted - before.preempted,
        waited_us: (after.waited_ns - before.waited_ns) / 1_000,
    })
}

/// The longest call in the server's SLOWLOG.
fn slowest_us(connection: &mut Connection) -> anyhow::Result<Option<u64>> {
    let entries: Vec<Vec<Value>> = redis::cmd("SLOWLOG").arg("GET").arg(-1).query(connection)?;
    let duration_us = |entry: Vec<Value>| match entry.get(2) {
        Some(Value::Int(us)) => u64::try_from(*us).ok(),
        _ => None,
    };
    Ok(entries.into_iter().filter_map(duration_us).max())
}

/// Whether a reply begins with `code`.
pub(crate) fn begins(reply: &Value, code: &str) -> bool {
    match reply {
        Value::Array(fields) => fields.first().is_some_and(|first| begins(first, code)),
        Value::SimpleString(text) => text == code,
        Value::BulkString(bytes) => bytes == code.as_bytes(),
        _ => false,
    }
}
