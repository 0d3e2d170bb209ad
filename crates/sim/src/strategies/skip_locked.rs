//! A row for each unit: who comes takes the first that is not locked, and waits for no one.

use anyhow::Result;

use super::{Seller, Sold};
use crate::tally::Answer;

pub(super) async fn sell(seller: &mut Seller, buyer: &str) -> Result<Sold> {
    let Seller { postgres, statements, sale, .. } = seller;
    let transaction = postgres.transaction().await?;
    // Who comes for the second time locks no unit.
    if transaction.execute(&statements.order, &[sale, &buyer]).await? == 0 {
        return Ok((Answer::Again, 0));
    }
    let Some(row) = transaction.query_opt(&statements.free_unit, &[sale]).await? else {
        return Ok((Answer::SoldOut, 0));
    };
    let unit: i64 = row.get(0);
    transaction.execute(&statements.take_unit, &[sale, &unit, &buyer]).await?;
    transaction.commit().await?;
    Ok((Answer::Sold, 0))
}
