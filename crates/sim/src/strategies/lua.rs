//! A script in Redis that checks, deduplicates and decrements in one step; then PostgreSQL. A process that dies between
//! the two has sold a unit that no order tells of.

use anyhow::{Result, bail};

use super::{Seller, Sold};
use crate::tally::Answer;

pub(super) async fn sell(seller: &mut Seller, buyer: &str) -> Result<Sold> {
    let mut reserve = seller.scripts.reserve.key(seller.key("stock"));
    let said: String = reserve.key(seller.key("buyers")).arg(buyer).invoke_async(&mut seller.redis).await?;
    match said.as_str() {
        "again" => return Ok((Answer::Again, 0)),
        "sold out" => return Ok((Answer::SoldOut, 0)),
        "sold" => {}
        said => bail!("the script said {said}"),
    }
    seller.postgres.execute(&seller.statements.order, &[&seller.sale, &buyer]).await?;
    Ok((Answer::Sold, 0))
}
