//! `flash keys`: what operators and buyers show to a gateway.

use std::process::ExitCode;

use anyhow::{Result, bail};
use flash_vault::{KeyRow, LoggedChange, NewKey, Role};
use flash_wire::Name;
use flash_wire::limits::BUYER_BYTES_MAX;
use serde::Serialize;

use crate::args::{self, Keys, KeysCommand, Output};
use crate::clock::now_ms;
use crate::runtime::block_on;
use crate::{audit_log, output, servers};

/// Rows that one question to PostgreSQL gives.
const PAGE_ROWS: u64 = 1_000;

/// Carries out one of the subcommands.
pub(crate) fn run(args: &Keys, output: Output) -> Result<ExitCode> {
    let postgres = args.postgres.source().read()?;
    block_on(async {
        let vault = servers::postgres(&postgres).await?;
        match &args.command {
            KeysCommand::Create { role, holder, expires_in, by } => {
                Name::new("holder", holder.as_str(), BUYER_BYTES_MAX)?;
                let expires_at_ms = expires_in.map(|seconds| now_ms().saturating_add(seconds * 1_000));
                create(&vault, &NewKey { role: of(*role), holder, expires_at_ms }, by, output).await?;
            }
            KeysCommand::List => list(&vault, output).await?,
            KeysCommand::Revoke { id, by } => revoke(&vault, id, by, output).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

const fn of(role: args::Role) -> Role {
    match role {
        args::Role::Buyer => Role::Buyer,
        args::Role::Read => Role::Read,
        args::Role::Sell => Role::Sell,
        args::Role::Pay => Role::Pay,
        args::Role::Admin => Role::Admin,
        args::Role::Operate => Role::Operate,
    }
}

async fn create(vault: &flash_vault::Client, new: &NewKey<'_>, by: &str, output: Output) -> Result<()> {
    #[derive(Serialize)]
    struct Made<'a> {
        id: &'a str,
        key: &'a str,
        role: &'static str,
        holder: &'a str,
        expires_at_ms: Option<u64>,
    }
    let detail = format!("{} {}", new.role.name(), new.holder);
    let change = LoggedChange { who: by, key: None, action: "flash keys create", sale: None, detail: &detail };
    let (id, key) = audit_log::logged(vault, change, flash_vault::create_key(vault, new)).await?;
    let NewKey { holder, expires_at_ms, .. } = *new;
    match output {
        Output::Json => output::json(&Made { id: &id, key: &key, role: new.role.name(), holder, expires_at_ms }),
        Output::Table => {
            output::table(&[("id", id), ("key", key)]);
            eprintln!("\nThe key is not shown again: PostgreSQL stores only its hash.");
        }
    }
    Ok(())
}

async fn list(vault: &flash_vault::Client, output: Output) -> Result<()> {
    let mut after = String::new();
    loop {
        let rows = flash_vault::keys(vault, &after, PAGE_ROWS).await?;
        rows.iter().for_each(|row| show(row, output));
        let Some(last) = rows.into_iter().next_back() else { return Ok(()) };
        after = last.id;
    }
}

fn show(row: &KeyRow, output: Output) {
    #[derive(Serialize)]
    struct Shown<'a> {
        id: &'a str,
        role: &'a str,
        holder: &'a str,
        created_at: &'a str,
        expires_at_ms: Option<u64>,
        revoked_at: Option<&'a str>,
        state: &'static str,
    }
    let KeyRow { id, role, holder, created_at, expires_at_ms, revoked_at } = row;
    let state = match (revoked_at, expires_at_ms) {
        (Some(_), _) => "revoked",
        (None, Some(at_ms)) if *at_ms <= now_ms() => "expired",
        _ => "good",
    };
    let (expires_at_ms, revoked_at) = (*expires_at_ms, revoked_at.as_deref());
    match output {
        Output::Json => output::json(&Shown { id, role, holder, created_at, expires_at_ms, revoked_at, state }),
        Output::Table => output::text(&format!("{id}: {role} of {holder}, made {created_at}; {state}\n")),
    }
}

async fn revoke(vault: &flash_vault::Client, id: &str, by: &str, output: Output) -> Result<()> {
    #[derive(Serialize)]
    struct Revoked<'a> {
        id: &'a str,
        revoked: bool,
    }
    let change = LoggedChange { who: by, key: None, action: "flash keys revoke", sale: None, detail: id };
    let revoked = audit_log::logged(vault, change, flash_vault::revoke_key(vault, id)).await?;
    if !revoked {
        bail!("key {id} not found; `flash keys list` lists all");
    }
    match output {
        Output::Json => output::json(&Revoked { id, revoked }),
        Output::Table => output::text(&format!("{id}: revoked\n")),
    }
    Ok(())
}
