//! DECR in Redis, taken back where it went below zero. Whoever dies between the two has taken a unit away for ever.

use anyhow::Result;

use super::{Counter, Sold};
use crate::tally::Answer;

pub(super) async fn sell(counter: &mut Counter, buyer: &str) -> Result<Sold> {
    let (stock, buyers) = (counter.key("stock"), counter.key("buyers"));
    let is_new: bool = redis::cmd("SADD").arg(&buyers).arg(buyer).query_async(&mut counter.redis).await?;
    if !is_new {
        return Ok((Answer::Again, 0));
    }
    let left: i64 = redis::cmd("DECR").arg(&stock).query_async(&mut counter.redis).await?;
    if left < 0 {
        take_back(counter, &stock, &buyers, buyer).await?;
        return Ok((Answer::SoldOut, 0));
    }
    let written = counter.postgres.execute(&counter.statements.order, &[&counter.sale, &buyer]).await;
    if written.is_err() {
        take_back(counter, &stock, &buyers, buyer).await?;
    }
    written?;
    Ok((Answer::Sold, 0))
}

async fn take_back(counter: &mut Counter, stock: &str, buyers: &str, buyer: &str) -> Result<()> {
    redis::cmd("INCR").arg(stock).exec_async(&mut counter.redis).await?;
    redis::cmd("SREM").arg(buyers).arg(buyer).exec_async(&mut counter.redis).await?;
    Ok(())
}
