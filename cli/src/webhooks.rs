//! `flash webhooks`: the secrets that receivers check deliveries by.

use std::process::ExitCode;

use anyhow::{Result, bail};
use flash_gateway::new_webhook_secret;
use flash_vault::LoggedChange;
use serde::Serialize;

use crate::args::{Output, Webhooks, WebhooksCommand};
use crate::runtime::block_on;
use crate::{audit_log, output, servers};

/// Carries out one of the subcommands.
pub(crate) fn run(args: &Webhooks, output: Output) -> Result<ExitCode> {
    let postgres = args.postgres.source().read()?;
    block_on(async {
        let vault = servers::postgres(&postgres).await?;
        match &args.command {
            WebhooksCommand::NewSecret { id, by } => new_secret(&vault, *id, by, output).await?,
            WebhooksCommand::ForgetOldSecret { id, by } => forget_old_secret(&vault, *id, by, output).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn new_secret(vault: &flash_vault::Client, id: u64, by: &str, output: Output) -> Result<()> {
    #[derive(Serialize)]
    struct Made<'a> {
        id: u64,
        secret: &'a str,
    }
    let secret = new_webhook_secret();
    let detail = id.to_string();
    let change = logged("flash webhooks new-secret", by, &detail);
    expect(id, audit_log::logged(vault, change, flash_vault::renew_webhook_secret(vault, id, &secret)).await?)?;
    match output {
        Output::Json => output::json(&Made { id, secret: &secret }),
        Output::Table => {
            output::table(&[("id", detail), ("secret", secret)]);
            eprintln!(
                "\nThe secret is not shown again. Deliveries are signed with it and with the one before it, until \
                 `flash webhooks forget-old-secret {id}`."
            );
        }
    }
    Ok(())
}

async fn forget_old_secret(vault: &flash_vault::Client, id: u64, by: &str, output: Output) -> Result<()> {
    #[derive(Serialize)]
    struct Forgotten {
        id: u64,
        secrets: u32,
    }
    let detail = id.to_string();
    let change = logged("flash webhooks forget-old-secret", by, &detail);
    expect(id, audit_log::logged(vault, change, flash_vault::forget_old_webhook_secret(vault, id)).await?)?;
    match output {
        Output::Json => output::json(&Forgotten { id, secrets: 1 }),
        Output::Table => output::text(&format!("{id}: deliveries are now signed only with the newest secret\n")),
    }
    Ok(())
}

const fn logged<'a>(action: &'a str, by: &'a str, detail: &'a str) -> LoggedChange<'a> {
    LoggedChange { who: by, key: None, action, sale: None, detail }
}

fn expect(id: u64, is_there: bool) -> Result<()> {
    if !is_there {
        bail!("webhook {id} not found; GET /v1/webhooks lists all");
    }
    Ok(())
}
