//! `flash gateway`, `flash syncer` and `flash migrate`: one process of a deployment each.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use flash_gateway::{ForwardedHeader, Gateway, Policy, Proxies, Transport};
use serde::Serialize;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{self, Output};
use crate::syncer::Syncer;
use crate::{identity, metrics, output, tls};

/// Serves until it is asked to stop.
pub(crate) fn gateway(
    args: &args::Gateway,
    rate_limits: Vec<Policy>,
    log_sample: u64,
    output: Output,
) -> Result<ExitCode> {
    let (auth, id_secrets) = (identity::auth(&args.identity)?, identity::id_secrets(&args.identity)?);
    let (tls, operator_tls) = tls::pairs(&args.tls)?;
    let schemes = [&tls, &operator_tls].map(tls::scheme);
    let (redis, postgres) = (args.urls.redis.source().read()?, args.urls.postgres.source().read()?);
    let amqp = match args.transport {
        args::Transport::Amqp => Some(args.urls.amqp.source().read()?),
        args::Transport::Direct => None,
    };
    block_on(async {
        let stop = asked_to_stop()?;
        let (transport, mut syncer) = match amqp {
            Some(amqp) => (Transport::Amqp(args.urls.transport(amqp)?), None),
            None => {
                let config = syncer_config(redis.clone(), postgres.clone());
                let (transport, syncer) = Syncer::start_direct(config);
                (transport, Some(syncer))
            }
        };
        let gateway = Gateway::start(flash_gateway::Config {
            listen: args.listen,
            operator_listen: args.identity.operator_listen,
            tls,
            operator_tls,
            auth,
            auth_none_anywhere: args.identity.auth_none_anywhere,
            hosts: args.identity.hosts.clone(),
            id_secrets,
            redis,
            transport,
            postgres,
            threads: args.threads,
            redis_timeout: Duration::from_millis(args.redis_timeout_ms),
            requests_max: args.requests_max,
            keep_alive: Duration::from_millis(args.keep_alive_ms),
            connections_per_address: args.connections_per_address,
            streams_per_address: args.streams_per_address,
            hsts_max_age_s: args.hsts_max_age_s,
            rate_limits,
            proxies: proxies(args),
            run_max: args.run_max,
            drain_notice: Duration::from_millis(args.drain_notice_ms),
            webhooks_private: args.webhooks_private,
            webhooks_cacert: args.webhooks_cacert.clone(),
            sweep_after: Duration::from_millis(args.sweep_after_ms),
            log_sample,
            durability: args.durability,
            devtools: None,
        })?;
        say_where(&gateway, schemes, output);
        let failed = async {
            match &mut syncer {
                Some(syncer) => syncer.failed().await,
                None => std::future::pending().await,
            }
        };
        let result = tokio::select! {
            () = stop => Ok(ExitCode::SUCCESS),
            error = failed => Err(error),
        };
        gateway.stop().await;
        match syncer {
            Some(syncer) if result.is_ok() => syncer.stop().await.and(result),
            _ => result,
        }
    })
}

/// Says where a gateway serves buyers, and where operators.
fn say_where(gateway: &Gateway, [scheme, operator_scheme]: [&str; 2], output: Output) {
    #[derive(Serialize)]
    struct Up {
        http: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        operator: Option<String>,
    }
    let http = format!("{scheme}://{}", gateway.address());
    let operator = gateway.operator_address().map(|address| format!("{operator_scheme}://{address}"));
    match output {
        Output::Json => output::json(&Up { http, operator }),
        Output::Table => {
            let operator = operator.map(|operator| ("operator", operator));
            output::table(&[("http", http)].into_iter().chain(operator).collect::<Vec<_>>());
        }
    }
}

fn proxies(args: &args::Gateway) -> Proxies {
    let header = match args.forwarded_header {
        args::ForwardedHeader::XForwardedFor => ForwardedHeader::XForwardedFor,
        args::ForwardedHeader::Forwarded => ForwardedHeader::Forwarded,
    };
    Proxies { trusted: args.trusted_proxies.clone(), header }
}

fn syncer_config(redis: String, postgres: String) -> flash_syncer::Config {
    // Process ids are the same in every container.
    let name = format!("flash syncer {:08x}", rand::random::<u32>());
    flash_syncer::Config { redis, postgres, name }
}

/// Writes until it is asked to stop.
pub(crate) fn syncer(args: &args::Syncer) -> Result<ExitCode> {
    let config = syncer_config(args.urls.redis.source().read()?, args.urls.postgres.source().read()?);
    let amqp = args.urls.amqp.source().read()?;
    block_on(async {
        let amqp = args.urls.transport(amqp)?;
        metrics::listen(args.metrics_listen, flash_metrics::process::write).await?;
        flash_syncer::run(&config, &amqp, asked_to_stop()?).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Applies the migrations that are missing, and prints which they are.
pub(crate) fn migrate(args: &args::Migrate, output: Output) -> Result<ExitCode> {
    #[derive(Serialize)]
    struct Migrated<'a> {
        applied: &'a [String],
    }
    let url = args.postgres.source().read()?;
    block_on(async {
        let applied = migrate_to_latest(&url).await?;
        let client = crate::servers::postgres(&url).await?;
        if let Some(role) = &args.gateway_role {
            flash_vault::grant_gateway(&client, role).await.with_context(|| format!("the role {role}"))?;
        }
        if let Some(role) = &args.syncer_role {
            flash_vault::grant_syncer(&client, role).await.with_context(|| format!("the role {role}"))?;
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

/// Applies the migrations that are missing in the database at `url`, and gives their names.
pub(crate) async fn migrate_to_latest(url: &str) -> Result<Vec<String>> {
    let mut client = flash_vault::connect(url).await.context("cannot connect to PostgreSQL")?;
    flash_vault::migrate(&mut client).await.context("cannot bring the schema up to date")
}

/// Runs on this thread alone: a gateway and its relay have threads of their own, and a syncer needs no more.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    Builder::new_current_thread().enable_all().build()?.block_on(future)
}

/// Resolves at Ctrl-C or SIGTERM.
pub(crate) fn asked_to_stop() -> Result<impl Future<Output = ()> + Send + 'static> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
