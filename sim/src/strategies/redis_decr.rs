//! DECR in Redis, taken back where it went below zero. Whoever dies between the two has taken a unit away for ever.

use anyhow::Result;

use super::{Sold, Till};
use crate::sql;
use crate::tally::Answer;

pub(super) async fn sell(till: &mut Till, buyer: &str) -> Result<Sold> {
    let (stock, buyers) = (till.key("stock"), till.key("buyers"));
    let is_new: bool = redis::cmd("SADD").arg(&buyers).arg(buyer).query_async(&mut till.redis).await?;
    if !is_new {
        return Ok((Answer::Again, 0));
    }
    let left: i64 = redis::cmd("DECR").arg(&stock).query_async(&mut till.redis).await?;
    if left < 0 {
        take_back(till, &stock, &buyers, buyer).await?;
        return Ok((Answer::SoldOut, 0));
    }
    let written = till.postgres.execute(sql::ORDER, &[&till.sale, &buyer]).await;
    if written.is_err() {
        take_back(till, &stock, &buyers, buyer).await?;
    }
    written?;
    Ok((Answer::Sold, 0))
}

async fn take_back(till: &mut Till, stock: &str, buyers: &str, buyer: &str) -> Result<()> {
    redis::cmd("INCR").arg(stock).exec_async(&mut till.redis).await?;
    redis::cmd("SREM").arg(buyers).arg(buyer).exec_async(&mut till.redis).await?;
    Ok(())
}
