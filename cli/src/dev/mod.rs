//! `flash dev`: everything on this machine, in one directory.

mod buyers_gateway;
mod devtools;
mod faults;
mod simulations;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail};
use flash_gateway::Policy;
use serde::Serialize;

use self::devtools::Devtools;
use crate::args::{self, Output};
use crate::stack::{Running, Servers, Serving, Urls, with_servers};
use crate::{demo, output, runtime};

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
        bail!("--units must be at most --buyers, or units would remain");
    }
    check_free(args.listen)?;
    with_servers(&args.stack, async |servers| {
        let stop = runtime::asked_to_stop()?;
        let devtools = Arc::new(Devtools::new(&args.stack, &servers, args.durability)?);
        let serving = Serving {
            listen: args.listen,
            auth_none_anywhere: args.auth_none_anywhere,
            hosts: args.hosts.clone(),
            cors_origins: args.cors_origins.clone(),
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
        Err(error) => bail!("cannot listen on {address}: {error}; use another --listen, or none"),
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
