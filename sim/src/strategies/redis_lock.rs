//! A lock in Redis around reading and writing PostgreSQL. It ends by itself, whether its holder is done or not.

use std::time::Duration;

use anyhow::Result;
use redis::Script;
use tokio::time::sleep;

use super::{Counter, Sold, naive};
use crate::tally::Answer;

/// How long a lock lives whose holder died.
const LOCK_LIFE_MS: u64 = 1_000;
/// How long somebody who found it taken rests.
const REST: Duration = Duration::from_millis(2);
/// Tries before giving up.
const TRIES_MAX: u64 = 500;
/// Ends a lock that is still the caller's.
const UNLOCK: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

pub(super) async fn sell(counter: &mut Counter, buyer: &str) -> Result<Sold> {
    let (key, token) = (counter.key("lock"), format!("{:016x}", rand::random::<u64>()));
    for tries in 0..TRIES_MAX {
        let mut lock = redis::cmd("SET");
        lock.arg(&key).arg(&token).arg("NX").arg("PX").arg(LOCK_LIFE_MS);
        let taken: Option<String> = lock.query_async(&mut counter.redis).await?;
        if taken.is_some() {
            let answer = naive::read_then_write(counter, buyer).await;
            Script::new(UNLOCK).key(&key).arg(&token).invoke_async::<()>(&mut counter.redis).await?;
            return Ok((answer?, tries));
        }
        sleep(REST).await;
    }
    Ok((Answer::Failed, TRIES_MAX))
}
