//! `flash dev`: everything on this machine, in one directory.

mod buyers_gateway;
mod faults;
mod id_secret;
mod progress;
mod simulations;
mod stack;
mod supervisor;
mod devtools;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use flash_broker::{Amqp, MessageKeys};
use flash_client::Durability;
use flash_gateway::{Auth, Gateway, IdSecrets, Policy, Proxies, Transport};
use serde::Serialize;

pub(crate) use self::progress::Progress;
use self::stack::Stack;
pub(crate) use self::stack::Urls;
use self::supervisor::{Orders, Supervisor};
use self::devtools::Devtools;
use crate::args::{self, Output};
use crate::syncer::Syncer;
use crate::{demo, output, run};

/// Where everything is.
#[derive(Debug, Serialize)]
struct Addresses {
    http: String,
    console: String,
    docs: String,
    redis: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    amqp: Option<String>,
    postgres: String,
    module: PathBuf,
    dir: PathBuf,
}

/// Starts everything, waits for Ctrl-C or runs the demo, stops everything.
pub(crate) fn run(args: &args::Dev, rate_limits: Vec<Policy>, log_sample: u64, output: Output) -> Result<ExitCode> {
    if args.demo && args.stampede.units > args.stampede.buyers {
        bail!("--units must be at most --buyers, or some would be left over");
    }
    check_free(args.listen)?;
    with_servers(&args.stack, async |servers| {
        let stop = run::asked_to_stop()?;
        let devtools = Arc::new(Devtools::new(&args.stack, &servers, args.durability)?);
        let serving = Serving {
            listen: args.listen,
            auth_none_anywhere: args.auth_none_anywhere,
            hosts: args.hosts.clone(),
            threads: args.threads,
            rate_limits,
            log_sample,
            durability: args.durability,
            devtools: Some(devtools.clone()),
        };
        let running = Running::start(&args.stack, &servers, serving).await?;
        let code = if args.demo {
            let (address, postgres) = (running.gateway.address(), &servers.urls.postgres);
            demo::run(&args.stampede, address, postgres, servers.progress, output, stop).await
        } else {
            print(&addresses(&args.stack, &running, &servers)?, output);
            stop.await;
            Ok(ExitCode::SUCCESS)
        };
        devtools.close();
        running.stop().await?;
        code
    })
}

/// Looks before the servers start, which takes seconds.
fn check_free(address: SocketAddr) -> Result<()> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) => bail!("--listen {address} cannot be used: {error}; choose another one, or leave it out"),
    }
}

/// The servers that run.
pub(crate) struct Servers<'a> {
    pub(crate) urls: Urls,
    /// The process of each private one, by its name.
    pub(crate) pids: Vec<(&'static str, u32)>,
    module: PathBuf,
    pub(crate) progress: &'a Progress,
    orders: Orders,
}

