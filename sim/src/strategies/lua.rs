//! A script in Redis that checks, deduplicates and decrements in one step; then PostgreSQL. Whoever dies between the two has
//! sold a unit that no order tells of.

use anyhow::{Result, bail};

use super::{Counter, Sold};
use crate::tally::Answer;

pub(super) async fn sell(counter: &mut Counter, buyer: &str) -> Result<Sold> {
    let mut reserve = redis::cmd("EVALSHA");
    reserve.arg(&counter.scripts.reserve).arg(2).arg(counter.key("stock")).arg(counter.key("buyers")).arg(buyer);
    let said: String = reserve.query_async(&mut counter.redis).await?;
    match said.as_str() {
        "again" => return Ok((Answer::Again, 0)),
        "sold out" => return Ok((Answer::SoldOut, 0)),
        "sold" => {}
        said => bail!("the script said {said}"),
    }
    counter.postgres.execute(&counter.statements.order, &[&counter.sale, &buyer]).await?;
    Ok((Answer::Sold, 0))
}
