//! The ways in which Redis is lost, and comes back.

use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use flash_servers::Redis;
use rand::RngExt;
use rand::rngs::StdRng;

use crate::forward::Forward;
use crate::level::{LAG_MS_MAX, Loss, Plight};
use crate::stage::Stage;
use crate::synced::Synced;

/// How long a replica may take to have everything.
const REPLICA_WAIT: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(10);

/// What must stand ready before anybody buys.
pub(crate) enum Ready {
    Nothing,
    Watch(Synced),
    Replica { redis: Box<Redis>, link: Forward },
}

/// When it happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lost {
    pub(crate) at: Instant,
    /// The same, Unix milliseconds.
    pub(crate) at_ms: u64,
}

impl Ready {
    pub(crate) fn make(stage: &Stage, name: &str) -> anyhow::Result<Self> {
        match stage.level.loss {
            Loss::Emptied | Loss::Killed => Ok(Self::Nothing),
            Loss::PowerCut => {
                let pid = stage.redis.server.pid().context("Redis runs")?;
                Ok(Self::Watch(Synced::watch(pid, stage.newest_file()?, stage.path(&format!("{name}.calls")))?))
            }
            Loss::Promoted => {
                let redis = stage.another_redis(&format!("redis-{name}"))?;
                let link = Forward::to(stage.redis.server.port())?;
                follow(&redis, &link)?;
                Ok(Self::Replica { redis: Box::new(redis), link })
            }
        }
    }
}

/// Redis is lost, and in the worst plight the gateway with it. Both are back when this returns.
pub(crate) fn lose(stage: &mut Stage, ready: Ready, plight: Plight, random: &mut StdRng) -> anyhow::Result<Lost> {
    if let Ready::Replica { link, .. } = &ready {
        link.hold();
        thread::sleep(Duration::from_millis(random.random_range(0..=LAG_MS_MAX)));
    }
    let at_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis().try_into()?;
    let lost = Lost { at: Instant::now(), at_ms };
    stage.redis.server.kill()?;
    if plight == Plight::Worst {
        stage.gateway.server.kill()?;
        stage.postgres.server.resume();
    }
    match ready {
        Ready::Nothing => stage.redis.server.restart()?,
        Ready::Watch(synced) => {
            synced.cut()?;
            stage.redis.server.restart()?;
        }
        Ready::Replica { redis, link } => {
            link.cut();
            redis::cmd("REPLICAOF").arg("NO").arg("ONE").exec(&mut connect(&redis)?)?;
            stage.way.lead_to(redis.server.port());
            stage.redis = *redis;
        }
    }
    if plight == Plight::Worst {
        stage.gateway.server.restart()?;
    }
    Ok(lost)
}

/// Makes a Redis a replica of what the link leads to, and waits until it has everything.
fn follow(replica: &Redis, link: &Forward) -> anyhow::Result<()> {
    let mut connection = connect(replica)?;
    redis::cmd("REPLICAOF").arg("127.0.0.1").arg(link.port()).exec(&mut connection)?;
    let begin = Instant::now();
    loop {
        let info: String = redis::cmd("INFO").arg("replication").query(&mut connection)?;
        if info.contains("master_link_status:up") {
            return Ok(());
        }
        ensure!(begin.elapsed() < REPLICA_WAIT, "the replica never had everything: {info}");
        thread::sleep(LOOK);
    }
}

fn connect(redis: &Redis) -> anyhow::Result<redis::Connection> {
    Ok(redis::Client::open(redis.url())?.get_connection()?)
}
