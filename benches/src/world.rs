//! The servers of one case, fresh, and `flash` as processes of their own.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};
use flash_servers::{Postgres, PostgresOptions, RabbitMq, RabbitMqOptions, Redis, RedisOptions, silent};
use redis::Connection;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const DATABASE: &str = "flash";
const VHOST: &str = "flash";

/// Where the program and the module are.
#[derive(Debug, Clone)]
pub struct Built {
    /// The program.
    pub flash: PathBuf,
    /// The module.
    pub module: PathBuf,
}

/// Redis with the module, RabbitMQ, and PostgreSQL with the schema; each with the settings that keep what they confirm.
pub struct World {
    /// With the module.
    pub redis: Redis,
    /// With a virtual host.
    pub rabbitmq: RabbitMq,
    /// With the schema.
    pub postgres: Postgres,
    flash: PathBuf,
    _dir: TempDir,
}

impl World {
    /// Starts them, and makes the schema.
    ///
    /// # Errors
    /// When one of them does not start.
    pub fn start(built: &Built) -> anyhow::Result<Self> {
        ensure!(built.module.is_file(), "there is no module at {}: build it first", built.module.display());
        // PostgreSQL runs as another user, who must get there.
        let open = std::fs::Permissions::from_mode(0o755);
        let dir = tempfile::Builder::new().permissions(open).tempdir()?;
        let args = ["--flash.fence-on-load", "yes"].map(Into::into).to_vec();
        let redis =
            RedisOptions { module: Some(built.module.clone()), args, ..RedisOptions::new(dir.path().join("redis")) };
        let world = Self {
            redis: Redis::start(&redis, silent)?,
            rabbitmq: RabbitMq::start(&RabbitMqOptions::new(dir.path().join("rabbitmq")), silent)?,
            postgres: Postgres::start(&PostgresOptions::new(dir.path().join("postgres")), silent)?,
            flash: built.flash.clone(),
            _dir: dir,
        };
        world.rabbitmq.create_vhost(VHOST)?;
        world.postgres.create_database(DATABASE)?;
        let migrated = world.command(&world.flash, &["migrate"]).status()?;
        ensure!(migrated.success(), "the schema cannot be made");
        Ok(world)
    }

    /// Where RabbitMQ is.
    pub fn amqp_url(&self) -> String {
        self.rabbitmq.url(VHOST)
    }

    /// Where PostgreSQL is.
    pub fn postgres_url(&self) -> String {
        self.postgres.url(DATABASE)
    }

    /// A connection to Redis.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub fn connect(&self) -> anyhow::Result<Connection> {
        Ok(redis::Client::open(self.redis.url())?.get_connection()?)
    }

    /// A gateway with its relay. It says where it serves before it has to be asked.
    ///
    /// # Errors
    /// When it does not start.
    pub fn gateway(&self, options: &[&str]) -> anyhow::Result<Part> {
        let args = [&["gateway", "-o", "json", "--auth", "none", "--listen", "127.0.0.1:0"], options].concat();
        let mut gateway = Part::start(self.command(&self.flash, &args))?;
        let line: serde_json::Value = serde_json::from_str(&gateway.line()?)?;
        let url = line["http"].as_str().and_then(|url| url.strip_prefix("http://")).context("no address")?;
        gateway.address = url.to_owned();
        Ok(gateway)
    }

    /// A syncer.
    ///
    /// # Errors
    /// When it does not start.
    pub fn syncer(&self) -> anyhow::Result<Part> {
        Part::start(self.command(&self.flash, &["syncer"]))
    }

    /// A program that dies with this thread, and knows where the servers are.
    pub fn command(&self, program: &std::path::Path, args: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).args(args).stdout(Stdio::piped());
        command.env("FLASH_REDIS_URL", self.redis.url());
        command.env("FLASH_ID_SECRET", "the same for all gateways of a Redis");
        command.env("FLASH_AMQP_URL", self.amqp_url()).env("FLASH_POSTGRES_URL", self.postgres_url());
        command
    }
}

/// A process of the way from the journal to PostgreSQL. Dropped, it is killed.
pub struct Part {
    child: Child,
    /// Where it serves; a gateway alone has one.
    pub address: String,
}

impl Part {
    /// Starts a process.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn start(mut command: Command) -> anyhow::Result<Self> {
        Ok(Self { child: command.spawn()?, address: String::new() })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The first line that it prints.
    ///
    /// # Errors
    /// When it ended, or its line was read already.
    pub fn line(&mut self) -> anyhow::Result<String> {
        let stdout = self.child.stdout.take().context("one line alone is read")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        ensure!(!line.is_empty(), "it ended before it said anything");
        Ok(line)
    }

    /// Has it ended by itself? It should not have.
    ///
    /// # Errors
    /// When it has ended.
    pub fn ensure_running(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => anyhow::bail!("a part of the pipeline has ended: {status}"),
        }
    }

    /// Asks it to stop, and waits for it.
    ///
    /// # Errors
    /// When the setting fails.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).context("a process id")?;
        kill_process(pid, Signal::TERM)?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
