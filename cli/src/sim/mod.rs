//! `flash sim`: the ways to sell what is limited, side by side.

mod chart;
mod report;

use std::fs;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use flash_gateway::Durability;
use flash_servers::usage;
use flash_sim::{Crowd, Outcome, Sale, Strategy, Verdict};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use self::report::Report;
use crate::args::{self, Output};
use crate::dev::{self, Running, Servers, Serving, Urls};
use crate::{run, threads};

/// Those who ask have a thread of their own, as people have machines of their own; what it costs is nobody's cost.
const BUYERS: &str = "flash-buyers";

/// Runs every strategy, one after the other, over the same arrivals. Fails only if one broke a promise that it makes.
pub(crate) fn run(args: &args::Sim, output: Output) -> Result<ExitCode> {
    dev::with_servers(&args.stack, async |servers| {
        let stop = run::asked_to_stop()?;
        let serving = Serving {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            threads: 1,
            rate_limits: Vec::new(),
            durability: Durability::MEMORY,
        };
        let running = Running::start(&args.stack, &servers, serving).await?;
        let code = tokio::select! {
            code = compare(args, &servers, output) => code,
            () = stop => bail!("stopped before the simulation was over"),
        };
        running.stop().await?;
        code
    })
}

async fn compare(args: &args::Sim, servers: &Servers<'_>, output: Output) -> Result<ExitCode> {
    let crowd = Crowd {
        buyers: args.buyers,
        repeat_percent: args.repeat_percent,
        requests_per_s: args.rate.unwrap_or(args.buyers),
        seed: args.seed.unwrap_or_else(rand::random),
    };
    let strategies = if args.strategy.is_empty() { Strategy::ALL.to_vec() } else { args.strategy.clone() };
    let report = Report::begin(output, &crowd);
    let mut outcomes = Vec::new();
    for strategy in strategies {
        let bar = servers.progress.bar(strategy.name(), crowd.requests());
        let answered = bar.clone();
        let outcome = sell(strategy, args, servers, crowd, move || answered.inc(1)).await;
        bar.finish_and_clear();
        let outcome = outcome.with_context(|| format!("{} cannot be run", strategy.name()))?;
        report.row(&outcome);
        outcomes.push(outcome);
    }
    report.end(&outcomes);
    if let Some(file) = &args.chart {
        fs::write(file, chart::svg(&outcomes)).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let is_broken = outcomes.iter().any(|outcome| outcome.verdict() == Verdict::Broken);
    Ok(if is_broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Sells by one strategy, from a thread of its own.
async fn sell(
    strategy: Strategy,
    args: &args::Sim,
    servers: &Servers<'_>,
    crowd: Crowd,
    answered: impl Fn() + Send + Sync + 'static,
) -> Result<Outcome> {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let sale = Sale {
        id: format!("sim-{}-{now_ms}", strategy.name()),
        units: args.units,
        concurrency: args.concurrency,
    };
    let measured = Measured { urls: servers.urls.clone(), pids: servers.pids.clone() };
    let (done, outcome) = oneshot::channel();
    let thread = std::thread::Builder::new().name(BUYERS.to_owned()).spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from);
        let outcome = runtime
            .and_then(|runtime| runtime.block_on(flash_sim::run(strategy, &measured, &sale, &crowd, answered)));
        let _ = done.send(outcome);
    })?;
    let outcome = outcome.await.context("the buyers' thread panicked")?;
    let _ = thread.join();
    outcome
}

/// The servers, and what they cost.
struct Measured {
    urls: Urls,
    pids: Vec<(&'static str, u32)>,
}

impl flash_sim::Servers for Measured {
    fn redis(&self) -> &str {
        &self.urls.redis
    }

    fn postgres(&self) -> &str {
        &self.urls.postgres
    }

    fn cpu(&self) -> Vec<(&'static str, Duration)> {
        let servers = self.pids.iter().map(|(name, pid)| (*name, usage::cpu(*pid)));
        servers.chain([("gateway and syncer", threads::cpu(|name| name != BUYERS))]).collect()
    }
}
