//! Reads a version, and writes only where it is still the same.

use anyhow::Result;

use super::{Seller, Sold};
use crate::tally::Answer;

/// Tries beyond the first; most programs give up there.
const RETRIES_MAX: u64 = 3;

pub(super) async fn sell(seller: &mut Seller, buyer: &str) -> Result<Sold> {
    for retries in 0..=RETRIES_MAX {
        if let Some(answer) = attempt(seller, buyer).await? {
            return Ok((answer, retries));
        }
    }
    Ok((Answer::GaveUp, RETRIES_MAX))
}

/// None: somebody else was faster.
async fn attempt(seller: &mut Seller, buyer: &str) -> Result<Option<Answer>> {
    let Seller { postgres, statements, sale, .. } = seller;
    let row = postgres.query_one(&statements.read, &[sale]).await?;
    let (available, version): (i64, i64) = (row.get(0), row.get(1));
    if available <= 0 {
        return Ok(Some(Answer::SoldOut));
    }
    let transaction = postgres.transaction().await?;
    if transaction.execute(&statements.order, &[sale, &buyer]).await? == 0 {
        return Ok(Some(Answer::Again));
    }
    if transaction.execute(&statements.write_version, &[sale, &version]).await? == 0 {
        return Ok(None);
    }
    transaction.commit().await?;
    Ok(Some(Answer::Sold))
}