/// Starts the servers, does some work with them, and stops them.
pub(crate) fn with_servers(
    args: &args::Stack,
    work: impl AsyncFnOnce(Servers<'_>) -> Result<ExitCode>,
) -> Result<ExitCode> {
    let module = module(args)?;
    let progress = Progress::new();
    let mut stack = Stack::start(args, &module, &progress)?;
    let (urls, pids) = (stack.urls(), stack.pids());
    let mut supervisor = Supervisor::start(stack);
    let servers = Servers { urls, pids, module, progress: &progress, orders: supervisor.orders() };
    let result = run::block_on(async {
        tokio::select! {
            result = work(servers) => result,
            error = supervisor.failed() => Err(error),
        }
    });
    let line = progress.spinner("stopping the servers");
    let stopped = supervisor.stop();
    line.finish_and_clear();
    let code = result?;
    stopped?;
    Ok(code)
}

/// How the gateway serves.
pub(crate) struct Serving {
    pub(crate) listen: SocketAddr,
    pub(crate) auth_none_anywhere: bool,
    pub(crate) hosts: Vec<flash_gateway::Host>,
    pub(crate) threads: usize,
    pub(crate) rate_limits: Vec<Policy>,
    pub(crate) log_sample: u64,
    pub(crate) durability: Durability,
    pub(crate) devtools: Option<Arc<dyn flash_gateway::Devtools>>,
}

/// Gateway and syncer, within this process.
pub(crate) struct Running {
    pub(crate) gateway: Gateway,
    syncer: Syncer,
}

impl Running {
    pub(crate) async fn start(args: &args::Stack, servers: &Servers<'_>, serving: Serving) -> Result<Self> {
        let Urls { redis, amqp, postgres } = servers.urls.clone();
        run::migrate_to_latest(&postgres).await?;
        let name = format!("flash dev {:08x}", rand::random::<u32>());
        let syncing = flash_syncer::Config { redis: redis.clone(), postgres: postgres.clone(), name };
        let (transport, syncer) = match amqp {
            Some(amqp) => {
                let keys = MessageKeys::open(&id_secret::message_keys(&args.dir)?)?;
                let amqp = Amqp::new(amqp).with_keys(keys);
                (Transport::Amqp(amqp.clone()), Syncer::start(syncing, amqp))
            }
            None => Syncer::start_direct(syncing),
        };
        let gateway = Gateway::start(flash_gateway::Config {
            listen: serving.listen,
            operator_listen: None,
            tls: None,
            operator_tls: None,
            auth: Auth::None,
            auth_none_anywhere: serving.auth_none_anywhere,
            hosts: serving.hosts,
            id_secrets: IdSecrets { makes: id_secret::of(&args.dir)?, also: None },
            redis,
            transport,
            postgres,
            threads: serving.threads,
            redis_timeout: Duration::from_millis(flash_client::REDIS_TIMEOUT_MS),
            requests_max: flash_gateway::limits::REQUESTS_MAX,
            connections_per_address: 0,
            streams_per_address: 0,
            hsts_max_age_s: None,
            keep_alive: Duration::from_millis(flash_gateway::limits::KEEP_ALIVE_MS),
            rate_limits: serving.rate_limits,
            proxies: Proxies::default(),
            run_max: flash_relay::RUN_EVENTS_MAX,
            drain_notice: Duration::ZERO,
            // What runs on this machine is what one tries webhooks with.
            webhooks_private: true,
            webhooks_cacert: None,
            sweep_after: Duration::from_millis(flash_recovery::SWEEP_AFTER_MS),
            log_sample: serving.log_sample,
            durability: serving.durability,
            devtools: serving.devtools,
        })?;
        Ok(Self { gateway, syncer })
    }

    pub(crate) async fn stop(self) -> Result<()> {
        self.gateway.stop().await;
        self.syncer.stop().await
    }
}

fn addresses(args: &args::Stack, running: &Running, servers: &Servers<'_>) -> Result<Addresses> {
    let Urls { redis, amqp, postgres } = servers.urls.clone();
    let http = format!("http://{}", running.gateway.address());
    Ok(Addresses {
        console: format!("{http}/console/"),
        docs: format!("{http}/docs"),
        http,
        redis,
        amqp,
        postgres,
        module: servers.module.clone(),
        dir: std::path::absolute(&args.dir)?,
    })
}

fn print(addresses: &Addresses, output: Output) {
    if output == Output::Json {
        return output::json(addresses);
    }
    output::table(&[
        ("http", addresses.http.clone()),
        ("console", addresses.console.clone()),
        ("docs", addresses.docs.clone()),
        ("redis", addresses.redis.clone()),
        ("amqp", addresses.amqp.clone().unwrap_or_else(|| "none: the events go straight to PostgreSQL".to_owned())),
        ("postgres", addresses.postgres.clone()),
        ("module", addresses.module.display().to_string()),
        ("dir", addresses.dir.display().to_string()),
    ]);
    eprintln!("\nFor development only: the passwords are in the URLs above. Ctrl-C stops everything.");
}

fn module(args: &args::Stack) -> Result<PathBuf> {
    let beside = || Ok::<_, std::io::Error>(std::env::current_exe()?.with_file_name("libflash.so"));
    let module = std::path::absolute(args.module.clone().map_or_else(beside, Ok)?)?;
    if module.is_file() {
        return Ok(module);
    }
    bail!(
        "the Redis module {} is not there: build it (`cargo build --release`), or name it by --module",
        module.display()
    )
}
