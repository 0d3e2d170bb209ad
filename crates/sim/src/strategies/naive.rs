//! Reads, then writes. Between the two, others read the same.

use anyhow::Result;

use super::{Seller, Sold};
use crate::tally::Answer;

pub(super) async fn sell(seller: &mut Seller, buyer: &str) -> Result<Sold> {
    Ok((read_then_write(seller, buyer).await?, 0))
}

/// Right, if nothing else does it at the same time.
pub(super) async fn read_then_write(seller: &mut Seller, buyer: &str) -> Result<Answer> {
    let Seller { postgres, statements, sale, .. } = seller;
    let seen: i64 = postgres.query_one(&statements.naive_seen, &[sale, &buyer]).await?.get(0);
    if seen > 0 {
        return Ok(Answer::Again);
    }
    let available: i64 = postgres.query_one(&statements.read, &[sale]).await?.get(0);
    if available <= 0 {
        return Ok(Answer::SoldOut);
    }
    postgres.execute(&statements.write, &[sale, &(available - 1)]).await?;
    postgres.execute(&statements.naive_order, &[sale, &buyer]).await?;
    Ok(Answer::Sold)
}
