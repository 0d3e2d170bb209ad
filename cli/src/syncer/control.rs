//! `flash syncer pause`, `resume` and `drain`: tells every syncer of a database what to do, and waits until it is so.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use flash_client::{Call, Client};
use flash_vault::{LoggedChange, Syncer};
use serde::Serialize;
use tokio::time::{sleep, timeout};

use crate::args::{self, Output, SyncerAction};
use crate::transport::Transport;
use crate::{audit_log, output, runtime};

/// Between two looks.
const LOOK_MS: u64 = 100;
/// A syncer that has not been heard of for so long does not count towards those that obey: it is gone,
/// or cannot reach PostgreSQL.
const HEARD_OF: Duration = Duration::from_secs(5);
/// Sales that one look at Redis shows.
const READY_SALES: u64 = flash_wire::COUNT_MAX;

/// What became of it.
#[derive(Debug, Serialize)]
struct Report {
    syncers: usize,
    paused: bool,
    /// Said by `drain` alone: no journal had an event left, and no queue a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    drained: Option<bool>,
}

/// Does it, and says what became of it.
pub(crate) fn run(args: &args::Syncer, action: &SyncerAction, output: Output) -> Result<ExitCode> {
    let postgres = args.urls.postgres.source().read()?;
    let (what, wait) = match action {
        SyncerAction::Pause(wait) => ("flash syncer pause", wait),
        SyncerAction::Resume(wait) => ("flash syncer resume", wait),
        SyncerAction::Drain(wait) => ("flash syncer drain", wait),
    };
    let limit = wait.timeout_s;
    let is_drain = matches!(action, SyncerAction::Drain(_));
    let redis = is_drain.then(|| args.urls.redis.source().read()).transpose()?;
    runtime::block_on(async {
        let transport = if is_drain { args.urls.brokers.shared_if_set()? } else { None };
        let vault = flash_vault::connect(&postgres).await.context("cannot connect to PostgreSQL")?;
        let doing = async {
            match (&redis, action) {
                (Some(redis), _) => drain(&vault, &Client::connect(redis)?, transport.as_ref()).await,
                (None, SyncerAction::Pause(_)) => pause(&vault).await,
                (None, _) => resume(&vault).await,
            }
        };
        let in_time = async {
            let Ok(report) = timeout(Duration::from_secs(limit), doing).await else {
                bail!(
                    "{what}: not within {limit} s; the syncers still have the order, but for the pause at the end of a drain"
                );
            };
            report
        };
        let change = LoggedChange { who: &wait.by, key: None, action: what, sale: None, detail: "" };
        print(&audit_log::logged(&vault, change, in_time).await?, output);
        Ok(ExitCode::SUCCESS)
    })
}

/// Pauses the syncers. Each transaction that writes events holds the order to go on, so that this waits until none is
/// under way; and from then on none begins. It does not matter whether a syncer says anything.
async fn pause(vault: &flash_vault::Client) -> Result<Report> {
    flash_vault::pause_syncers(vault, true).await?;
    Ok(Report { syncers: living(vault).await?.len(), paused: true, drained: None })
}

/// Lets the syncers go on, and waits until those that live do so.
async fn resume(vault: &flash_vault::Client) -> Result<Report> {
    flash_vault::pause_syncers(vault, false).await?;
    loop {
        let syncers = living(vault).await?;
        if syncers.iter().all(|syncer| !syncer.paused) {
            return Ok(Report { syncers: syncers.len(), paused: false, drained: None });
        }
        sleep(Duration::from_millis(LOOK_MS)).await;
    }
}

/// Lets the syncers write until nothing is left, and pauses them. What is reserved meanwhile is written as well; what
/// is reserved from then on stays in the journals.
async fn drain(vault: &flash_vault::Client, redis: &Client, transport: Option<&Transport>) -> Result<Report> {
    redis.connected().await;
    resume(vault).await?;
    loop {
        while !journals_are_empty(redis).await? {
            sleep(Duration::from_millis(LOOK_MS)).await;
        }
        match transport {
            Some(transport) => transport.pass_barrier(vault).await?,
            None => queues_are_empty(vault).await?,
        }
        // What came after the barrier is written by now, or the journals say so.
        let report = pause(vault).await?;
        if journals_are_empty(redis).await? {
            return Ok(Report { drained: Some(true), ..report });
        }
        resume(vault).await?;
    }
}

/// Waits until each syncer has looked at its queue since now, and found nothing. One that says nothing may have
/// anything in hand, as long as it is not known to be gone.
async fn queues_are_empty(vault: &flash_vault::Client) -> Result<()> {
    let since = Instant::now();
    loop {
        let syncers = flash_vault::syncers(vault).await?;
        let is_empty = |syncer: &Syncer| syncer.queued == Some(0) && syncer.age < since.elapsed();
        if !syncers.is_empty() && syncers.iter().all(is_empty) {
            return Ok(());
        }
        sleep(Duration::from_millis(LOOK_MS)).await;
    }
}

/// Whether PostgreSQL has everything that Redis knows.
async fn journals_are_empty(redis: &Client) -> Result<bool> {
    let ready = redis.call(Call::ready(READY_SALES)).await?;
    let sales = ready.map_err(|refusal| anyhow::anyhow!("Redis refuses: {}", refusal.code()))?.sales;
    Ok(sales.iter().all(|sale| sale.acked >= sale.head))
}

async fn living(vault: &flash_vault::Client) -> Result<Vec<Syncer>> {
    let syncers = flash_vault::syncers(vault).await?;
    Ok(syncers.into_iter().filter(|syncer| syncer.age < HEARD_OF).collect())
}

fn print(report: &Report, output: Output) {
    if output == Output::Json {
        return output::json(report);
    }
    let mut rows = vec![("syncers", report.syncers.to_string()), ("paused", report.paused.to_string())];
    if report.drained.is_some() {
        rows.push(("left", "nothing: PostgreSQL has every event, and the queues are empty".to_owned()));
    }
    output::table(&rows);
}
