//! One run of one strategy.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::arrivals::Crowd;
use crate::open_loop::{Sell, drive};
use crate::sale::Sale;
use crate::seller_factory::SellerFactory;
use crate::servers::Servers;
use crate::sql;
use crate::strategies::{Seller, Sold};
use crate::tally::Live;
use crate::verdict::Outcome;

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

/// Sells by one strategy through the door that `open` opens, which puts the units on sale, and counts in `live`
/// meanwhile. It ends early when `stop` does. What it made is gone afterwards, but for the sale of
/// [`Strategy::Flash`](crate::Strategy::Flash): its orders are orders like any other.
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
    factory.clear(&keeper).await?;
    factory.postgres().await?.batch_execute(sql::DROP).await.context("cannot drop the tables")?;
    let Sale { strategy, units, .. } = *sale;
    Ok(Outcome { strategy, units, buyers: crowd.buyers, tally, took, orders, duplicates, cpu })
}
