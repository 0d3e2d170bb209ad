//! `flash relay status`: what is on its way, and who carries it.

use std::process::ExitCode;

use anyhow::{Context, Result};
use flash_client::Call;
use flash_transport::Broker;
use flash_wire::key::sale_of;
use flash_wire::{COUNT_MAX, ReadySale, SaleStatus};
use serde::Serialize;

use crate::args::{Output, Relay, RelayCommand};
use crate::clock::now_ms;
use crate::runtime::block_on;
use crate::{output, servers};

/// One sale on its way.
#[derive(Serialize)]
struct SaleOnItsWay {
    sale: String,
    epoch: u64,
    head: u64,
    acked: u64,
    journal_events: u64,
    journal_events_max: Option<u64>,
    /// How long ago its oldest event was decided that PostgreSQL lacks.
    oldest_age_ms: u64,
    fenced: bool,
    relay: Option<String>,
    lease_ms: Option<u64>,
}

/// The broker's queue.
#[derive(Serialize)]
struct Queue {
    queue: &'static str,
    /// None: it is not there yet.
    ready: Option<u64>,
    consumers: Option<u64>,
}

/// A syncer, by what it said last.
#[derive(Serialize)]
struct Syncing {
    syncer: String,
    paused: bool,
    /// Messages that wait for it. With RabbitMQ all syncers have the same queue. None: unknown.
    queued: Option<u64>,
    said_ms_ago: u64,
}

/// Shows it.
pub(crate) fn run(args: &Relay, output: Output) -> Result<ExitCode> {
    let RelayCommand::Status(urls) = &args.command;
    let postgres = urls.postgres.source().read_if_set()?;
    let redis = urls.redis.source().read()?;
    block_on(async {
        let broker = urls.brokers.shared_if_set()?.and_then(|transport| transport.broker());
        let redis = servers::redis(&redis).await?;
        let ready = redis.call(Call::ready(COUNT_MAX)).await?;
        let ready = ready.map_err(|refusal| anyhow::anyhow!("Redis refuses: {}", refusal.code()))?.sales;
        let sales: Vec<_> = ready.iter().filter_map(|sale| Some((sale_of(&sale.key)?, sale))).collect();
        let statuses = redis.calls(sales.iter().map(|(sale, _)| Call::sale_status(sale)).collect()).await;
        for ((sale, ready), status) in sales.into_iter().zip(statuses) {
            // It may be gone by now; then there is nothing to say.
            let Ok(status) = status? else { continue };
            show_sale(output, &on_its_way(sale, ready, status));
        }
        if let Some(broker) = broker {
            show_queue(output, &queue(&*broker).await?);
        }
        if let Some(url) = postgres {
            syncers(&url).await?.iter().for_each(|syncer| show_syncer(output, syncer));
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn on_its_way(sale: &str, ready: &ReadySale, status: SaleStatus<'static>) -> SaleOnItsWay {
    let now_ms = now_ms();
    SaleOnItsWay {
        sale: sale.to_owned(),
        epoch: status.epoch,
        head: status.seq,
        acked: status.acked,
        journal_events: status.journal_events,
        journal_events_max: status.journal_events_max,
        oldest_age_ms: if ready.oldest_at_ms == 0 { 0 } else { now_ms.saturating_sub(ready.oldest_at_ms) },
        fenced: ready.fenced,
        relay: status.relay.map(Into::into),
        lease_ms: status.lease_until_ms.map(|until_ms| until_ms.saturating_sub(now_ms)),
    }
}

async fn queue(broker: &dyn Broker) -> Result<Queue> {
    let flash_transport::Queue { name, depth } = broker.queue("flash relay status").await?;
    Ok(Queue { queue: name, ready: depth.map(|depth| depth.ready), consumers: depth.map(|depth| depth.consumers) })
}

async fn syncers(url: &str) -> Result<Vec<Syncing>> {
    let vault = servers::postgres(url).await?;
    let syncers = flash_vault::syncers(&vault).await.context("cannot read the syncers from PostgreSQL")?;
    let syncing = |syncer: flash_vault::Syncer| Syncing {
        syncer: syncer.name,
        paused: syncer.paused,
        queued: syncer.queued,
        said_ms_ago: u64::try_from(syncer.age.as_millis()).unwrap_or(u64::MAX),
    };
    Ok(syncers.into_iter().map(syncing).collect())
}

fn show_sale(output: Output, sale: &SaleOnItsWay) {
    if output == Output::Json {
        return output::json(sale);
    }
    let SaleOnItsWay { sale: name, epoch, head, acked, journal_events, oldest_age_ms, .. } = sale;
    let relay = match (&sale.relay, sale.lease_ms) {
        (Some(relay), Some(lease_ms)) => format!("relayed by {relay}, whose lease ends in {lease_ms} ms"),
        _ => "no relay has it".to_owned(),
    };
    let most = sale.journal_events_max.map_or(String::new(), |most| format!(" of {most}"));
    let fenced = if sale.fenced { "; fenced" } else { "" };
    output::text(&format!(
        "{name}: epoch {epoch}, event {head}, acknowledged up to {acked}; {journal_events}{most} in its journal, the oldest \
         {oldest_age_ms} ms old{fenced}; {relay}\n"
    ));
}

fn show_queue(output: Output, queue: &Queue) {
    let name = queue.queue;
    match (output, queue.ready, queue.consumers) {
        (Output::Json, ..) => output::json(queue),
        (Output::Table, Some(ready), Some(consumers)) => {
            output::text(&format!("{name}: {ready} messages wait, {consumers} syncers are connected\n"));
        }
        (Output::Table, ..) => output::text(&format!("{name}: does not exist yet\n")),
    }
}

fn show_syncer(output: Output, syncing: &Syncing) {
    if output == Output::Json {
        return output::json(syncing);
    }
    let Syncing { syncer, paused, queued, said_ms_ago } = syncing;
    let paused = if *paused { "paused; " } else { "" };
    let queued = queued.map_or("it does not know how many".to_owned(), |queued| queued.to_string());
    output::text(&format!("{syncer}: {paused}{queued} messages wait for it, as it said {said_ms_ago} ms ago\n"));
}
