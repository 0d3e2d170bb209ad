//! `flash quarantine`: what nobody could read or write.

use std::process::ExitCode;

use anyhow::{Result, bail};
use flash_client::{Call, Client};
use flash_vault::{LoggedChange, QuarantineEnd, QuarantineRow, Replay, Standing, Vault};
use flash_wire::message::MessageChange;
use flash_wire::{Message, Refusal};
use serde::Serialize;

use crate::args::{Output, Quarantine, QuarantineCommand, QuarantineFilter};
use crate::clock::now_ms;
use crate::run::block_on;
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
                audit_log::logged(&client, change, replay(&postgres, &client, &redis, &rows, output)).await
            }
            QuarantineCommand::Discard { filter, dry_run, by } => {
                let rows = meant(&client, filter).await?;
                if *dry_run {
                    return Ok(would(output, &rows, "would_be_discarded"));
                }
                let ids = ids(&rows);
                let change = change(by, "flash quarantine discard", &ids);
                audit_log::logged(&client, change, discard(&client, &rows, by, output)).await
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

/// What is to be changed must be named somehow: nobody means all of it by saying nothing.
async fn meant(client: &flash_vault::Client, filter: &QuarantineFilter) -> Result<Vec<QuarantineRow>> {
    if filter.is_any() {
        bail!("name numbers, or a filter: --sale, --since, --reason");
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
    let ([row], Some(body)) = (rows.as_slice(), flash_vault::quarantined_body(client, id).await?) else {
        bail!("there is no number {id} in the quarantine");
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

async fn discard(client: &flash_vault::Client, rows: &[QuarantineRow], by: &str, output: Output) -> Result<ExitCode> {
    for row in rows {
        let outcome = if flash_vault::discard(client, row.id, by).await? { "discarded" } else { "gone" };
        show(output, &Shown::of(row, Some(outcome), None));
    }
    Ok(ExitCode::SUCCESS)
}

async fn replay(
    postgres: &str,
    client: &flash_vault::Client,
    redis: &Client,
    rows: &[QuarantineRow],
    output: Output,
) -> Result<ExitCode> {
    let mut vault = Vault::open(postgres).await?;
    let mut all_are_written = true;
    for row in rows {
        let standing = standing(client, redis, row).await?;
        let (outcome, reason) = match vault.replay(row.id, standing).await? {
            Replay::Written => ("replayed", None),
            Replay::Refused(reason) => ("refused", Some(reason)),
            Replay::Gone => ("gone", None),
        };
        all_are_written &= outcome != "refused";
        let row = QuarantineRow { reason: reason.unwrap_or_else(|| row.reason.clone()), ..row.clone() };
        show(output, &Shown::of(&row, Some(outcome), None));
    }
    Ok(if all_are_written { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How the reservation that a row would make stands by now. None, if it makes none, or Redis does not know that very one
/// any more: it ended long ago, or was lost, and then its units may be somebody else's.
async fn standing(client: &flash_vault::Client, redis: &Client, row: &QuarantineRow) -> Result<Option<Standing>> {
    let Some((sale, _, seq)) = &row.event else { return Ok(None) };
    let Some(body) = flash_vault::quarantined_body(client, row.id).await? else { return Ok(None) };
    let Ok(message) = Message::decode(&body) else { return Ok(None) };
    let Some(MessageChange::Reserved(reserved)) = message.events.first().map(|event| &event.change) else {
        return Ok(None);
    };
    match redis.call(Call::reservation_status(sale, *seq)).await? {
        Ok(status) if status.buyer == reserved.buyer => Ok(Some(Standing { state: status.state, at_ms: now_ms() })),
        Ok(_) | Err(Refusal::Unknown | Refusal::NotWarmed) => Ok(None),
        Err(refusal) => bail!("Redis does not say how reservation {seq} of {sale} stands: {}", refusal.code()),
    }
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
        _ => "a message that nobody could read".to_owned(),
    };
    let Shown { id, at, bytes, state, reason, .. } = shown;
    output::text(&format!("{id}: {event}; {bytes} bytes, {at}; {state}\n  {reason}\n"));
    if let Some(body) = &shown.body {
        output::text(&format!("{body}\n"));
    }
}
