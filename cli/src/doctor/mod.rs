//! `flash doctor`: looks at everything that a gateway would use, and changes nothing.

mod settings;
mod show;

use std::process::ExitCode;

use anyhow::Result;
use flash_doctor::{Config, Finding, Level, Url, examine};
use flash_gateway::limits::files_max;

use crate::args::{Doctor, Gateway, Output};
use crate::runtime::block_on;
use crate::secret::UrlSource;

/// How long a server may be silent.
const SILENCE_MS_MAX: u64 = 5_000;

/// Examines everything, and prints what it finds. The exit code is 1 where something fails.
pub(crate) fn run(args: &Doctor, output: Output) -> Result<ExitCode> {
    let mut findings = settings::findings(&args.gateway);
    let config = config(&args.gateway);
    findings.extend(block_on(async { Ok(examine(&config).await.findings) })?);
    show::print(&findings, output);
    let fails = |finding: &Finding| finding.level == Level::Fail;
    Ok(if findings.iter().any(fails) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn config(args: &Gateway) -> Config {
    Config {
        redis: url(args.urls.redis.source()),
        broker: args.urls.brokers.broker(args.transport),
        postgres: url(args.urls.postgres.source()),
        durability: args.durability,
        files_max: files_max(args.threads),
        silence_ms: SILENCE_MS_MAX,
    }
}

fn url(source: UrlSource<'_>) -> Url {
    source.read().map_err(|error| format!("{error:#}"))
}
