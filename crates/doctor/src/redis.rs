//! Redis: the module, its user's rights, and what a crash would leave.

use std::time::Duration;

use anyhow::{Context, Result};
use flash_client::{Call, Client, Durability, Durable};
use flash_transport::Finding;
use flash_wire::COUNT_MAX;

use crate::check::{Check, Version};
use crate::clock::{clock_finding, now_ms};
use crate::config::Config;

/// How old an event that PostgreSQL lacks may be: the sweep has written it long before, if it can.
const OLDEST_AGE_MS_WARN: u64 = 60_000;
/// And how old, before somebody has to come: journals fill up.
const OLDEST_AGE_MS_FAIL: u64 = 600_000;

/// A Redis that answers.
pub(crate) struct Redis {
    pub(crate) client: Client,
    durable: Durable,
    wanted: Durability,
}

pub(crate) const CHECKS: [Check<Redis>; 9] = [
    ("module", |redis| Box::pin(module(redis))),
    ("commands", |redis| Box::pin(commands(redis))),
    ("primary", |redis| Box::pin(primary(redis))),
    ("eviction", |redis| Box::pin(eviction(redis))),
    ("append-only-file", |redis| Box::pin(append_only_file(redis))),
    ("durability", |redis| Box::pin(durability(redis))),
    ("fence-on-load", |redis| Box::pin(fence_on_load(redis))),
    ("clock", |redis| Box::pin(clock(redis))),
    ("oldest-event", |redis| Box::pin(oldest_event(redis))),
];

pub(crate) async fn reach(config: &Config) -> Result<Redis> {
    let url = config.redis()?;
    let redis = Redis { client: Client::connect(url)?, durable: Durable::connect(url)?, wanted: config.durability };
    let connected = async { tokio::join!(redis.client.connected(), redis.durable.connected()) };
    // Before the doctor's own patience ends: this one knows why.
    if tokio::time::timeout(Duration::from_millis(config.silence_ms / 2), connected).await.is_err() {
        redis.client.call(Call::ready(1)).await?.ok().context("Redis is loading")?;
    }
    Ok(redis)
}

/// Of the module, and of whatever server it is loaded in.
pub(crate) async fn versions(redis: &Redis) -> Vec<Version> {
    const LINES: [(&str, &str, &str); 3] = [
        ("module", "flash", "flash_version"),
        ("redis", "server", "redis_version"),
        ("valkey", "server", "valkey_version"),
    ];
    let mut versions = Vec::new();
    for (name, section, line) in LINES {
        if let Ok(Some(version)) = redis.client.info(section, line).await {
            versions.push(Version { name, version });
        }
    }
    versions
}

async fn module(redis: &Redis) -> Result<Finding> {
    let ours = env!("CARGO_PKG_VERSION");
    if !redis.client.unusable_commands().await?.unknown.is_empty() {
        return Ok(Finding::fail(
            "the module is not loaded, or is too old: Redis does not know its commands",
            "load libflash.so (loadmodule) of the same release as this program",
        ));
    }
    let same_release = format!("restart Redis with the libflash.so of release {ours}");
    Ok(match redis.client.info("flash", "flash_version").await? {
        Some(version) if version == ours => Finding::ok(format!("loaded, of this release ({version})")),
        Some(version) => {
            Finding::warn(format!("the module's release is {version}; this program's is {ours}"), same_release)
        }
        None => {
            Finding::warn(format!("the module does not report its release; this program's is {ours}"), same_release)
        }
    })
}

async fn commands(redis: &Redis) -> Result<Finding> {
    let forbidden = redis.client.unusable_commands().await?.forbidden;
    if forbidden.is_empty() {
        return Ok(Finding::ok("the user may run every command of gateways and syncers"));
    }
    let grants: Vec<String> = forbidden.iter().map(|name| format!("+{}", name.to_lowercase())).collect();
    Ok(Finding::fail(
        format!("the user may not run {}", forbidden.join(", ")),
        format!("ACL SETUSER … {} (and see the keys in deploy/redis.acl)", grants.join(" ")),
    ))
}

async fn primary(redis: &Redis) -> Result<Finding> {
    if redis.client.is_primary().await? {
        return Ok(Finding::ok("it decides"));
    }
    Ok(Finding::fail("it is a replica, which cannot sell", "give the URL of the primary, or promote it"))
}

