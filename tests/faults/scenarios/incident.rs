//! What may happen to the sales of a round in Redis, and the points of the recovery that follows.

use std::time::Duration;

use anyhow::{Context, Result};
use flash_tests::proxy::{Hold, Proxy};
use flash_tests::wait;
use flash_wire::key::of_sale;
use rand::RngExt;
use redis::Connection;

use super::lost::{self, ON_ITS_WAY};
use crate::links::Link;
use crate::strike::Strike;
use crate::world::Which;

/// How long a recovery may take to come to a point. One that has fewer points ends before.
const COMES_TO_IT: Duration = Duration::from_secs(2);
/// What a recovery says to Redis.
const TO_REDIS: [&str; 6] =
    ["FLASH.FENCE", "FLASH.WARM", "FLASH.REBUILD", "FLASH.ACTIVE", "FLASH.ACK", "FLASH.UNFENCE"];
/// What it says to PostgreSQL first, over one connection, as it takes the recovery, and over another, as it seals.
const TAKES: &str = "INSERT INTO recoveries";
const SEALS: &str = "FROM recoveries WHERE sale = $1 AND term = $2 FOR SHARE";
/// Messages of a recovery to Redis, and to PostgreSQL from each of these on.
const REDIS_POINTS: u64 = 12;
const TAKE_POINTS: u64 = 28;
const SEAL_POINTS: u64 = 20;

/// What happens to the sales.
#[derive(Debug, Clone)]
pub(super) enum Incident {
    /// They are in doubt, and whole.
    Fenced,
    /// They are gone.
    Gone,
    /// They are what they were at an earlier time, the dumps of each.
    Older(Vec<Vec<u8>>),
}

/// A message of one gateway's recovery.
pub(super) struct Point {
    pub(super) link: Link,
    hold: Hold,
}

/// The sales as they are now.
pub(super) fn dumps(strike: &Strike) -> Result<Vec<Vec<u8>>> {
    let mut redis = connect(strike)?;
    strike.sales.iter().map(|sale| Ok(redis::cmd("DUMP").arg(of_sale(sale)).query(&mut redis)?)).collect()
}

fn connect(strike: &Strike) -> Result<Connection> {
    redis::Client::open(strike.world.servers.redis.url())?.get_connection().context("Redis")
}

impl Incident {
    /// One of them by chance; `older` is what the sales were some time ago.
    pub(super) fn any(strike: &mut Strike, older: &[Vec<u8>]) -> Self {
        match strike.random.random_range(0..3) {
            0 => Self::Fenced,
            1 => Self::Gone,
            _ => Self::Older(older.to_vec()),
        }
    }

    /// It happens. What was answered since `since`, or shortly before, may be lost with it.
    pub(super) fn happen(&self, strike: &mut Strike, since: Duration) -> Result<()> {
        let mut redis = connect(strike)?;
        let name = match self {
            Self::Fenced => "fenced",
            Self::Gone => "gone",
            Self::Older(_) => "replaced by an older dump",
        };
        strike.note(format!("Redis: the sales are {name}"));
        for (at, sale) in strike.sales.iter().enumerate() {
            let key = of_sale(sale);
            match self {
                // One that is gone already is in doubt anyway.
                Self::Fenced => drop(redis::cmd("FLASH.FENCE").arg(key).query::<redis::Value>(&mut redis)?),
                Self::Gone => redis::cmd("DEL").arg(key).query(&mut redis)?,
                Self::Older(dumps) => {
                    redis::cmd("RESTORE").arg(key).arg(0).arg(&dumps[at]).arg("REPLACE").query::<()>(&mut redis)?;
                }
            }
        }
        if !matches!(self, Self::Fenced) {
            lost::forgot(strike, strike.now().saturating_sub(since) + ON_ITS_WAY);
        }
        Ok(())
    }
}

impl Point {
    /// Each of a recovery's messages in its turn.
    pub(super) fn of(seed: u64) -> Self {
        let process = usize::from(seed & 1 == 1);
        let mut at = seed / 2 % (REDIS_POINTS + TAKE_POINTS + SEAL_POINTS);
        let mut is_among = |points| {
            at.checked_sub(points).is_none_or(|after| {
                at = after;
                false
            })
        };
        let (server, hold) = if is_among(REDIS_POINTS) {
            (Which::Redis, Hold::first(&TO_REDIS))
        } else if is_among(TAKE_POINTS) {
            (Which::Postgres, Hold::first(&[]).after(TAKES))
        } else {
            (Which::Postgres, Hold::first(&[]).after(SEALS))
        };
        let hold = hold.skip(at);
        Self { link: Link { process, server }, hold }
    }

    /// The other gateway.
    pub(super) const fn other(&self) -> usize {
        1 - self.link.process
    }

    /// From now on its message is held when it comes.
    pub(super) fn arm(&self, strike: &mut Strike) {
        let from = self.hold.after.unwrap_or("its commands");
        strike.note(format!("{}: message {} from {from:?} on will be held", self.link.name(), self.hold.skip));
        self.proxy(strike).hold(self.hold.clone());
    }

    /// Waits until it is held. False: the recovery has ended before.
    pub(super) fn is_reached(&self, strike: &mut Strike) -> bool {
        let proxy = self.proxy(strike);
        let is_held = wait::within(COMES_TO_IT, || proxy.is_held().then_some(())).is_some();
        strike.note(if is_held { "it is held" } else { "it never came" });
        is_held
    }

    /// It goes on to where it was sent.
    pub(super) fn let_go(&self, strike: &mut Strike) {
        strike.note("it goes on");
        self.proxy(strike).let_go();
    }

    fn proxy<'a>(&self, strike: &'a Strike) -> &'a Proxy {
        strike.world.links.proxy(self.link)
    }
}
