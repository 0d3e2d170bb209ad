//! FLASH.RESERVE. The order comes to PostgreSQL by the sale's journal, whatever becomes of the caller.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use flash_client::Call;
use flash_wire::{Details, Refusal, Reserve, Terms, Wanted, Warm};
use tokio::time::sleep;

use super::{Seller, Sold};
use crate::tally::Answer;

/// What a journal has to hold beside an event for each unit: that the sale is there.
const OTHER_EVENTS: u64 = 1;
/// How long the orders may take until PostgreSQL has them.
const PERSIST_TIMEOUT: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(super) async fn stock(seller: &Seller, units: u64) -> Result<()> {
    let terms = Terms { journal_events_max: Some(units + OTHER_EVENTS), ..Terms::simple(units) };
    let warm = Warm::first(terms);
    match seller.flash.call(Call::warm(&seller.sale, &warm)).await? {
        Ok(_) => Ok(()),
        Err(refusal) => bail!("the sale is refused: {}", refusal.code()),
    }
}

pub(super) async fn sell(seller: &Seller, buyer: &str) -> Result<Sold> {
    let wish = Reserve { buyer, wanted: Wanted::Quantity(1), details: Details::NONE, is_new: false };
    let answer = match seller.flash.call(Call::reserve(&seller.sale, &wish)).await? {
        Ok(_) => Answer::Sold,
        Err(Refusal::Replayed { .. } | Refusal::LimitExceeded { .. }) => Answer::Again,
        Err(Refusal::SoldOut) => Answer::SoldOut,
        Err(refusal) => bail!("refused: {}", refusal.code()),
    };
    Ok((answer, 0))
}

pub(super) async fn left(seller: &Seller) -> Result<i64> {
    match seller.flash.call(Call::sale_status(&seller.sale)).await? {
        Ok(status) => Ok(i64::try_from(status.sums().available)?),
        Err(refusal) => bail!("refused: {}", refusal.code()),
    }
}

/// Waits until PostgreSQL has as many orders as buyers got, or for a bounded time.
pub(super) async fn orders(seller: &Seller, told: u64) -> Result<(u64, u64)> {
    let end = Instant::now() + PERSIST_TIMEOUT;
    loop {
        let orders = flash_vault::active_orders(&seller.postgres, &seller.sale).await.context("PostgreSQL")?;
        if orders >= told || Instant::now() >= end {
            return Ok((orders, flash_vault::twice_served_buyers(&seller.postgres, &seller.sale).await?));
        }
        sleep(LOOK_EVERY).await;
    }
}
