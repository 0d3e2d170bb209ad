//! One statement checks and decrements. Its row lock makes everybody wait in line.

use anyhow::Result;

use super::{Seller, Sold};
use crate::tally::Answer;

pub(super) async fn sell(seller: &mut Seller, buyer: &str) -> Result<Sold> {
    let Seller { postgres, statements, sale, .. } = seller;
    let transaction = postgres.transaction().await?;
    if transaction.execute(&statements.decrement, &[sale]).await? == 0 {
        return Ok((Answer::SoldOut, 0));
    }
    if transaction.execute(&statements.order, &[sale, &buyer]).await? == 0 {
        return Ok((Answer::Again, 0));
    }
    transaction.commit().await?;
    Ok((Answer::Sold, 0))
}
