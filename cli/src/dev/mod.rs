//! `flash dev`: everything on this machine, in one directory.

mod id_secret;
mod progress;
mod stack;
mod supervisor;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use flash_broker::Amqp;
use flash_gateway::{Auth, Gateway, IdSecrets, Policy, Proxies, Transport};
use serde::Serialize;

pub(crate) use self::progress::Progress;
use self::stack::{Stack, Urls};
use self::supervisor::Supervisor;
use crate::args::{self, Output};
use crate::syncer::Syncer;
use crate::{demo, output, run};

/// Where everything is.
#[derive(Debug, Serialize)]
struct Addresses {
    http: String,
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
    let module = module(args)?;
    let progress = Progress::new();
    let stack = Stack::start(args, &module, &progress)?;
    let urls = stack.urls();
    let mut supervisor = Supervisor::start(stack);
    let result = run::block_on(async {
        tokio::select! {
            result = serve(args, (rate_limits, log_sample), output, &module, urls, &progress) => result,
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

/// Gateway and syncer live as long as this does; the servers outlive it.
async fn serve(
    args: &args::Dev,
    (rate_limits, log_sample): (Vec<Policy>, u64),
    output: Output,
    module: &Path,
    Urls { redis, amqp, postgres }: Urls,
    progress: &Progress,
) -> Result<ExitCode> {
    let stop = run::asked_to_stop()?;
    run::migrate_to_latest(&postgres).await?;
    let name = format!("flash dev {:08x}", rand::random::<u32>());
    let syncing = flash_syncer::Config { redis: redis.clone(), postgres: postgres.clone(), name };
    let (transport, syncer) = match amqp.clone() {
        Some(amqp) => (Transport::Amqp(amqp.clone()), Syncer::start(syncing, Amqp::new(amqp))),
        None => Syncer::start_direct(syncing),
    };
    let config = flash_gateway::Config {
        listen: args.listen,
        operator_listen: None,
        tls: None,
        operator_tls: None,
        auth: Auth::None,
        id_secrets: IdSecrets { makes: id_secret::of(&args.dir)?, also: None },
        redis: redis.clone(),
        transport,
        postgres: postgres.clone(),
        threads: args.threads,
        requests_max: flash_gateway::limits::REQUESTS_MAX,
        rate_limits,
        proxies: Proxies::default(),
        run_max: flash_gateway::RUN_EVENTS_MAX,
        drain_notice: Duration::ZERO,
        // What runs on this machine is what one tries webhooks with.
        webhooks_private: true,
        webhooks_cacert: None,
        sweep_after: Duration::from_millis(flash_gateway::limits::SWEEP_AFTER_MS),
        log_sample,
        durability: args.durability,
    };
    let gateway = Gateway::start(config)?;
    let http = format!("http://{}", gateway.address());
    let dir = std::path::absolute(&args.dir)?;
    let addresses = Addresses { http, redis, amqp, postgres, module: module.to_owned(), dir };
    let code = if args.demo {
        let postgres = addresses.postgres.clone();
        demo::run(&args.stampede, gateway.address(), &postgres, progress, output, stop).await
    } else {
        print(&addresses, output);
        stop.await;
        Ok(ExitCode::SUCCESS)
    };
    gateway.stop().await;
    syncer.stop().await?;
    code
}

fn print(addresses: &Addresses, output: Output) {
    if output == Output::Json {
        return output::json(addresses);
    }
    output::table(&[
        ("http", addresses.http.clone()),
        ("redis", addresses.redis.clone()),
        ("amqp", addresses.amqp.clone().unwrap_or_else(|| "none: the events go straight to PostgreSQL".to_owned())),
        ("postgres", addresses.postgres.clone()),
        ("module", addresses.module.display().to_string()),
        ("dir", addresses.dir.display().to_string()),
    ]);
    eprintln!("\nFor development only: the passwords are in the URLs above. Ctrl-C stops everything.");
}

fn module(args: &args::Dev) -> Result<PathBuf> {
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