async fn eviction(redis: &Redis) -> Result<Finding> {
    let policy = setting(redis, "maxmemory-policy").await?;
    if policy == "noeviction" {
        return Ok(Finding::ok("no key is ever evicted"));
    }
    Ok(Finding::fail(
        format!("maxmemory-policy is {policy}: when memory is short, Redis may evict a sale and its buyers"),
        "CONFIG SET maxmemory-policy noeviction, and in the configuration file",
    ))
}

async fn append_only_file(redis: &Redis) -> Result<Finding> {
    let (appends, fsync) = (setting(redis, "appendonly").await?, setting(redis, "appendfsync").await?);
    if appends != "yes" {
        return Ok(Finding::fail(
            format!(
                "appendonly is {appends}: a restart loses every decision since the last snapshot (save: {:?})",
                setting(redis, "save").await?
            ),
            "CONFIG SET appendonly yes, and in the configuration file",
        ));
    }
    let written = redis.client.info("persistence", "aof_last_write_status").await;
    if matches!(&written, Ok(Some(status)) if status != "ok") {
        return Ok(Finding::fail(
            "the append-only file cannot be written: Redis refuses all writes",
            "check Redis's disk and log",
        ));
    }
    if !redis.client.is_append_only_file_complete().await? {
        return Ok(Finding::fail(
            "the append-only file may be incomplete: a crash before its rewrite ends may lose everything",
            "wait for the rewrite (INFO persistence, aof_rewrite_in_progress); if none runs, start BGREWRITEAOF",
        ));
    }
    Ok(match fsync.as_str() {
        "always" => Finding::ok("every write is on disk before its answer"),
        "everysec" => {
            Finding::ok("writes reach the disk within a second: a crash of the machine may lose the last second")
        }
        _ => Finding::warn(
            format!("appendfsync is {fsync}: the kernel decides when writes reach the disk, usually within about 30 s"),
            "CONFIG SET appendfsync everysec, or always, and in the configuration file",
        ),
    })
}

async fn durability(redis: &Redis) -> Result<Finding> {
    let wanted = redis.wanted;
    Ok(match redis.durable.check(wanted).await {
        Ok(()) => Finding::ok(format!("every answer can have the durability of --durability {wanted}")),
        Err(error) => {
            Finding::fail(format!("--durability {wanted} is unavailable: buyers would get 503"), error.to_string())
        }
    })
}

async fn fence_on_load(redis: &Redis) -> Result<Finding> {
    if setting(redis, "flash.fence-on-load").await? == "yes" {
        return Ok(Finding::ok("a loaded sale stays fenced until a gateway has compared it with PostgreSQL"));
    }
    Ok(Finding::warn(
        "flash.fence-on-load is off: after a crash a sale may sell again the units whose sale it has lost, and \
         PostgreSQL refuses the second buyer",
        "CONFIG SET flash.fence-on-load yes, and in the configuration file",
    ))
}

async fn clock(redis: &Redis) -> Result<Finding> {
    let before = now_ms();
    let server = redis.client.clock_ms().await?;
    Ok(clock_finding(before, server, now_ms()))
}

async fn oldest_event(redis: &Redis) -> Result<Finding> {
    let ready = redis.client.call(Call::ready(COUNT_MAX)).await?;
    let sales = ready.map_err(|refusal| anyhow::anyhow!("Redis refuses: {}", refusal.code()))?.sales;
    let oldest_ms = sales.iter().map(|sale| sale.oldest_at_ms).filter(|at_ms| *at_ms > 0).min();
    let Some(oldest_ms) = oldest_ms else { return Ok(Finding::ok("PostgreSQL has every event")) };
    let age_ms = now_ms().saturating_sub(oldest_ms);
    let told = format!("the oldest event that PostgreSQL lacks is {} s old", age_ms / 1_000);
    let advice =
        "check with flash relay status that a gateway, RabbitMQ, a syncer and PostgreSQL run, and that none is paused";
    Ok(match age_ms {
        OLDEST_AGE_MS_FAIL.. => Finding::fail(told, advice),
        OLDEST_AGE_MS_WARN.. => Finding::warn(told, advice),
        _ => Finding::ok(told),
    })
}

async fn setting(redis: &Redis, name: &str) -> Result<String> {
    redis.client.setting(name).await?.with_context(|| format!("Redis has no setting {name}"))
}
