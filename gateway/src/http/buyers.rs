//! Buyers' accounts: `POST /v1/buyers` and `GET /v1/buyers/{id}`

use flash_vault::{Creation, Price};
use flash_wire::limits::BUYER_BYTES_MAX;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use serde::Serialize;

use super::app::App;
use super::fields;
use super::problem::{Kind, Problem};
use super::products::currency;
use super::reply::{Reply, created, json};
use super::{body, path};
use crate::limits::BALANCE_UNITS_MAX;

/// Opens an account. The same again leaves the balance as it is.
pub(crate) async fn create(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Reply, Problem> {
    body::expect_json(headers)?;
    let [buyer, balance, currency] = fields::body(body, ["buyer", "balance", "currency"])?;
    let name = buyer.required()?.name(BUYER_BYTES_MAX)?;
    let amount = balance.required()?.int(0, BALANCE_UNITS_MAX)?;
    let opening = Price { amount, currency: self::currency(currency)? };
    match app.orders.create_buyer(&name, &opening).await? {
        Creation::Created => {
            let view = View { buyer: &name, balance: amount, currency: &opening.currency };
            Ok(created(format!("/v1/buyers/{}", path::encoded(&name)), &view))
        }
        Creation::Exists => account(app, &name).await,
        Creation::Differs => Err(Kind::BuyerDiffers.into()),
    }
}

/// One account.
pub(crate) async fn show(app: &App, id: &str) -> Result<Reply, Problem> {
    account(app, &path::buyer(id)?).await
}

async fn account(app: &App, name: &str) -> Result<Reply, Problem> {
    let account = app.orders.buyer(name).await?.ok_or(Kind::UnknownBuyer)?;
    let view = View { buyer: &account.buyer, balance: account.balance, currency: &account.currency };
    Ok(json(StatusCode::OK, &view))
}

#[derive(Debug, Serialize)]
struct View<'a> {
    buyer: &'a str,
    balance: u64,
    currency: &'a str,
}
