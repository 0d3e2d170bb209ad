//! `flash audit log`: what operators did, and whether that was changed since.

use std::process::ExitCode;

use anyhow::Result;
use flash_vault::{Chain, LoggedRow};
use serde::Serialize;

use crate::args::{AuditLog, Output};
use crate::output;

/// What a look at the whole log says.
#[derive(Serialize)]
struct Verdict<'a> {
    verdict: &'static str,
    rows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Shows the newest rows, or verifies all of them.
pub(super) async fn run(args: &AuditLog, postgres: &str, output: Output) -> Result<ExitCode> {
    let vault = crate::servers::postgres(postgres).await?;
    if args.verify {
        return Ok(show(&flash_vault::verify_log(&vault, args.expect.as_deref()).await?, output));
    }
    for row in flash_vault::logged(&vault, i64::MAX.unsigned_abs(), args.limit).await? {
        show_row(&row, output);
    }
    Ok(ExitCode::SUCCESS)
}

fn show(chain: &Chain, output: Output) -> ExitCode {
    let (verdict, code) = match chain {
        Chain::Whole { rows, hash, has_expected: true } => {
            (Verdict { verdict: "whole", rows: *rows, hash: Some(hash), detail: None }, ExitCode::SUCCESS)
        }
        Chain::Whole { rows, hash, has_expected: false } => {
            let detail = Some("no row has the hash that was expected: the log was made anew".to_owned());
            (Verdict { verdict: "broken", rows: *rows, hash: Some(hash), detail }, ExitCode::FAILURE)
        }
        Chain::Broken { place, what } => {
            let detail = Some(format!("place {place}: {what}"));
            (Verdict { verdict: "broken", rows: place.saturating_sub(1), hash: None, detail }, ExitCode::FAILURE)
        }
    };
    match output {
        Output::Json => output::json(&verdict),
        Output::Table => {
            let Verdict { verdict, rows, hash, detail } = verdict;
            let rest =
                detail.or_else(|| hash.map(|hash| format!("the newest row has the hash {hash}"))).unwrap_or_default();
            output::text(&format!("{verdict}: {rows} unchanged rows; {rest}\n"));
        }
    }
    code
}

fn show_row(row: &LoggedRow, output: Output) {
    #[derive(Serialize)]
    struct Shown<'a> {
        id: u64,
        at: &'a str,
        who: &'a str,
        key: Option<&'a str>,
        action: &'a str,
        sale: Option<&'a str>,
        detail: &'a str,
        outcome: Option<&'a str>,
    }
    let LoggedRow { id, at, who, key, action, sale, detail, outcome } = row;
    let (key, sale, outcome) = (key.as_deref(), sale.as_deref(), outcome.as_deref());
    match output {
        Output::Json => output::json(&Shown { id: *id, at, who, key, action, sale, detail, outcome }),
        Output::Table => {
            let (sale, outcome) = (sale.unwrap_or("-"), outcome.unwrap_or("not known"));
            output::text(&format!("{id}: {at} {who}: {action} {sale} {detail}: {outcome}\n"));
        }
    }
}
