//! `flash dev --demo`: a stampede over real HTTP connections, and what became of it.

mod report;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use flash_servers::usage;
use flash_sim::Crowd;
use tokio::time::{sleep, timeout};

use self::report::Report;
use crate::args::{self, Output};
use crate::load::{self, Api, Endpoint, Load, Outcome, Pressed, Since, Who, Wish};
use crate::progress::Progress;

/// How long the orders may take to reach PostgreSQL, per order and in any case.
const PERSIST_TIMEOUT_MS_PER_ORDER: u64 = 1;
const PERSIST_TIMEOUT_MS_MIN: u64 = 60_000;
/// Between two looks at PostgreSQL.
const POLL_MS: u64 = 5;
/// Everybody comes at once.
const AT_ONCE_PER_S: u64 = u64::MAX;

/// Sells `stampede.units` units to `stampede.buyers` buyers, and says how it went. Succeeds only if it went perfectly.
pub(crate) async fn run(
    stampede: &args::Stampede,
    gateway: SocketAddr,
    postgres: &str,
    progress: &Progress,
    output: Output,
    stop: impl Future<Output = ()>,
) -> Result<ExitCode> {
    tokio::select! {
        report = sell(stampede, gateway, postgres, progress) => {
            let report = report?;
            report.print(output);
            Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        () = stop => bail!("stopped before the end of the demo"),
    }
}

async fn sell(stampede: &args::Stampede, gateway: SocketAddr, postgres: &str, progress: &Progress) -> Result<Report> {
    let seed = stampede.seed.unwrap_or_else(rand::random);
    let sale = format!("demo-{}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis());
    let endpoint = Endpoint::read(&format!("http://{gateway}"), None)?;
    Api::open_sale(&endpoint, &sale, stampede.units).await?;
    let vault = flash_vault::connect(postgres).await.context("cannot connect to PostgreSQL")?;

    let is_http = |name: &str| name.starts_with("flash-http");
    let cpu_before = usage::cpu_of_threads(is_http);
    let Pressed { tally, took, .. } = load::press(all_at_once(stampede, seed, &endpoint, &sale), progress).await?;

    let answered = Instant::now();
    let orders = wait_for_orders(&vault, &sale, tally.of(Outcome::Reserved), progress).await?;
    let persisted_after = took + answered.elapsed();
    let gateway_cpu = usage::cpu_of_threads(is_http).saturating_sub(cpu_before);
    let duplicates = flash_vault::twice_served_buyers(&vault, &sale).await?;
    // A connection of its own: one that rests while the stampede lasts may have been closed meanwhile.
    let stock = Api::connect(&endpoint).await?.sale(&sale).await?.stock;
    let latency_us = tally.latency_us()?;
    let units = stampede.units;
    Ok(Report { seed, units, tally, latency_us, took, orders, duplicates, persisted_after, gateway_cpu, stock })
}

fn all_at_once(stampede: &args::Stampede, seed: u64, endpoint: &Endpoint, sale: &str) -> Load {
    let args::Stampede { buyers, repeat_percent, concurrency, .. } = *stampede;
    Load {
        endpoint: endpoint.clone(),
        wish: Wish::new(sale, None, Who::Named(String::new())),
        crowd: Crowd { buyers, repeat_percent, requests_per_s: AT_ONCE_PER_S, seed },
        concurrency,
        since: Since::Sent,
    }
}

/// Waits until PostgreSQL has `accepted` orders, or for a bounded time. Gives what it has then.
async fn wait_for_orders(vault: &flash_vault::Client, sale: &str, accepted: u64, progress: &Progress) -> Result<u64> {
    let bar = progress.bar("orders in PostgreSQL", accepted);
    let limit = Duration::from_millis(PERSIST_TIMEOUT_MS_MIN.max(accepted * PERSIST_TIMEOUT_MS_PER_ORDER));
    let all_there = async {
        loop {
            let orders = flash_vault::active_orders(vault, sale).await?;
            bar.set_position(orders);
            if orders >= accepted {
                return Ok(orders);
            }
            sleep(Duration::from_millis(POLL_MS)).await;
        }
    };
    let orders = match timeout(limit, all_there).await {
        Ok(orders) => orders,
        Err(_) => flash_vault::active_orders(vault, sale).await,
    };
    bar.finish_and_clear();
    Ok(orders?)
}
