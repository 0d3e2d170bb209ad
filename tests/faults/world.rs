//! A whole Flash for one scenario: its own servers, two gateways and two syncers, and a proxy on each way between them.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use flash_servers::{Postgres, PostgresOptions, RabbitMq, RabbitMqOptions, Redis, RedisOptions, Server, silent};
use flash_tests::http::Http;
use flash_tests::{built, wait};
use tempfile::TempDir;

use crate::clocks::Clocks;
use crate::links::{Link, Links, PROCESSES};
use crate::process::Process;
use flash_tests::background::Background;

/// The database and the vhost.
pub(crate) const NAME: &str = "faults";
/// The processes in their order.
pub(crate) const NAMES: [&str; PROCESSES] = ["gateway-0", "gateway-1", "syncer-0", "syncer-1"];
/// Of PostgreSQL's clock.
pub(crate) const POSTGRES_CLOCK: &str = "postgres";
/// The key of messages, where they are signed.
pub(crate) const MESSAGE_KEY: &str = "the key of this world, as long as is asked for";
/// How long everything may take to be ready at first.
const READY: Duration = Duration::from_secs(120);

/// How often a server is started that finds its port taken.
const STARTS_MAX: u32 = 5;

/// What is not the same in every scenario's world.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    /// More arguments of redis-server: `--name value …`.
    pub(crate) redis: Vec<String>,
    /// More settings of PostgreSQL: `name=value`.
    pub(crate) postgres: Vec<String>,
    /// More lines of RabbitMQ's configuration.
    pub(crate) rabbitmq: Vec<String>,
    /// Whether the clocks of gateways, syncers and PostgreSQL can be set.
    pub(crate) clocks: bool,
    /// Whether messages are signed, with [`MESSAGE_KEY`].
    pub(crate) signs: bool,
    /// Where each server keeps its data, in the order Redis, RabbitMQ, PostgreSQL; none: with the rest.
    pub(crate) places: [Option<PathBuf>; 3],
}

/// The servers.
pub(crate) struct Servers {
    pub(crate) redis: Redis,
    pub(crate) rabbitmq: RabbitMq,
    pub(crate) postgres: Postgres,
}

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Redis,
    RabbitMq,
    Postgres,
}

/// A whole Flash.
pub(crate) struct World {
    pub(crate) servers: Servers,
    pub(crate) links: Links,
    /// Two gateways, then two syncers.
    pub(crate) processes: Vec<Process>,
    pub(crate) gateways: [SocketAddr; 2],
    pub(crate) background: Background,
    clocks: Option<Clocks>,
    dir: TempDir,
}

impl World {
    /// Everything runs and is ready.
    pub(crate) fn start(terms: &Terms) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let clocks = terms.clocks.then(Clocks::new).transpose()?;
        let servers = Servers::start(&dir, terms, clocks.as_ref())?;
        let common = common_environment(&dir, terms)?;
        let background = Background::start()?;
        let links = Links::start(&background, &servers)?;
        let gateways = [free_address()?, free_address()?];
        let mut processes = Vec::new();
        for (number, name) in NAMES.into_iter().enumerate() {
            let mut environment = links.environment(&servers, number);
            environment.extend(common.iter().cloned());
            if let Some(clocks) = &clocks {
                environment.extend(clocks.environment(name)?);
            }
            let process = match gateways.get(number) {
                Some(address) => {
                    let args = ["gateway", "--auth", "none", "--listen", &address.to_string()];
                    Process::new(name, &args, environment, dir.path())
                }
                None => Process::new(name, &["syncer"], environment, dir.path()),
            };
            processes.push(process);
        }
        migrate(&servers, dir.path())?;
        let mut world = Self { servers, links, processes, gateways, background, clocks, dir };
        world.processes.iter_mut().try_for_each(Process::start)?;
        world.wait_until_ready()?;
        Ok(world)
    }

    pub(crate) fn server(&mut self, which: Which) -> &mut Server {
        match which {
            Which::Redis => &mut self.servers.redis.server,
            Which::RabbitMq => &mut self.servers.rabbitmq.server,
            Which::Postgres => &mut self.servers.postgres.server,
        }
    }

    /// From now on the clock of a process, or of PostgreSQL, is off by so much.
    ///
    /// # Errors
    /// Where [`Terms::clocks`] does not say so.
    pub(crate) fn set_clock(&self, name: &str, offset_s: i64) -> Result<()> {
        self.clocks.as_ref().context("a world whose clocks can be set")?.set(name, offset_s)
    }

    /// A folder of this world's.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// From now on a server is somewhere else.
    pub(crate) fn lead_to(&self, which: Which, port: u16) {
        self.links.lead_to(which, SocketAddr::from(([127, 0, 0, 1], port)));
    }

    /// RabbitMQ 3.10 may lose a queue that was declared less than a second before it is killed. Stopped in order, it
    /// has written it down.
    pub(crate) fn settle_rabbitmq(&mut self) -> Result<()> {
        self.servers.rabbitmq.server.stop()?;
        self.servers.rabbitmq.server.restart()?;
        Ok(())
    }

    /// Takes every fault away, and starts what does not run. Whatever ended by itself is an error.
    pub(crate) fn heal(&mut self) -> Result<()> {
        self.links.heal();
        for which in [Which::Redis, Which::RabbitMq, Which::Postgres] {
            let server = self.server(which);
            server.resume();
            server.ensure_running()?;
            if server.pid().is_none() {
                server.restart()?;
            }
        }
        for process in &mut self.processes {
            process.resume();
            process.ensure_sound()?;
            if !process.is_alive() {
                process.start()?;
            }
        }
        Ok(())
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let ready = |address: SocketAddr| {
            let answer = Http::connect(address).and_then(|mut http| http.get("/readyz?verbose"));
            answer.is_ok_and(|answer| answer.body["checks"]["rabbitmq"] == "ok" && answer.status == 200)
        };
        let all = wait::within(READY, || self.gateways.into_iter().all(ready).then_some(()));
        self.processes.iter_mut().try_for_each(Process::ensure_sound)?;
        all.ok_or_else(|| anyhow!("not ready; gateway-0 says\n{}", self.processes[0].log_tail()))
    }
}

