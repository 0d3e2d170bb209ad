//! From a full journal to PostgreSQL.

use std::time::Duration;

use anyhow::ensure;
use tokio::runtime::Runtime;

use flash_benches::journal;
use flash_benches::meter::{Meter, Took};
use flash_benches::world::{Built, Part, World};

/// How events travel.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// In runs, through RabbitMQ.
    Runs,
    /// Each in a message of its own.
    OneByOne,
    /// Without a broker.
    Direct,
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Drained {
    pub(crate) name: &'static str,
    pub(crate) orders: u64,
    pub(crate) took: Duration,
    pub(crate) parts: Vec<Took>,
}

impl Drained {
    pub(crate) fn per_second(&self) -> f64 {
        self.orders as f64 / self.took.as_secs_f64()
    }
}

impl Way {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Runs => "in runs",
            Self::OneByOne => "one event a message",
            Self::Direct => "direct, without a broker",
        }
    }

    /// The gateway's settings.
    pub(crate) const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Runs => &[],
            Self::OneByOne => &["--run-max", "1"],
            Self::Direct => &["--transport", "direct"],
        }
    }

    /// Fills a journal while nothing reads it; then lets it run dry, and counts what PostgreSQL has.
    pub(crate) fn measure(self, built: &Built, orders: u64) -> anyhow::Result<Drained> {
        const SALE: &str = "drop";
        let world = World::start(built)?;
        let mut redis = world.connect()?;
        journal::warm(&mut redis, SALE, orders)?;
        journal::fill(&mut redis, SALE, orders)?;
        let mut gateway = world.gateway(self.options())?;
        let mut syncer = if matches!(self, Self::Direct) { None } else { Some(world.syncer()?) };
        let mut meter = Meter::start(&[
            ("relay", Some(gateway.pid())),
            ("RabbitMQ", world.rabbitmq.server.pid()),
            ("syncer", syncer.as_ref().map(Part::pid)),
            ("PostgreSQL", world.postgres.server.pid()),
            ("Redis", world.redis.server.pid()),
        ]);
        meter.until(|| {
            gateway.ensure_running()?;
            syncer.as_mut().map_or(Ok(()), Part::ensure_running)?;
            journal::events(&mut redis, SALE)
        })?;
        let (took, parts) = (meter.elapsed(), meter.took());
        ensure_written(&world, SALE, orders)?;
        Ok(Drained { name: self.name(), orders, took, parts })
    }
}

/// A fast loss is no result.
pub(crate) fn ensure_written(world: &World, sale: &str, orders: u64) -> anyhow::Result<()> {
    let written = runtime()?.block_on(async {
        let vault = flash_vault::connect(&world.postgres_url()).await?;
        anyhow::Ok(flash_vault::active_orders(&vault, sale).await?)
    })?;
    ensure!(written == orders, "PostgreSQL has {written} orders of {orders}");
    Ok(())
}

pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
