//! `flash syncer`: writes what the transport brings to PostgreSQL, and tells the syncers that run what to do.

mod control;
pub(crate) mod task;

use std::process::ExitCode;

use anyhow::Result;

use crate::args::{self, Output};
use crate::metrics;
use crate::runtime::{asked_to_stop, block_on};

/// Is a syncer, or tells those that run.
pub(crate) fn run(args: &args::Syncer, output: Output) -> Result<ExitCode> {
    match &args.action {
        None => write(args),
        Some(action) => control::run(args, action, output),
    }
}

/// Writes until it is asked to stop.
fn write(args: &args::Syncer) -> Result<ExitCode> {
    let config = config(args.urls.redis.source().read()?, args.urls.postgres.source().read()?);
    block_on(async {
        let transport = args.urls.brokers.shared()?;
        metrics::listen(args.metrics_listen, flash_metrics::process::write).await?;
        transport.sync(&config, asked_to_stop()?).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// A syncer between these servers, by URL.
pub(crate) fn config(redis: String, postgres: String) -> flash_syncer::Config {
    // Process ids are the same in every container.
    let name = format!("flash syncer {:08x}", rand::random::<u32>());
    flash_syncer::Config { redis, postgres, name }
}
