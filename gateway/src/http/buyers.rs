//! Buyers' accounts: `/v1/buyers` and `/v1/buyers/{id}`.

use flash_vault::{Buyer, Creation, Price};
use flash_wire::limits::BUYER_BYTES_MAX;
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::fields;
use super::idempotency::{Keyed, make, text};
use super::problem::{Kind, Problem};
use super::reply::{Reply, created, json};
use super::route::{Answer, GET, Link, POST, Route, Schema, Spec, handler};
use super::schema::{BuyerName, Currency};
use super::state::{App, Asked};
use super::target::Manner;
use super::{body, path, query};
use crate::limits::{BALANCE_UNITS_MAX, PAGE_ROWS_MAX};

pub(super) static ROUTES: [Route; 3] = [
    Route {
        method: &POST,
        path: "/v1/buyers",
        name: "create-buyer",
        access: Access::ADMIN,
        handler: handler!(create),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Products and buyers",
            summary: "Open a buyer's account",
            description: "Payment from a balance requires an account; a reservation does not. A repeat leaves the \
                          balance unchanged.",
            parameters: &["IdempotencyKey"],
            body: Some(Schema::of::<NewBuyer>()),
            answers: &[
                Answer::json(201, "The account was opened.", Schema::of::<BuyerView<'_>>())
                    .headers(&["Location"])
                    .links(&[Link("show-buyer", &[("id", "$response.body#/buyer")])]),
                Answer::json(200, "This account exists already.", Schema::of::<BuyerView<'_>>())
                    .headers(&["Idempotency-Replayed"]),
            ],
            problems: &[Kind::BuyerDiffers, Kind::KeyReused],
            ..Spec::NONE
        },
    },
    Route {
        method: &GET,
        path: "/v1/buyers",
        name: "list-buyers",
        access: Access::READ,
        handler: handler!(list),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Products and buyers",
            summary: "List buyers' accounts, by buyer",
            description: "A buyer without an account is not listed.",
            parameters: &["After", "Limit"],
            answers: &[Answer::json(200, "One page of the list.", Schema::of::<BuyerList<'_>>())],
            ..Spec::NONE
        },
    },
    Route {
        method: &GET,
        path: "/v1/buyers/{id}",
        name: "show-buyer",
        access: Access::READ,
        handler: handler!(show),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Products and buyers",
            summary: "Show a buyer's account",
            parameters: &["BuyerId"],
            answers: &[Answer::json(200, "The account.", Schema::of::<BuyerView<'_>>())],
            problems: &[Kind::UnknownBuyer],
            ..Spec::NONE
        },
    },
];

/// Opens an account. The same again leaves the balance as it is.
pub(crate) async fn create(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    body::expect_json(&asked.head.headers)?;
    let keyed = Keyed::of(asked)?;
    let [buyer, balance, currency] = fields::body(&asked.body, ["buyer", "balance", "currency"])?;
    let name = buyer.required()?.name(BUYER_BYTES_MAX)?;
    let amount = balance.required()?.int(0, BALANCE_UNITS_MAX)?;
    let opening = Price { amount, currency: fields::currency(currency)? };
    let opened = make(app, keyed.as_ref(), async |transaction: &_| {
        let creation = flash_vault::create_buyer(transaction, &name, &opening).await?;
        if creation == Creation::Differs {
            return Ok((None, None));
        }
        let account = flash_vault::buyer(transaction, &name).await?;
        let answer = account.as_ref().map(|account| text(&BuyerView::of(account)));
        Ok((account.map(|account| (creation, account)), answer))
    });
    match opened.await? {
        Ok(Some((Creation::Created, account))) => {
            Ok(created(format!("/v1/buyers/{}", path::encoded(&name)), &BuyerView::of(&account)))
        }
        Ok(Some((_, account))) => Ok(json(StatusCode::OK, &BuyerView::of(&account))),
        Ok(None) => Err(Kind::BuyerDiffers.into()),
        Err(before) => Ok(before.reply()),
    }
}

/// A page of the accounts, by buyer: `?after=BUYER` and `?limit=N`.
async fn list(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let [after, limit] = query::read(asked.query(), ["after", "limit"])?;
    let limit = query::int("limit", limit, (1, PAGE_ROWS_MAX), PAGE_ROWS_MAX)?;
    let after = after.unwrap_or_default();
    let accounts = app.postgres.look(async |client: &_| flash_vault::buyer_page(client, &after, limit).await).await?;
    Ok(json(StatusCode::OK, &BuyerList { buyers: accounts.iter().map(BuyerView::of).collect() }))
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(
    rename = "BuyerList",
    extend("examples" = [{ "buyers": [{ "buyer": "ada", "balance": 5000, "currency": "EUR" }] }])
)]
struct BuyerList<'a> {
    buyers: Vec<BuyerView<'a>>,
}

/// One account.
pub(crate) async fn show(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let buyer = path::buyer(&asked.target.id)?;
    let account = app
        .postgres
        .look(async |client: &_| flash_vault::buyer(client, &buyer).await)
        .await?
        .ok_or(Kind::UnknownBuyer)?;
    Ok(json(StatusCode::OK, &BuyerView::of(&account)))
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Buyer", extend("examples" = [{ "buyer": "ada", "balance": 5000, "currency": "EUR" }]))]
struct BuyerView<'a> {
    #[schemars(with = "BuyerName")]
    buyer: &'a str,
    /// In the currency's smallest unit: what it is opened with, and what is left.
    #[schemars(range(max = BALANCE_UNITS_MAX))]
    balance: u64,
    #[schemars(with = "Currency")]
    currency: &'a str,
}

impl<'a> BuyerView<'a> {
    fn of(account: &'a Buyer) -> Self {
        Self { buyer: &account.buyer, balance: account.balance, currency: &account.currency }
    }
}

/// An account to be opened.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [{ "buyer": "ada", "balance": 5000, "currency": "EUR" }]))]
#[expect(dead_code, reason = "only its schema is used")]
struct NewBuyer {
    buyer: BuyerName,
    /// In the currency's smallest unit: what it is opened with, and what is left.
    #[schemars(range(max = BALANCE_UNITS_MAX))]
    balance: u64,
    currency: Currency,
}
