//! DECR in Redis, taken back where it went below zero. A process that dies between the two has taken a unit away for
//! ever.

use anyhow::Result;

use super::{Seller, Sold};
use crate::tally::Answer;

pub(super) async fn sell(seller: &mut Seller, buyer: &str) -> Result<Sold> {
    let (stock, buyers) = (seller.key("stock"), seller.key("buyers"));
    let is_new: bool = redis::cmd("SADD").arg(&buyers).arg(buyer).query_async(&mut seller.redis).await?;
    if !is_new {
        return Ok((Answer::Again, 0));
    }
    let left: i64 = redis::cmd("DECR").arg(&stock).query_async(&mut seller.redis).await?;
    if left < 0 {
        take_back(seller, &stock, &buyers, buyer).await?;
        return Ok((Answer::SoldOut, 0));
    }
    let written = seller.postgres.execute(&seller.statements.order, &[&seller.sale, &buyer]).await;
    if written.is_err() {
        take_back(seller, &stock, &buyers, buyer).await?;
    }
    written?;
    Ok((Answer::Sold, 0))
}

async fn take_back(seller: &mut Seller, stock: &str, buyers: &str, buyer: &str) -> Result<()> {
    redis::cmd("INCR").arg(stock).exec_async(&mut seller.redis).await?;
    redis::cmd("SREM").arg(buyers).arg(buyer).exec_async(&mut seller.redis).await?;
    Ok(())
}
