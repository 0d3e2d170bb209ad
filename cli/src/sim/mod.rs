//! `flash sim`: the ways to sell what is limited, side by side.

mod chart;
mod line;
mod live;
mod measured;
pub(crate) mod over_http;
mod report;
mod table;

use std::fs;
use std::future::pending;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use flash_client::Durability;
use flash_sim::{Crowd, Live, Outcome, Sale, Seller, Strategy, Verdict};

use self::live::Lines;
use self::measured::Measured;
use self::report::Report;
use crate::args::{self, Output};
use crate::clock::now_ms;
use crate::load::{Endpoint, Street};
use crate::stack::{self, Running, Servers, Serving};
use crate::{buyers, runtime};

/// Runs every strategy, one after the other, over the same arrivals. Fails only if one broke a promise that it makes.
pub(crate) fn run(args: &args::Sim, log_sample: u64, output: Output) -> Result<ExitCode> {
    stack::with_servers(&args.stack, async |servers| {
        let stop = runtime::asked_to_stop()?;
        // Its gateway relays what `flash` sells. Over HTTP it has the same one thread that a shop has.
        let serving = Serving {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            auth_none_anywhere: false,
            hosts: Vec::new(),
            cors_origins: Vec::new(),
            threads: 1,
            rate_limits: Vec::new(),
            log_sample,
            durability: Durability::MEMORY,
            devtools: None,
        };
        let running = Running::start(&args.stack, &servers, serving).await?;
        let code = tokio::select! {
            code = compare(args, &servers, running.gateway.address(), output) => code,
            () = stop => bail!("stopped before the end of the simulation"),
        };
        running.stop().await?;
        code
    })
}

async fn compare(args: &args::Sim, servers: &Servers<'_>, gateway: SocketAddr, output: Output) -> Result<ExitCode> {
    let crowd = Crowd {
        buyers: args.buyers,
        repeat_percent: args.repeat_percent,
        requests_per_s: args.rate,
        seed: args.seed.unwrap_or_else(rand::random),
    };
    let strategies = if args.strategy.is_empty() { Strategy::ALL.to_vec() } else { args.strategy.clone() };
    let report = Report { output, crowd, units: args.units, concurrency: args.concurrency, http: args.http };
    let lines = Lines::new(&strategies, crowd.requests(), servers.progress);
    let mut outcomes = Vec::new();
    for (at, strategy) in strategies.into_iter().enumerate() {
        let live = Live::new()?;
        let selling = sell(strategy, args, servers, gateway, crowd, live.clone());
        let outcome = lines.while_selling(at, args.units, &live, selling).await;
        let outcome = outcome.with_context(|| format!("cannot run {}", strategy.name()))?;
        report.done(&outcome);
        outcomes.push(outcome);
    }
    lines.clear();
    report.end(&outcomes);
    if let Some(file) = &args.plot {
        fs::write(file, chart::svg(&report, &outcomes)).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let is_broken = outcomes.iter().any(|outcome| outcome.verdict() == Verdict::Broken);
    Ok(if is_broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Sells by one strategy, from a thread of its own.
async fn sell(
    strategy: Strategy,
    args: &args::Sim,
    servers: &Servers<'_>,
    gateway: SocketAddr,
    crowd: Crowd,
    live: Live,
) -> Result<Outcome> {
    let id = sale_id(strategy);
    let sale = Sale { strategy, id, units: args.units, concurrency: args.concurrency };
    let measured = Measured { urls: servers.urls.clone(), pids: servers.pids.clone(), has_shops: args.http };
    if !args.http {
        let selling =
            async move || flash_sim::run(&measured, &sale, &crowd, &live, flash_sim::in_person, pending()).await;
        return buyers::on_thread(selling).await;
    }
    let gateway = async move { Endpoint::read(&format!("http://{gateway}"), None) };
    buyers::on_thread(async move || {
        let street = Street::default();
        let open = async |factory, keeper: &mut Seller| over_http::open(factory, keeper, gateway, &street, &live).await;
        flash_sim::run(&measured, &sale, &crowd, &live, open, pending()).await
    })
    .await
}

/// An id that no other run has had.
pub(crate) fn sale_id(strategy: Strategy) -> String {
    format!("sim-{}-{}", strategy.name(), now_ms())
}