impl Servers {
    fn start(dir: &TempDir, terms: &Terms, clocks: Option<&Clocks>) -> Result<Self> {
        let place = |at: usize, name: &str| terms.places[at].clone().unwrap_or_else(|| dir.path().join(name));
        let redis_options = RedisOptions {
            module: Some(built("libflash.so")),
            args: terms.redis.iter().map(Into::into).collect(),
            ..RedisOptions::new(place(0, "redis"))
        };
        let rabbitmq_options =
            RabbitMqOptions { config: terms.rabbitmq.clone(), ..RabbitMqOptions::new(place(1, "rabbitmq")) };
        let postgres_options = PostgresOptions {
            settings: terms.postgres.clone(),
            environment: clocks.map(|clocks| clocks.environment(POSTGRES_CLOCK)).transpose()?.unwrap_or_default(),
            ..PostgresOptions::new(place(2, "postgres"))
        };
        let (redis, rabbitmq, postgres) = thread::scope(|scope| {
            let rabbitmq = scope.spawn(|| insist(|| RabbitMq::start(&rabbitmq_options, silent)));
            let postgres = insist(|| Postgres::start(&postgres_options, silent));
            let redis = insist(|| Redis::start(&redis_options, silent));
            (redis, rabbitmq.join(), postgres)
        });
        let rabbitmq = rabbitmq.map_err(|_| anyhow!("the thread that starts RabbitMQ panicked"))??;
        let servers = Self { redis: redis?, rabbitmq, postgres: postgres? };
        servers.rabbitmq.create_vhost(NAME)?;
        servers.postgres.create_database(NAME)?;
        Ok(servers)
    }

    /// The URLs that lead straight to the servers, in the order Redis, RabbitMQ, PostgreSQL.
    pub(crate) fn urls(&self) -> [String; 3] {
        [self.redis.url(), self.rabbitmq.url(NAME), self.postgres.url(NAME)]
    }

    pub(crate) fn port(&self, which: Which) -> u16 {
        match which {
            Which::Redis => self.redis.server.port(),
            Which::RabbitMq => self.rabbitmq.server.port(),
            Which::Postgres => self.postgres.server.port(),
        }
    }
}

impl Which {
    pub(crate) const ALL: [Self; 3] = [Self::Redis, Self::RabbitMq, Self::Postgres];
}

impl Link {
    /// Its name in a schedule.
    pub(crate) fn name(self) -> String {
        format!("{} to {:?}", NAMES[self.process], self.server)
    }
}

/// Another process may take a port between our look at it and the server's start: then it is another port.
fn insist<T>(start: impl Fn() -> Result<T, flash_servers::Error>) -> Result<T, flash_servers::Error> {
    let mut started = start();
    for _ in 1..STARTS_MAX {
        if !matches!(started, Err(flash_servers::Error::PortTaken { .. })) {
            break;
        }
        started = start();
    }
    started
}

/// The settings of every process.
fn common_environment(dir: &TempDir, terms: &Terms) -> Result<Vec<(&'static str, String)>> {
    let mut environment = vec![("FLASH_ID_SECRET", "the same for all gateways of a Redis".to_owned())];
    if terms.signs {
        let file = dir.path().join("message-keys");
        fs::write(&file, MESSAGE_KEY)?;
        environment.push(("FLASH_MESSAGE_KEYS", file.display().to_string()));
    }
    Ok(environment)
}

fn migrate(servers: &Servers, folder: &std::path::Path) -> Result<()> {
    let environment = vec![("FLASH_POSTGRES_URL", servers.postgres.url(NAME))];
    let mut migrate = Process::new("migrate", &["migrate"], environment, folder);
    migrate.start()?;
    match wait::within(READY, || (!migrate.is_alive()).then_some(())) {
        Some(()) => Ok(()),
        None => bail!("the schema takes too long"),
    }
}

/// An address that is free now. The gateway takes it in a moment.
fn free_address() -> Result<SocketAddr> {
    let port = flash_servers::free_port().context("a gateway's port")?;
    Ok(SocketAddr::from(([127, 0, 0, 1], port)))
}
