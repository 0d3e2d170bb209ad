//! A script in Redis that checks, deduplicates and decrements in one step; then PostgreSQL. Whoever dies between the two has
//! sold a unit that no order tells of.

use anyhow::{Result, bail};
use redis::Script;

use super::{Counter, Sold};
use crate::sql;
use crate::tally::Answer;

const RESERVE: &str = "
    if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return 'again' end
    if tonumber(redis.call('GET', KEYS[1]) or 0) <= 0 then return 'sold out' end
    redis.call('DECR', KEYS[1])
    redis.call('SADD', KEYS[2], ARGV[1])
    return 'sold'";

pub(super) async fn sell(counter: &mut Counter, buyer: &str) -> Result<Sold> {
    let (stock, buyers) = (counter.key("stock"), counter.key("buyers"));
    let said: String = Script::new(RESERVE).key(stock).key(buyers).arg(buyer).invoke_async(&mut counter.redis).await?;
    match said.as_str() {
        "again" => return Ok((Answer::Again, 0)),
        "sold out" => return Ok((Answer::SoldOut, 0)),
        "sold" => {}
        said => bail!("the script said {said}"),
    }
    counter.postgres.execute(sql::ORDER, &[&counter.sale, &buyer]).await?;
    Ok((Answer::Sold, 0))
}
