//! One run of one strategy.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::arrivals::Crowd;
use crate::open_loop::{Sell, drive};
use crate::seller_factory::SellerFactory;
use crate::sql;
use crate::strategies::{Seller, Sold};
use crate::strategy::Strategy;
use crate::tally::Live;
use crate::verdict::Outcome;

/// Where the servers are, and what they have used up.
pub trait Servers {
    /// The URL of a Redis with the module.
    fn redis(&self) -> &str;
    /// The URL of a PostgreSQL that a syncer writes orders to.
    fn postgres(&self) -> &str;
    /// CPU time of each server so far, by its name.
    fn cpu(&self) -> Vec<(&'static str, Duration)>;
}

/// How much is sold, and how.
#[derive(Debug, Clone)]
pub struct Sale {
    /// The way to sell it.
    pub strategy: Strategy,
    /// An id that no other run has had.
    pub id: String,
    /// Units on sale.
    pub units: u64,
    /// Requests that are under way at once; each has a connection to PostgreSQL.
    pub concurrency: u64,
}

/// Who is asked, and what is kept as long as anybody is: it is dropped when all is counted.
pub type Door<T, K> = (Vec<T>, K);

/// Buyers buy from the sellers directly, with nothing in between.
///
/// # Errors
/// When a server cannot be reached.
pub async fn in_person(factory: SellerFactory, keeper: &mut Seller) -> Result<Door<Seller, ()>> {
    keeper.stock(factory.sale.units).await?;
    Ok((factory.sellers().await?, ()))
}

/// Sells by one strategy through the door that `open` opens, which puts the units on sale, and counts in `live` meanwhile.
/// It ends early when `stop` does. What it made is gone afterwards, but for the sale of [`Strategy::Flash`]: its orders
/// are orders like any other.
///
/// # Errors
/// When the servers cannot be reached at the beginning, or not be asked in the end. What fails in between is counted.
pub async fn run<T: Sell<Answer = Sold>, K>(
    servers: &impl Servers,
    sale: &Sale,
    crowd: &Crowd,
    live: &Live,
    open: impl AsyncFnOnce(SellerFactory, &mut Seller) -> Result<Door<T, K>>,
    stop: impl Future<Output = ()>,
) -> Result<Outcome> {
    let factory = SellerFactory::of(sale, servers);
    factory.postgres().await?.batch_execute(sql::CREATE).await.context("cannot make the tables")?;
    let mut keeper = factory.keeper().await?;
    let (sellers, kept) = open(factory.clone(), &mut keeper).await?;
    let before = servers.cpu();
    let (counting, began) = (live.clone(), Instant::now());
    tokio::select! {
        driven = drive(sellers, crowd.arrivals(), move |ended| counting.count(ended)) => drop(driven?),
        () = stop => {}
    }
    let took = began.elapsed();
    let tally = live.look();
    let (orders, duplicates) = keeper.orders(tally.sold).await?;
    let used = servers.cpu().into_iter().zip(before).map(|((name, now), (_, then))| (name, now.saturating_sub(then)));
    let cpu = used.collect();
    drop(kept);
    keeper.clear(&factory).await?;
    factory.postgres().await?.batch_execute(sql::DROP).await.context("cannot drop the tables")?;
    let Sale { strategy, units, .. } = *sale;
    Ok(Outcome { strategy, units, buyers: crowd.buyers, tally, took, orders, duplicates, cpu })
}
