//! Sends calls and checks every reply: a fast wrong answer is no result.

use std::thread;

use anyhow::ensure;
use redis::{Cmd, Value};

use crate::server::Server;

pub(crate) struct Load {
    pub(crate) calls: u64,
    pub(crate) buyer_bytes: u8,
    pub(crate) connections: u16,
    pub(crate) pipeline: u16,
}

impl Load {
    /// The buyer of the call `at`: all different, in the order of their numbers.
    pub(crate) fn buyer(&self, at: u64) -> String {
        format!("{at:0width$}", width = self.buyer_bytes.into())
    }

    /// The same buyers in an order that no cache can guess.
    pub(crate) fn shuffled(&self, at: u64) -> String {
        // A prime beyond the number of calls, so that each buyer comes once.
        const STEP: u64 = 2_654_435_761;
        self.buyer(at * STEP % self.calls)
    }

    /// Sends `call(0)`, `call(1)`, … and gives the server's CPU time per call in µs. Every reply must be as `expected`.
    pub(crate) fn run(
        &self,
        server: &Server,
        expected: impl Fn(&Value) -> bool + Sync,
        call: impl Fn(u64) -> Cmd + Sync,
    ) -> anyhow::Result<f64> {
        let before_ns = server.cpu_ns()?;
        thread::scope(|scope| {
            let senders: Vec<_> = (0..self.connections)
                .map(|first| {
                    scope.spawn({
                        let (expected, call) = (&expected, &call);
                        move || self.send(server, first, expected, call)
                    })
                })
                .collect();
            senders.into_iter().try_for_each(|sender| sender.join().expect("a sender does not panic"))
        })?;
        Ok((server.cpu_ns()? - before_ns) as f64 / 1e3 / self.calls as f64)
    }

    fn send(
        &self,
        server: &Server,
        first: u16,
        expected: impl Fn(&Value) -> bool,
        call: impl Fn(u64) -> Cmd,
    ) -> anyhow::Result<()> {
        let mut connection = server.connect()?;
        let mut left = (first.into()..self.calls).step_by(self.connections.into());
        loop {
            let mut pipeline = redis::pipe();
            for at in left.by_ref().take(self.pipeline.into()) {
                pipeline.add_command(call(at));
            }
            if pipeline.is_empty() {
                return Ok(());
            }
            for reply in pipeline.query::<Vec<Value>>(&mut connection)? {
                ensure!(expected(&reply), "the server answered {reply:?}");
            }
        }
    }
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
