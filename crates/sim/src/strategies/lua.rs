//! A script in Redis that checks, deduplicates and decrements in one step; then PostgreSQL. Whoever dies between the two has
//! sold a unit that no order tells of.

use anyhow::{Result, bail};

use super::{Counter, Sold};
use crate::tally::Answer;

pub(super) async fn sell(counter: &mut Counter, buyer: &str) -> Result<Sold> {
    let mut reserve = counter.scripts.reserve.key(counter.key("stock"));
    let said: String = reserve.key(counter.key("buyers")).arg(buyer).invoke_async(&mut counter.redis).await?;
    match said.as_str() {
        "again" => return Ok((Answer::Again, 0)),
        "sold out" => return Ok((Answer::SoldOut, 0)),
        "sold" => {}
        said => bail!("the script said {said}"),
    }
    counter.postgres.execute(&counter.statements.order, &[&counter.sale, &buyer]).await?;
    Ok((Answer::Sold, 0))
}
