//! The server under measurement, and what it has used up.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use flash_servers::{Redis, RedisOptions, silent};
use redis::{Connection, FromRedisValue, InfoDict};
use tempfile::TempDir;

/// A redis-server with the module in it.
pub(crate) struct Server {
    redis: Redis,
    pid: u32,
    _dir: TempDir,
}

impl Server {
    /// Without an AOF: what is measured is the command.
    pub(crate) fn start(module: &Path) -> anyhow::Result<Self> {
        ensure!(module.is_file(), "there is no module at {}: build it first", module.display());
        let dir = tempfile::tempdir()?;
        let options = RedisOptions {
            module: Some(module.to_owned()),
            args: ["--appendonly", "no"].map(Into::into).into(),
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

    /// CPU time of all of the server's threads so far. Exact while they sleep.
    pub(crate) fn cpu_ns(&self) -> anyhow::Result<u64> {
        let mut sum_ns = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.pid))? {
            let schedstat = fs::read_to_string(thread?.path().join("schedstat"))?;
            let on_cpu_ns = schedstat.split(' ').next().context("schedstat is empty")?;
            sum_ns += on_cpu_ns.parse::<u64>()?;
        }
        Ok(sum_ns)
    }
}
