//! The three servers: private ones, or ones that run already.

use std::path::Path;
use std::thread;

use anyhow::{Context, Result};
use flash_servers::{Phase, Postgres, PostgresOptions, RabbitMq, RabbitMqOptions, Redis, RedisOptions, Server};

use super::progress::Progress;
use crate::args::{self, Transport};

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
    postgres: Source<Postgres>,
}

impl Stack {
    /// Starts those that no URL is given for, all at once: RabbitMQ takes seconds.
    pub(crate) fn start(args: &args::Stack, module: &Path, progress: &Progress) -> Result<Self> {
        thread::scope(|scope| {
            let redis = scope.spawn(|| source(args.redis.as_ref(), || start_redis(&args.dir, module, progress)));
            let amqp = (args.transport == Transport::Amqp)
                .then(|| scope.spawn(|| source(args.amqp.as_ref(), || start_rabbitmq(&args.dir, progress))));
            let postgres = source(args.postgres.as_ref(), || start_postgres(&args.dir, progress));
            let redis = redis.join().map_err(panicked)?;
            let amqp = amqp.map(|amqp| amqp.join().map_err(panicked)?).transpose();
            Ok(Self { redis: redis?, amqp: amqp?, postgres: postgres? })
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
        const NAMES: [&str; 3] = ["Redis", "RabbitMQ", "PostgreSQL"];
        let pids = self.servers().map(|server| server.and_then(|server| server.pid()));
        NAMES.into_iter().zip(pids).filter_map(|(name, pid)| Some((name, pid?))).collect()
    }

    /// Do all private ones still run? If one has ended by itself, the error gives its last log lines.
    pub(crate) fn ensure_running(&mut self) -> Result<(), flash_servers::Error> {
        self.servers().into_iter().flatten().try_for_each(Server::ensure_running)
    }

    /// Starts those again that do not run.
    pub(crate) fn restart_dead(&mut self) -> Result<()> {
        for server in self.servers().into_iter().flatten() {
            if server.pid().is_none() {
                server.restart()?;
            }
        }
        Ok(())
    }

    /// Stops the private ones, in the order in which data flows.
    pub(crate) fn stop(&mut self) -> Result<()> {
        Ok(self.servers().into_iter().flatten().try_for_each(Server::stop)?)
    }

    fn servers(&mut self) -> [Option<&mut Server>; 3] {
        [
            self.redis.private().map(|redis| &mut redis.server),
            self.amqp.as_mut().and_then(Source::private).map(|rabbitmq| &mut rabbitmq.server),
            self.postgres.private().map(|postgres| &mut postgres.server),
        ]
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
    let options = RedisOptions { module: Some(module.to_owned()), args, ..RedisOptions::new(dir.join("redis")) };
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
    started.with_context(|| format!("{name} cannot be started"))
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> anyhow::Error {
    anyhow::anyhow!("the thread that starts a server panicked")
}
