//! `flash dev --demo`: a stampede over real HTTP connections, and what became of it.

mod api;
mod report;
mod stampede;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use flash_servers::usage;
use tokio::time::{sleep, timeout};

use self::api::Api;
use self::report::Report;
use crate::args::{self, Output};
use crate::dev::Progress;

/// How long the orders may take to reach PostgreSQL, per order and in any case.
const PERSIST_TIMEOUT_MS_PER_ORDER: u64 = 1;
const PERSIST_TIMEOUT_MS_MIN: u64 = 60_000;
/// Between two looks at PostgreSQL.
const POLL_MS: u64 = 5;

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
        () = stop => bail!("stopped before the demo was over"),
    }
}

async fn sell(stampede: &args::Stampede, gateway: SocketAddr, postgres: &str, progress: &Progress) -> Result<Report> {
    let seed = stampede.seed.unwrap_or_else(rand::random);
    let sale = format!("demo-{}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis());
    Api::connect(gateway).await?.create_sale(&sale, stampede.units).await?;
    let vault = flash_vault::connect(postgres).await.context("cannot connect to PostgreSQL")?;

    let is_http = |name: &str| name.starts_with("flash-http");
    let cpu_before = usage::cpu_of_threads(is_http);
    let start = Instant::now();
    let tally = stampede::run(stampede, seed, gateway, &sale, progress).await?;
    let took = start.elapsed();

    let orders = wait_for_orders(&vault, &sale, tally.reserved, progress).await?;
    let persisted_after = start.elapsed();
    let gateway_cpu = usage::cpu_of_threads(is_http).saturating_sub(cpu_before);
    let duplicates = flash_vault::twice_served_buyers(&vault, &sale).await?;
    // A connection of its own: one that rests while the stampede lasts may have been closed meanwhile.
    let stock = Api::connect(gateway).await?.stock(&sale).await?;
    Ok(Report { seed, units: stampede.units, tally, took, orders, duplicates, persisted_after, gateway_cpu, stock })
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
