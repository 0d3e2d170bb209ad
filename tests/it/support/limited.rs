//! A world whose gateway limits rates, and answers that a busy machine may not have.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::http::{Answer, Http};
use super::wait;
use super::world::World;

/// A world whose gateway has been told this.
pub(crate) struct Limited {
    pub(crate) world: World,
    /// Where its configuration file is.
    pub(crate) config: String,
    _dir: TempDir,
}

impl Limited {
    pub(crate) fn start(database: &str, config: &str) -> Self {
        Self::start_with(database, config, &[])
    }

    pub(crate) fn start_with(database: &str, config: &str, args: &[&str]) -> Self {
        let world = World::start_direct(database);
        world.create_sale("{\"sale\":\"drop\",\"total\":1000}");
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("flash.toml").to_str().expect("UTF-8").to_owned();
        let mut limited = Self { world, config: path, _dir: dir };
        limited.restart(config, args);
        limited
    }

    /// Starts the gateway again, with another configuration file.
    pub(crate) fn restart(&mut self, config: &str, args: &[&str]) {
        fs::write(&self.config, config).expect("writable");
        self.world.kill_gateway();
        self.world.start_gateway_with(&[&["--config", &self.config], args].concat());
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.http().send("GET", path, headers, "").expect("an answer")
    }

    pub(crate) fn reserve(&self, buyer: &str) -> Answer {
        self.reserve_of("drop", buyer)
    }

    pub(crate) fn reserve_of(&self, sale: &str, buyer: &str) -> Answer {
        let path = format!("/v1/sales/{sale}/reservations");
        self.http().post(&path, &format!("{{\"buyer\":\"{buyer}\"}}")).expect("an answer")
    }

    pub(crate) fn available(&self, sale: &str) -> u64 {
        let known = || self.get(&format!("/v1/sales/{sale}"), &[]).body["available"].as_u64();
        wait::until("how many are available", known)
    }

    pub(crate) fn http(&self) -> Http {
        self.world.http()
    }

    pub(crate) fn signal_redis(&self, signal: Signal) {
        let pid = self.world.redis.redis.server.pid().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        kill_process(pid.expect("Redis runs"), signal).expect("ours to signal");
    }
}

/// A policy as a configuration file has it.
pub(crate) fn policy(name: &str, rest: &str) -> String {
    format!("[[rate-limit]]\nname = \"{name}\"\n{rest}\n")
}

/// Redis did not answer in time, as happens on a busy machine. The request may have been counted.
pub(crate) fn is_unknown(answer: &Answer) -> bool {
    [503, 504].contains(&answer.status)
}

/// The statuses of answers, if Redis gave all of them in time.
pub(crate) fn statuses<const N: usize>(answers: [Answer; N]) -> Option<[u16; N]> {
    (!answers.iter().any(is_unknown)).then(|| answers.map(|answer| answer.status))
}

/// Asks until an answer comes in time.
pub(crate) fn in_time(ask: impl Fn() -> Answer) -> Answer {
    wait::until("an answer in time", || Some(ask()).filter(|answer| !is_unknown(answer)))
}

/// Asks until it is refused.
pub(crate) fn refusal(ask: impl Fn() -> Answer) -> Answer {
    wait::until("a refusal", || Some(ask()).filter(|answer| answer.status == 429))
}

/// Tries what counts requests, each time with other names, until every answer came in time: of one that did not, nobody
/// knows whether it was counted.
pub(crate) fn try_in_time(mut try_with: impl FnMut(u32) -> Option<()>) {
    let mut tries = 0;
    wait::until("answers in time", || {
        tries += 1;
        try_with(tries)
    });
}
