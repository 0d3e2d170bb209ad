//! A backlog that drains while buyers go on buying.

use std::thread;
use std::time::Duration;

use crate::drain::{Drained, ensure_written};
use flash_benches::buyers::{self, Latency};
use flash_benches::journal;
use flash_benches::meter::{Memory, Meter};
use flash_benches::world::{Built, World};

/// How often Redis brings its append-only file to the disk, which all servers here share.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AppendFsync {
    /// Before each answer.
    Always,
    /// Once a second.
    EverySec,
}

impl AppendFsync {
    /// As Redis calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::EverySec => "everysec",
        }
    }

    const fn case(self) -> &'static str {
        match self {
            Self::Always => "in runs, while selling goes on (always)",
            Self::EverySec => "in runs, while selling goes on (everysec)",
        }
    }
}

/// How it went.
pub(crate) struct Sold {
    pub(crate) appendfsync: AppendFsync,
    pub(crate) per_second: u64,
    /// Without a backlog.
    pub(crate) calm: Latency,
    /// While the backlog drained.
    pub(crate) busy: Latency,
    pub(crate) drained: Drained,
    pub(crate) memory: Vec<Memory>,
}

/// Buyers come at the same pace twice: with nothing else to do, and while a backlog drains.
pub(crate) fn measure(
    built: &Built,
    appendfsync: AppendFsync,
    backlog: u64,
    per_second: u64,
    calm_s: u64,
) -> anyhow::Result<Sold> {
    const UNITS: u64 = 100_000_000;
    let world = World::start(built)?;
    let mut redis = world.connect()?;
    redis::cmd("CONFIG").arg(&["SET", "appendfsync", appendfsync.name()]).exec(&mut redis)?;
    for sale in ["calm", "busy", "backlog"] {
        journal::warm(&mut redis, sale, UNITS)?;
    }
    let (mut gateway, mut syncer) = (world.gateway(&[])?, world.syncer()?);
    wait_until_dry(&mut redis, "calm")?;
    let calm = buyers::come(&gateway.address, "calm", per_second, || {
        thread::sleep(Duration::from_secs(calm_s));
        Ok(())
    })?;
    gateway.stop()?;
    syncer.stop()?;
    journal::fill(&mut redis, "backlog", backlog)?;
    let (mut gateway, mut syncer) = (world.gateway(&[])?, world.syncer()?);
    let mut meter = Meter::start(&[
        ("relay", Some(gateway.pid())),
        ("RabbitMQ", world.rabbitmq.server.pid()),
        ("syncer", Some(syncer.pid())),
        ("PostgreSQL", world.postgres.server.pid()),
        ("Redis", world.redis.server.pid()),
    ]);
    let address = gateway.address.clone();
    let mut took = Duration::ZERO;
    let busy = buyers::come(&address, "busy", per_second, || {
        meter.until(|| {
            gateway.ensure_running()?;
            syncer.ensure_running()?;
            journal::events(&mut redis, "backlog")
        })?;
        took = meter.elapsed();
        Ok(())
    })?;
    let (parts, memory) = (meter.took(), meter.memory());
    ensure_written(&world, "backlog", backlog)?;
    let drained = Drained { name: appendfsync.case(), orders: backlog, took, parts };
    Ok(Sold { appendfsync, per_second, calm, busy, drained, memory })
}

/// RabbitMQ and PostgreSQL are at work for this sale.
fn wait_until_dry(redis: &mut redis::Connection, sale: &str) -> anyhow::Result<()> {
    Meter::start(&[]).until(|| journal::events(redis, sale))
}
