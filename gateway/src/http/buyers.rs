//! Buyers' accounts: `POST /v1/buyers` and `GET /v1/buyers/{id}`

use flash_vault::{Buyer, Creation, Price};
use flash_wire::limits::BUYER_BYTES_MAX;
use hyper::StatusCode;
use serde::Serialize;

use super::app::{App, Asked};
use super::fields;
use super::idempotency::{Keyed, make, text};
use super::problem::{Kind, Problem};
use super::products::currency;
use super::reply::{Reply, created, json};
use super::{body, path};
use crate::limits::BALANCE_UNITS_MAX;

/// Opens an account. The same again leaves the balance as it is.
pub(crate) async fn create(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    body::expect_json(&asked.head.headers)?;
    let keyed = Keyed::of(asked)?;
    let [buyer, balance, currency] = fields::body(&asked.body, ["buyer", "balance", "currency"])?;
    let name = buyer.required()?.name(BUYER_BYTES_MAX)?;
    let amount = balance.required()?.int(0, BALANCE_UNITS_MAX)?;
    let opening = Price { amount, currency: self::currency(currency)? };
    let opened = make(app, keyed.as_ref(), async |transaction: &_| {
        let creation = flash_vault::create_buyer(transaction, &name, &opening).await?;
        if creation == Creation::Differs {
            return Ok((None, None));
        }
        let account = flash_vault::buyer(transaction, &name).await?;
        let answer = account.as_ref().map(|account| text(&View::of(account)));
        Ok((account.map(|account| (creation, account)), answer))
    });
    match opened.await? {
        Ok(Some((Creation::Created, account))) => {
            Ok(created(format!("/v1/buyers/{}", path::encoded(&name)), &View::of(&account)))
        }
        Ok(Some((_, account))) => Ok(json(StatusCode::OK, &View::of(&account))),
        Ok(None) => Err(Kind::BuyerDiffers.into()),
        Err(before) => Ok(before.reply()),
    }
}

/// One account.
pub(crate) async fn show(app: &App, id: &str) -> Result<Reply, Problem> {
    let account = app.postgres.buyer(&path::buyer(id)?).await?.ok_or(Kind::UnknownBuyer)?;
    Ok(json(StatusCode::OK, &View::of(&account)))
}

#[derive(Debug, Serialize)]
struct View<'a> {
    buyer: &'a str,
    balance: u64,
    currency: &'a str,
}

impl<'a> View<'a> {
    fn of(account: &'a Buyer) -> Self {
        Self { buyer: &account.buyer, balance: account.balance, currency: &account.currency }
    }
}
