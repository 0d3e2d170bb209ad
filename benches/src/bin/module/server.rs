//! The server under measurement, and what it has used up.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use flash_servers::{Redis, RedisOptions, silent};
use redis::{Connection, FromRedisValue, InfoDict};
use tempfile::TempDir;

use crate::case::Aof;

/// A redis-server with the module in it.
pub(crate) struct Server {
    redis: Redis,
    pid: u32,
    _dir: TempDir,
}

/// What the server has used up so far. Exact while it sleeps.
pub(crate) struct Used {
    /// CPU time of all its threads.
    pub(crate) cpu_ns: u64,
    /// Time for which its main thread was ready to run, and another ran.
    pub(crate) waited_ns: u64,
    /// How often that happened in the middle of something.
    pub(crate) preempted: u64,
}

/// Calls that take longer stand in the SLOWLOG.
pub(crate) const SLOW_US: u64 = 200;

impl Server {
    pub(crate) fn start(module: &Path, aof: Aof) -> anyhow::Result<Self> {
        ensure!(module.is_file(), "there is no module at {}: build it first", module.display());
        let dir = tempfile::tempdir()?;
        let slow = ["--slowlog-log-slower-than".to_owned(), SLOW_US.to_string()];
        let rest = ["--slowlog-max-len", "100000", "--auto-aof-rewrite-percentage", "0"].map(str::to_owned);
        let settings = [&slow[..], &rest[..]].concat();
        let options = RedisOptions {
            module: Some(module.to_owned()),
            args: aof.settings().into_iter().chain(settings.iter().map(String::as_str)).map(Into::into).collect(),
            ..RedisOptions::new(dir.path())
        };
        let redis = Redis::start(&options, silent)?;
        let pid = redis.server.pid().context("the server runs")?;
        Ok(Self { redis, pid, _dir: dir })
    }

    pub(crate) fn connect(&self) -> anyhow::Result<Connection> {
        Ok(redis::Client::open(self.redis.url())?.get_connection()?)
    }

    pub(crate) fn version(&self) -> anyhow::Result<String> {
        self.info("server", "redis_version")
    }

    /// What the server has taken from its allocator.
    pub(crate) fn memory_bytes(&self) -> anyhow::Result<u64> {
        self.info("memory", "used_memory")
    }

    fn info<T: FromRedisValue>(&self, section: &str, field: &str) -> anyhow::Result<T> {
        let info: InfoDict = redis::cmd("INFO").arg(section).query(&mut self.connect()?)?;
        info.get(field).with_context(|| format!("INFO has no {field}"))
    }

    pub(crate) fn used(&self) -> anyhow::Result<Used> {
        let (mut cpu_ns, mut waited_ns) = (0, 0);
        for thread in fs::read_dir(format!("/proc/{}/task", self.pid))? {
            let thread = thread?;
            let schedstat = fs::read_to_string(thread.path().join("schedstat"))?;
            let mut fields = schedstat.split_ascii_whitespace();
            cpu_ns += fields.next().context("schedstat is empty")?.parse::<u64>()?;
            if thread.file_name().to_str() == Some(&self.pid.to_string()) {
                waited_ns = fields.next().context("schedstat has one field")?.parse()?;
            }
        }
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let preempted = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"));
        let preempted = preempted.context("status has no nonvoluntary_ctxt_switches")?.trim().parse()?;
        Ok(Used { cpu_ns, waited_ns, preempted })
    }
}
