//! A lock in Redis around reading and writing PostgreSQL. It ends by itself, whether its holder is done or not.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::sleep;

use super::{Seller, Sold, naive};
use crate::tally::Answer;

/// How long a lock lives whose holder died. One who only sleeps for longer wakes up beside the next holder, and both
/// sell.
const LOCK_LIFE_MS: u64 = 30_000;
/// How long somebody who found it taken rests: not all equally long, or all would come back at once.
const REST_MS: RangeInclusive<u64> = 5..=15;
/// How long one tries.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn sell(seller: &mut Seller, buyer: &str) -> Result<Sold> {
    let (key, token) = (seller.key("lock"), format!("{:016x}", rand::random::<u64>()));
    let (end, mut retries) = (Instant::now() + PATIENCE, 0);
    loop {
        let mut lock = redis::cmd("SET");
        lock.arg(&key).arg(&token).arg("NX").arg("PX").arg(LOCK_LIFE_MS);
        let taken: Option<String> = lock.query_async(&mut seller.redis).await?;
        if taken.is_some() {
            let answer = naive::read_then_write(seller, buyer).await;
            let _: i64 = seller.scripts.unlock.key(&key).arg(&token).invoke_async(&mut seller.redis).await?;
            return Ok((answer?, retries));
        }
        if Instant::now() >= end {
            return Ok((Answer::GaveUp, retries));
        }
        sleep(Duration::from_millis(rand::random_range(REST_MS))).await;
        retries += 1;
    }
}
