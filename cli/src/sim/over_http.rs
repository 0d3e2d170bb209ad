//! Buyers come over HTTP: to a gateway where `flash` sells, and to a shop of its own where another way does.

use std::sync::Arc;

use anyhow::Result;
use flash_sim::{Door, Live, Seller, SellerFactory, Strategy};

use crate::load::{Api, Endpoint, Street, Visitor, Who, Wish};
use crate::shop::Shop;

/// Opens the door: puts the units on sale, and connects as many buyers as come at once. The shop stays open as long as
/// the door does; only `flash` needs a `gateway`, and waits for it.
pub(crate) async fn open(
    factory: SellerFactory,
    keeper: &mut Seller,
    gateway: impl Future<Output = Result<Endpoint>>,
    street: &Street,
    live: &Live,
) -> Result<Door<Visitor, Option<Shop>>> {
    let sale = factory.sale.clone();
    let wish = Arc::new(Wish::new(&sale.id, None, Who::Named(String::new())));
    let mut visitors = Vec::new();
    if sale.strategy == Strategy::Flash {
        let gateway = gateway.await?;
        Api::open_sale(&gateway, &sale.id, sale.units).await?;
        for _ in 0..sale.concurrency {
            visitors.push(Visitor::stubborn(gateway.clone(), wish.clone(), street.clone()).await);
        }
        return Ok((visitors, None));
    }
    keeper.stock(sale.units).await?;
    let shop = Shop::open(factory, live.clone()).await?;
    let endpoint = Endpoint::read(&format!("http://{}", shop.address), None)?;
    for _ in 0..sale.concurrency {
        visitors.push(Visitor::once(endpoint.clone(), wish.clone()).await?);
    }
    Ok((visitors, Some(shop)))
}
