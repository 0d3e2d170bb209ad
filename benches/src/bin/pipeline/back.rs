//! How long a sale does not sell once Redis is back from a loss.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use redis::{Connection, Value};

use crate::drain::ensure_written;
use flash_benches::journal;
use flash_benches::meter::Meter;
use flash_benches::world::{Built, World};

const SALE: &str = "drop";
/// How often the sale is tried.
const POLL: Duration = Duration::from_millis(2);
/// It is out of order if it takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// How it went.
pub(crate) struct Back {
    pub(crate) orders: u64,
    /// Redis lost nothing: the sale had to be compared.
    pub(crate) compared: Duration,
    /// Redis lost everything: the sale had to be rebuilt.
    pub(crate) rebuilt: Duration,
}

/// Sells so many orders, and has Redis killed, and emptied.
pub(crate) fn measure(built: &Built, orders: u64) -> anyhow::Result<Back> {
    let mut world = World::start(built)?;
    let mut redis = world.connect()?;
    journal::warm(&mut redis, SALE, orders)?;
    journal::fill(&mut redis, SALE, orders)?;
    let (_gateway, _syncer) = (world.gateway(&[])?, world.syncer()?);
    Meter::start(&[]).until(|| journal::events(&mut redis, SALE))?;
    ensure_written(&world, SALE, orders)?;
    world.redis.server.kill()?;
    world.redis.server.restart()?;
    let mut redis = world.connect()?;
    let compared = until_it_sells(&mut redis)?;
    redis::cmd("FLUSHALL").exec(&mut redis)?;
    let rebuilt = until_it_sells(&mut redis)?;
    Ok(Back { orders, compared, rebuilt })
}

/// Until the first buyer gets the existing reservation.
fn until_it_sells(redis: &mut Connection) -> anyhow::Result<Duration> {
    let start = Instant::now();
    loop {
        let reply: Vec<Value> =
            redis::cmd("FLASH.RESERVE").arg(journal::key(SALE)).arg(journal::buyer(0)).query(redis)?;
        if journal::has_code(&reply, "REPLAYED") {
            return Ok(start.elapsed());
        }
        ensure!(start.elapsed() < PATIENCE, "the sale does not come back: {reply:?}");
        thread::sleep(POLL);
    }
}
