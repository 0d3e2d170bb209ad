//! `flash migrate`: brings the schema up to date.

use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::args::{Migrate, Output};
use crate::runtime::block_on;
use crate::{output, servers};

/// Applies the migrations that are missing, and prints which they are.
pub(crate) fn run(args: &Migrate, output: Output) -> Result<ExitCode> {
    #[derive(Serialize)]
    struct Migrated<'a> {
        applied: &'a [String],
    }
    let url = args.postgres.source().read()?;
    block_on(async {
        let applied = to_latest(&url).await?;
        let client = servers::postgres(&url).await?;
        if let Some(role) = &args.gateway_role {
            flash_vault::grant_gateway(&client, role).await.with_context(|| half_done(role))?;
        }
        if let Some(role) = &args.syncer_role {
            flash_vault::grant_syncer(&client, role).await.with_context(|| half_done(role))?;
        }
        if args.rabbitmq {
            args.amqp
                .declare()
                .await
                .context("the schema and the roles are up to date; RabbitMQ's queues are not declared")?;
        }
        match (output, &applied[..]) {
            (Output::Json, applied) => output::json(&Migrated { applied }),
            (Output::Table, []) => output::text("the schema is up to date: nothing to apply\n"),
            (Output::Table, applied) => {
                applied.iter().for_each(|name| output::text(&format!("applied {name}\n")));
                output::text(&format!("the schema is up to date: {} applied\n", applied.len()));
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn half_done(role: &str) -> String {
    format!("the schema is up to date, but the role {role} was not granted its rights")
}

/// Applies the migrations that are missing in the database at `url`, and gives their names.
pub(crate) async fn to_latest(url: &str) -> Result<Vec<String>> {
    let mut client = flash_vault::connect(url).await.context("cannot connect to PostgreSQL")?;
    flash_vault::migrate(&mut client).await.context("cannot update the schema")
}
