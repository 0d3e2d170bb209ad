//! Redis that syncs every command, PostgreSQL, and a gateway with a time limit for Redis.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use flash_benches::http;
use flash_servers::{Gateway, GatewayOptions, Postgres, PostgresOptions, Redis, RedisOptions, silent};
use tempfile::TempDir;

/// What is sold.
pub(crate) const SALE: &str = "drop";
const DATABASE: &str = "flash";
/// How long a gateway may take to be ready, and PostgreSQL to have every order.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

pub(crate) struct Stage {
    redis: Redis,
    _postgres: Postgres,
    gateway: Gateway,
    /// Its files go last.
    _dir: TempDir,
}

impl Stage {
    pub(crate) fn start(flash: &Path, module: &Path, limit_ms: u64) -> anyhow::Result<Self> {
        ensure!(module.is_file(), "there is no module at {}: build it first", module.display());
        // PostgreSQL runs as another user, who must get there.
        let open = fs::Permissions::from_mode(0o755);
        let dir = tempfile::Builder::new().permissions(open).tempdir()?;
        let redis = RedisOptions {
            module: Some(module.to_owned()),
            args: ["--appendonly", "yes", "--appendfsync", "always"].map(Into::into).to_vec(),
            ..RedisOptions::new(dir.path().join("redis"))
        };
        let redis = Redis::start(&redis, silent)?;
        let postgres = Postgres::start(&PostgresOptions::new(dir.path().join("postgres")), silent)?;
        postgres.create_database(DATABASE)?;
        let url = postgres.url(DATABASE);
        let migrated = Command::new(flash).arg("migrate").env("FLASH_POSTGRES_URL", &url).output()?;
        ensure!(migrated.status.success(), "the schema cannot be made");
        let limit = limit_ms.to_string();
        let args = ["--auth", "none", "--transport", "direct", "--redis-timeout-ms", &limit];
        let gateway = Gateway::start(&GatewayOptions {
            dir: dir.path().join("gateway"),
            program: flash.to_owned(),
            args: args.map(Into::into).to_vec(),
            env: vec![
                ("FLASH_REDIS_URL", redis.url().into()),
                ("FLASH_POSTGRES_URL", url.into()),
                ("FLASH_ID_SECRET", "the same for all gateways of a Redis".into()),
            ],
        })?;
        Ok(Self { redis, _postgres: postgres, gateway, _dir: dir })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    pub(crate) fn redis_pid(&self) -> anyhow::Result<u32> {
        self.redis.server.pid().context("Redis runs")
    }

    pub(crate) fn create(&self, units: u64) -> anyhow::Result<()> {
        until(|| http::is_ok(&self.address(), "/readyz"))?;
        http::create(&self.address(), "/v1/sales", &format!("{{\"sale\":\"{SALE}\",\"total\":{units}}}"))
    }

    pub(crate) fn rewrite_file(&self) -> anyhow::Result<()> {
        Ok(redis::cmd("BGREWRITEAOF").exec(&mut self.connect()?)?)
    }

    pub(crate) fn has_rewritten_file(&self) -> anyhow::Result<bool> {
        let info: String = redis::cmd("INFO").arg("persistence").query(&mut self.connect()?)?;
        Ok(info.contains("aof_last_bgrewrite_status:ok") && !info.contains("aof_rewrites:0\r"))
    }

    /// Waits until PostgreSQL has everything that Redis has sold; how much that is.
    pub(crate) fn wait_for_orders(&self) -> anyhow::Result<u64> {
        let mut redis = self.connect()?;
        let mut sold = 0;
        until(|| {
            let status: Vec<String> =
                redis::cmd("FLASH.STATUS").arg(format!("flash:{SALE}")).query(&mut redis).map(words)?;
            let number = |name: &str| {
                let at = status.iter().position(|word| word == name)?;
                status.get(at + 1)?.parse::<u64>().ok()
            };
            sold = number("confirmed").context("how many units are confirmed")?;
            Ok(number("journal_events") == Some(0))
        })?;
        Ok(sold)
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.gateway.server.port())
    }

    fn connect(&self) -> anyhow::Result<redis::Connection> {
        Ok(redis::Client::open(self.redis.url())?.get_connection()?)
    }
}

/// The words of a reply, however deep they are.
fn words(reply: redis::Value) -> Vec<String> {
    match reply {
        redis::Value::Array(values) => values.into_iter().flat_map(words).collect(),
        redis::Value::Int(number) => vec![number.to_string()],
        redis::Value::BulkString(bytes) => vec![String::from_utf8_lossy(&bytes).into_owned()],
        redis::Value::SimpleString(text) => vec![text],
        _ => vec![String::new()],
    }
}

fn until(mut is_so: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let begun = Instant::now();
    while !is_so()? {
        if begun.elapsed() > PATIENCE {
            bail!("not so after {} s", PATIENCE.as_secs());
        }
        thread::sleep(LOOK);
    }
    Ok(())
}
