//! The servers of one level and plight, and a gateway with its relay. The gateway reaches Redis by a way that can be
//! led elsewhere.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use flash_servers::{Gateway, GatewayOptions, Postgres, PostgresOptions, Redis, RedisOptions, silent};
use redis::Connection;
use tempfile::TempDir;

use crate::forward::Forward;
use crate::level::Level;
use flash_benches::http;
use flash_benches::journal;
use flash_benches::meter::Meter;

const DATABASE: &str = "flash";

/// Where the programs are.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub(crate) flash: PathBuf,
    pub(crate) module: PathBuf,
    /// Another server than the `redis-server` of the search path.
    pub(crate) redis: Option<PathBuf>,
}

pub(crate) struct Stage {
    pub(crate) level: Level,
    pub(crate) redis: Redis,
    pub(crate) postgres: Postgres,
    pub(crate) gateway: Gateway,
    /// From the gateway to Redis.
    pub(crate) way: Forward,
    programs: Programs,
    dir: TempDir,
}

impl Stage {
    pub(crate) fn start(programs: &Programs, level: Level) -> anyhow::Result<Self> {
        ensure!(programs.module.is_file(), "there is no module at {}: build it first", programs.module.display());
        // PostgreSQL runs as another user, who must get there.
        let open = fs::Permissions::from_mode(0o755);
        let dir = tempfile::Builder::new().permissions(open).tempdir()?;
        let redis = Redis::start(&redis_options(programs, level, dir.path(), "redis"), silent)?;
        let postgres = Postgres::start(&PostgresOptions::new(dir.path().join("postgres")), silent)?;
        postgres.create_database(DATABASE)?;
        let url = postgres.url(DATABASE);
        let migrated = Command::new(&programs.flash).arg("migrate").env("FLASH_POSTGRES_URL", &url).status()?;
        ensure!(migrated.success(), "the schema cannot be made");
        let way = Forward::to(redis.server.port())?;
        let gateway = Gateway::start(&GatewayOptions {
            dir: dir.path().join("gateway"),
            program: programs.flash.clone(),
            args: ["--auth", "none", "--transport", "direct"].map(Into::into).to_vec(),
            env: vec![
                ("FLASH_REDIS_URL", format!("redis://127.0.0.1:{}", way.port()).into()),
                ("FLASH_POSTGRES_URL", url.into()),
                ("FLASH_ID_SECRET", "the same for all gateways of a Redis".into()),
            ],
        })?;
        Ok(Self { level, redis, postgres, gateway, way, programs: programs.clone(), dir })
    }

    /// Where buyers connect: `127.0.0.1:port`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.gateway.server.port())
    }

    pub(crate) fn postgres_url(&self) -> String {
        self.postgres.url(DATABASE)
    }

    fn connect(&self) -> anyhow::Result<Connection> {
        Ok(redis::Client::open(self.redis.url())?.get_connection()?)
    }

    /// A path of this stage's.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Another Redis as the first one is, in a directory of its own.
    pub(crate) fn another_redis(&self, name: &str) -> anyhow::Result<Redis> {
        Ok(Redis::start(&redis_options(&self.programs, self.level, self.dir.path(), name), silent)?)
    }

    /// Puts a sale on sale. It is on the disk, if Redis has a file, before the level's own setting begins.
    pub(crate) fn create(&self, sale: &str, units: u64) -> anyhow::Result<()> {
        let address = self.address();
        Meter::start(&[]).until(|| Ok(u64::from(!http::is_ok(&address, "/readyz")?)))?;
        self.sync("always")?;
        http::create(&address, "/v1/sales", &format!("{{\"sale\":\"{sale}\",\"total\":{units}}}"))?;
        self.wait_until_dry(sale)?;
        self.level.appendfsync.map_or(Ok(()), |appendfsync| self.sync(appendfsync))
    }

    /// Waits until nothing of a sale is on its way any more.
    pub(crate) fn wait_until_dry(&self, sale: &str) -> anyhow::Result<()> {
        let mut redis = self.connect()?;
        Meter::start(&[]).until(|| journal::events(&mut redis, sale))
    }

    fn sync(&self, appendfsync: &str) -> anyhow::Result<()> {
        Ok(redis::cmd("CONFIG").arg(&["SET", "appendfsync", appendfsync]).exec(&mut self.connect()?)?)
    }

    /// The file to which Redis appends now.
    pub(crate) fn newest_file(&self) -> anyhow::Result<PathBuf> {
        let files = fs::read_dir(self.redis.server.dir().join("appendonlydir"))?;
        let files = files.filter_map(|entry| Some(entry.ok()?.path()));
        files.filter(|path| path.to_string_lossy().ends_with(".incr.aof")).max().context("no append-only file")
    }
}

fn redis_options(programs: &Programs, level: Level, dir: &Path, name: &str) -> RedisOptions {
    let appendonly = if level.appendfsync.is_some() { "yes" } else { "no" };
    let args = ["--flash.fence-on-load", "yes", "--repl-diskless-sync-delay", "0", "--appendonly", appendonly];
    RedisOptions {
        program: programs.redis.clone(),
        module: Some(programs.module.clone()),
        args: args.map(Into::into).to_vec(),
        ..RedisOptions::new(dir.join(name))
    }
}
