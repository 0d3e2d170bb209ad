//! The three servers: private ones, or ones that run already; and a gateway for simulated buyers.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use flash_servers::{Gateway, GatewayOptions, Phase, Postgres, PostgresOptions, RabbitMq, RabbitMqOptions, Redis};
use flash_servers::{RedisOptions, Server};

use crate::args;
use crate::progress::Progress;
use crate::transport::Kind;

/// The database that a private PostgreSQL gets.
const DATABASE: &str = "flash";
/// The vhost that a private RabbitMQ gets.
const VHOST: &str = "flash";

/// A server of ours, or the URL of one that runs already.
enum Source<T> {
    Private(T),
    Running(String),
}

/// Where they are.
#[derive(Clone)]
pub(crate) struct Urls {
    pub(crate) redis: String,
    pub(crate) amqp: Option<String>,
    pub(crate) postgres: String,
}

/// Redis with the module, RabbitMQ and PostgreSQL.
pub(crate) struct Stack {
    redis: Source<Redis>,
    /// None: the transport needs none.
    amqp: Option<Source<RabbitMq>>,
    /// When it goes on, where it was stopped on purpose.
    amqp_paused_until: Option<Instant>,
    postgres: Source<Postgres>,
    /// None until somebody needs it.
    gateway: Option<Gateway>,
}

impl Stack {
    /// Starts those that no URL is given for, all at once: RabbitMQ takes seconds.
    pub(crate) fn start(args: &args::Stack, module: &Path, progress: &Progress) -> Result<Self> {
        thread::scope(|scope| {
            let redis = scope.spawn(|| source(args.redis.as_ref(), || start_redis(&args.dir, module, progress)));
            let amqp = (args.transport == Kind::Amqp)
                .then(|| scope.spawn(|| source(args.amqp.as_ref(), || start_rabbitmq(&args.dir, progress))));
            let postgres = source(args.postgres.as_ref(), || start_postgres(&args.dir, progress));
            let redis = redis.join().map_err(panicked)?;
            let amqp = amqp.map(|amqp| amqp.join().map_err(panicked)?).transpose();
            Ok(Self { redis: redis?, amqp: amqp?, amqp_paused_until: None, postgres: postgres?, gateway: None })
        })
    }

    pub(crate) fn urls(&self) -> Urls {
        Urls {
            redis: self.redis.url(Redis::url),
            amqp: self.amqp.as_ref().map(|amqp| amqp.url(|server| server.url(VHOST))),
            postgres: self.postgres.url(|server| server.url(DATABASE)),
        }
    }

    /// The process of each private one, by its name.
    pub(crate) fn pids(&mut self) -> Vec<(&'static str, u32)> {
        self.servers().filter_map(|(name, server)| Some((name, server.pid()?))).collect()
    }

    /// Where simulated buyers connect. Their gateway runs from now on.
    pub(crate) fn gateway(&mut self, options: &GatewayOptions) -> Result<String> {
        let gateway = match self.gateway.take() {
            Some(gateway) => gateway,
            None => Gateway::start(options)?,
        };
        Ok(self.gateway.insert(gateway).url())
    }

    /// Kills it, as a crash would. The supervisor starts it again.
    pub(crate) fn kill_gateway(&mut self) -> Result<()> {
        let gateway = self
            .gateway
            .as_mut()
            .context("the gateway for simulated buyers is not running: the first simulation of flash starts it")?;
        Ok(gateway.server.kill()?)
    }

    /// The same with the private Redis.
    pub(crate) fn kill_redis(&mut self) -> Result<()> {
        let redis = self.redis.private().context("flash dev did not start this Redis, so it does not stop it")?;
        Ok(redis.server.kill()?)
    }

    /// Stops the private RabbitMQ where it is, for so long.
    pub(crate) fn pause_rabbitmq(&mut self, time: Duration) -> Result<()> {
        if self.amqp_paused_until.is_some() {
            bail!("RabbitMQ is already paused, and continues within {} ms", time.as_millis());
        }
        let rabbitmq = self
            .amqp
            .as_mut()
            .and_then(Source::private)
            .context("flash dev did not start RabbitMQ, so it does not pause it")?;
        rabbitmq.server.pause();
        self.amqp_paused_until = Some(Instant::now() + time);
        Ok(())
    }

