//! Everything on this machine: the servers, and a gateway and a syncer over them.

pub(crate) mod id_secret;
mod servers;
mod supervisor;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use flash_client::Durability;
use flash_gateway::{Auth, Gateway, IdSecrets, Policy, Proxies};

pub(crate) use self::servers::{Stack, Urls};
pub(crate) use self::supervisor::Orders;
use self::supervisor::Supervisor;
use crate::progress::Progress;
use crate::syncer::task::Syncer;
use crate::transport::Transport;
use crate::{args, migrate, runtime};

/// The servers that run.
pub(crate) struct Servers<'a> {
    pub(crate) urls: Urls,
    /// The process of each private one, by its name.
    pub(crate) pids: Vec<(&'static str, u32)>,
    pub(crate) module: PathBuf,
    pub(crate) progress: &'a Progress,
    pub(crate) orders: Orders,
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
    let result = runtime::block_on(async {
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
    pub(crate) cors_origins: Vec<flash_gateway::Origin>,
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
        migrate::to_latest(&postgres).await?;
        let name = format!("flash dev {:08x}", rand::random::<u32>());
        let syncing = flash_syncer::Config { redis: redis.clone(), postgres: postgres.clone(), name };
        let transport = Transport::of_this_machine(amqp, || id_secret::message_keys(&args.dir))?;
        let syncer = transport.start_syncer(syncing);
        let gateway = transport.start_gateway(flash_gateway::Config {
            listen: serving.listen,
            operator_listen: None,
            tls: None,
            operator_tls: None,
            auth: Auth::None,
            auth_none_anywhere: serving.auth_none_anywhere,
            hosts: serving.hosts,
            cors_origins: serving.cors_origins,
            id_secrets: IdSecrets { makes: id_secret::of(&args.dir)?, also: None },
            redis,
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
