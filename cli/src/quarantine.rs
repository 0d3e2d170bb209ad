//! `flash quarantine`: messages that could not be read or written.

use std::process::ExitCode;

use anyhow::{Result, bail};
use flash_client::Client;
use flash_recovery::{discard_quarantined, replay_quarantined};
use flash_vault::{LoggedChange, QuarantineEnd, QuarantineRow, Replay, Vault};
use serde::Serialize;

use crate::args::{Output, Quarantine, QuarantineCommand, QuarantineFilter};
use crate::runtime::block_on;
use crate::{audit_log, output, servers};

/// Carries out one of the subcommands.
pub(crate) fn run(args: &Quarantine, output: Output) -> Result<ExitCode> {
    let postgres = args.postgres.source().read()?;
    block_on(async {
        let client = servers::postgres(&postgres).await?;
        match &args.command {
            QuarantineCommand::List { filter, all } => {
                let rows = flash_vault::quarantined(&client, &wanted(filter, *all)).await?;
                rows.iter().for_each(|row| show(output, &Shown::of(row, None, None)));
                Ok(ExitCode::SUCCESS)
            }
            QuarantineCommand::Show { id } => show_one(&client, *id, output).await,
            QuarantineCommand::Replay { filter, dry_run, by } => {
                let rows = meant(&client, filter).await?;
                if *dry_run {
                    return Ok(would(output, &rows, "would_be_replayed"));
                }
                let redis = servers::redis(&args.redis.source().read()?).await?;
                let ids = ids(&rows);
                let change = change(by, "flash quarantine replay", &ids);
                audit_log::logged(&client, change, replay(&postgres, &redis, &rows, output)).await
            }
            QuarantineCommand::Discard { filter, dry_run, by } => {
                let rows = meant(&client, filter).await?;
                if *dry_run {
                    return Ok(would(output, &rows, "would_be_discarded"));
                }
                // A recovery comes without it as well, a moment later.
                let redis = servers::redis(&args.redis.source().read()?).await.ok();
                let ids = ids(&rows);
                let change = change(by, "flash quarantine discard", &ids);
                audit_log::logged(&client, change, discard(&postgres, redis.as_ref(), &rows, by, output)).await
            }
        }
    })
}

fn wanted(filter: &QuarantineFilter, ended_too: bool) -> flash_vault::QuarantineFilter {
    flash_vault::QuarantineFilter {
        sale: filter.sale.clone(),
        since_s: filter.since,
        reason: filter.reason.clone(),
        ids: filter.ids.clone(),
        ended_too,
        after: 0,
        limit: filter.limit,
    }
}

/// A change must name its rows: no filter does not mean all of them.
async fn meant(client: &flash_vault::Client, filter: &QuarantineFilter) -> Result<Vec<QuarantineRow>> {
    if filter.is_any() {
        bail!("select messages by number or by a filter: --sale, --since, --reason");
    }
    Ok(flash_vault::quarantined(client, &wanted(filter, false)).await?)
}

fn would(output: Output, rows: &[QuarantineRow], outcome: &'static str) -> ExitCode {
    rows.iter().for_each(|row| show(output, &Shown::of(row, Some(outcome), None)));
    ExitCode::SUCCESS
}

async fn show_one(client: &flash_vault::Client, id: u64, output: Output) -> Result<ExitCode> {
    let filter = flash_vault::QuarantineFilter { ids: vec![id], ended_too: true, limit: 1, ..Default::default() };
    let rows = flash_vault::quarantined(client, &filter).await?;
    let ([row], Some(body)) = (rows.as_slice(), flash_vault::quarantined_body(client, id, u32::MAX).await?) else {
        bail!("message {id} not found in the quarantine");
    };
    show(output, &Shown::of(row, None, Some(String::from_utf8_lossy(&body).into_owned())));
    Ok(ExitCode::SUCCESS)
}

fn ids(rows: &[QuarantineRow]) -> String {
    rows.iter().map(|row| row.id.to_string()).collect::<Vec<_>>().join(", ")
}

const fn change<'a>(who: &'a str, action: &'a str, ids: &'a str) -> LoggedChange<'a> {
    LoggedChange { who, key: None, action, sale: None, detail: ids }
}

async fn discard(
    postgres: &str,
    redis: Option<&Client>,
    rows: &[QuarantineRow],
    by: &str,
    output: Output,
) -> Result<ExitCode> {
    let mut vault = Vault::open(postgres).await?;
    for row in rows {
        let is_discarded = discard_quarantined(&mut vault, redis, row.id, by).await?;
        let outcome = if is_discarded { "discarded" } else { "gone" };
        show(output, &Shown::of(row, Some(outcome), None));
    }
    Ok(ExitCode::SUCCESS)
}

async fn replay(postgres: &str, redis: &Client, rows: &[QuarantineRow], output: Output) -> Result<ExitCode> {
    let mut vault = Vault::open(postgres).await?;
    let mut all_are_written = true;
    for row in rows {
        let (outcome, reason) = match replay_quarantined(&mut vault, redis, row.id).await? {
            Replay::Written => ("replayed", None),
            Replay::Rejected(reason) => ("rejected", Some(reason)),
            Replay::Refused(reason) => ("refused", Some(reason)),
            Replay::Gone => ("gone", None),
        };
        all_are_written &= !["refused", "rejected"].contains(&outcome);
        let row = QuarantineRow { reason: reason.unwrap_or_else(|| row.reason.clone()), ..row.clone() };
        show(output, &Shown::of(&row, Some(outcome), None));
    }
    Ok(if all_are_written { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A row as it is printed.
#[derive(Serialize)]
struct Shown<'a> {
    id: u64,
    sale: Option<&'a str>,
    epoch: Option<u64>,
    seq: Option<u64>,
    at: &'a str,
    bytes: u64,
    state: String,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl<'a> Shown<'a> {
    fn of(row: &'a QuarantineRow, outcome: Option<&str>, body: Option<String>) -> Self {
        let event = row.event.as_ref();
        let state = match (&row.end, outcome) {
            (_, Some(outcome)) => outcome.to_owned(),
            (Some(QuarantineEnd::Replayed { at }), None) => format!("replayed at {at}"),
            (Some(QuarantineEnd::Rejected { at, reason }), None) => format!("rejected at {at}: {reason}"),
            (Some(QuarantineEnd::Discarded { at, by }), None) => format!("discarded at {at} by {by}"),
            (None, None) => "waits".to_owned(),
        };
        Self {
            id: row.id,
            sale: event.map(|(sale, ..)| sale.as_str()),
            epoch: event.map(|(_, epoch, _)| *epoch),
            seq: event.map(|(.., seq)| *seq),
            at: &row.at,
            bytes: row.body_bytes,
            state,
            reason: &row.reason,
            body,
        }
    }
}

fn show(output: Output, shown: &Shown) {
    let Output::Table = output else { return output::json(shown) };
    let event = match (shown.sale, shown.epoch, shown.seq) {
        (Some(sale), Some(epoch), Some(seq)) => format!("{sale}, epoch {epoch}, event {seq}"),
        _ => "a message".to_owned(),
    };
    let Shown { id, at, bytes, state, reason, .. } = shown;
    output::text(&format!("{id}: {event}; {bytes} bytes, {at}; {state}\n  {reason}\n"));
    if let Some(body) = &shown.body {
        output::text(&format!("{body}\n"));
    }
}