    /// Lets go on what was paused for long enough.
    pub(crate) fn resume_due(&mut self) {
        if self.amqp_paused_until.is_some_and(|until| until <= Instant::now()) {
            self.resume();
        }
    }

    fn resume(&mut self) {
        self.amqp_paused_until = None;
        if let Some(rabbitmq) = self.amqp.as_mut().and_then(Source::private) {
            rabbitmq.server.resume();
        }
    }

    /// Do all private ones still run? If one has ended by itself, the error gives its last log lines.
    pub(crate) fn ensure_running(&mut self) -> Result<(), flash_servers::Error> {
        self.servers().try_for_each(|(_, server)| server.ensure_running())
    }

    /// Starts those again that do not run, and says which.
    pub(crate) fn restart_dead(&mut self) -> Result<Vec<&'static str>> {
        let mut started = Vec::new();
        for (name, server) in self.servers() {
            if server.pid().is_none() {
                server.restart()?;
                started.push(name);
            }
        }
        Ok(started)
    }

    /// Stops the private ones, in the order in which data flows.
    pub(crate) fn stop(&mut self) -> Result<()> {
        // What is stopped where it is cannot end in order.
        self.resume();
        Ok(self.servers().try_for_each(|(_, server)| server.stop())?)
    }

    fn servers(&mut self) -> impl Iterator<Item = (&'static str, &mut Server)> {
        let servers = [
            ("the buyers' gateway", self.gateway.as_mut().map(|gateway| &mut gateway.server)),
            ("Redis", self.redis.private().map(|redis| &mut redis.server)),
            ("RabbitMQ", self.amqp.as_mut().and_then(Source::private).map(|rabbitmq| &mut rabbitmq.server)),
            ("PostgreSQL", self.postgres.private().map(|postgres| &mut postgres.server)),
        ];
        servers.into_iter().filter_map(|(name, server)| Some((name, server?)))
    }
}

impl<T> Source<T> {
    const fn private(&mut self) -> Option<&mut T> {
        match self {
            Self::Private(server) => Some(server),
            Self::Running(_) => None,
        }
    }

    fn url(&self, private: impl FnOnce(&T) -> String) -> String {
        match self {
            Self::Private(server) => private(server),
            Self::Running(url) => url.clone(),
        }
    }
}

fn source<T>(running: Option<&String>, start: impl FnOnce() -> Result<T>) -> Result<Source<T>> {
    match running {
        Some(url) => Ok(Source::Running(url.clone())),
        None => Ok(Source::Private(start()?)),
    }
}

fn start_redis(dir: &Path, module: &Path, progress: &Progress) -> Result<Redis> {
    // The gateway knows when a sale is whole.
    let args = ["--flash.fence-on-load", "yes"].map(Into::into).to_vec();
    let options = RedisOptions {
        module: Some(module.to_owned()),
        has_password: true,
        args,
        ..RedisOptions::new(dir.join("redis"))
    };
    watched("Redis", progress, |phase| Redis::start(&options, phase))
}

fn start_rabbitmq(dir: &Path, progress: &Progress) -> Result<RabbitMq> {
    let server =
        watched("RabbitMQ", progress, |phase| RabbitMq::start(&RabbitMqOptions::new(dir.join("rabbitmq")), phase))?;
    server.create_vhost(VHOST)?;
    Ok(server)
}

fn start_postgres(dir: &Path, progress: &Progress) -> Result<Postgres> {
    let server =
        watched("PostgreSQL", progress, |phase| Postgres::start(&PostgresOptions::new(dir.join("postgres")), phase))?;
    server.create_database(DATABASE)?;
    Ok(server)
}

fn watched<T>(
    name: &str,
    progress: &Progress,
    start: impl FnOnce(&mut dyn FnMut(Phase)) -> Result<T, flash_servers::Error>,
) -> Result<T> {
    let line = progress.spinner(format!("{name}: starting"));
    let started = start(&mut |phase| {
        line.set_message(format!(
            "{name}: {}",
            match phase {
                Phase::Creating => "creating its data",
                Phase::Starting => "starting",
                Phase::Ready => "ready",
            }
        ));
    });
    line.finish_and_clear();
    started.with_context(|| format!("cannot start {name}"))
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> anyhow::Error {
    anyhow::anyhow!("the thread that starts a server panicked")
}
