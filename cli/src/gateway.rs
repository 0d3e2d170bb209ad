//! `flash gateway`: serves HTTP and relays, with a syncer in its process where the transport needs one.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use flash_gateway::limits::CORS_ORIGINS_MAX;
use flash_gateway::{ForwardedHeader, Gateway, Policy, Proxies};
use serde::Serialize;

use crate::args::{self, Output};
use crate::runtime::{asked_to_stop, block_on};
use crate::{identity, output, syncer, tls};

/// Serves until it is asked to stop.
pub(crate) fn run(args: &args::Gateway, rate_limits: Vec<Policy>, log_sample: u64, output: Output) -> Result<ExitCode> {
    let (auth, id_secrets) = (identity::auth(&args.identity)?, identity::id_secrets(&args.identity)?);
    let origins = args.cors_origins.len();
    ensure!(origins <= CORS_ORIGINS_MAX, "cors-origins has {origins} origins; the limit is {CORS_ORIGINS_MAX}");
    let (tls, operator_tls) = tls::pairs(&args.tls)?;
    let schemes = [&tls, &operator_tls].map(tls::scheme);
    let (redis, postgres) = (args.urls.redis.source().read()?, args.urls.postgres.source().read()?);
    block_on(async {
        let transport = args.urls.brokers.open(args.transport)?;
        let stop = asked_to_stop()?;
        // What goes through no broker goes to a syncer of this process.
        let syncing = || transport.start_syncer(syncer::config(redis.clone(), postgres.clone()));
        let mut syncer = transport.broker().is_none().then(syncing);
        let gateway = transport.start_gateway(flash_gateway::Config {
            listen: args.listen,
            operator_listen: args.identity.operator_listen,
            tls,
            operator_tls,
            auth,
            auth_none_anywhere: args.identity.auth_none_anywhere,
            hosts: args.identity.hosts.clone(),
            cors_origins: args.cors_origins.clone(),
            id_secrets,
            redis,
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
