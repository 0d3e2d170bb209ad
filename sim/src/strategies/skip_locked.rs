//! A row for each unit: who comes takes the first that nobody has locked, and waits for no one.

use anyhow::Result;

use super::{Counter, Sold};
use crate::sql;
use crate::tally::Answer;

pub(super) async fn sell(counter: &mut Counter, buyer: &str) -> Result<Sold> {
    let Counter { postgres, sale, .. } = counter;
    let transaction = postgres.transaction().await?;
    // Who comes for the second time locks no unit.
    if transaction.execute(sql::ORDER, &[sale, &buyer]).await? == 0 {
        return Ok((Answer::Again, 0));
    }
    let Some(row) = transaction.query_opt(sql::FREE_UNIT, &[sale]).await? else {
        return Ok((Answer::SoldOut, 0));
    };
    let unit: i64 = row.get(0);
    transaction.execute(sql::TAKE_UNIT, &[sale, &unit, &buyer]).await?;
    transaction.commit().await?;
    Ok((Answer::Sold, 0))
}
