//! The ledger, for operators: `GET /v1/payments`, `POST /v1/payments/{id}/refunded`, and a sale's totals.

use flash_vault::{Payment, PaymentFilter, PaymentState, PaymentTotal, Refund};
use flash_wire::key::check_sale;
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::problem::{Kind, Problem};
use super::reply::{Reply, json};
use super::route::{Answer, GET, POST, Route, Schema, Spec, handler};
use super::schema::SaleId;
use super::state::{App, Asked};
use super::target::Manner;
use super::{body, fields, idempotency_key, path, query};
use crate::catalogue::sale_facts;
use crate::limits::{PAGE_ROWS_MAX, REFERENCE_BYTES_MAX};

pub(super) static ROUTES: [Route; 3] = [
    Route {
        method: &GET,
        path: "/v1/payments",
        name: "list-payments",
        access: Access::READ,
        handler: handler!(list),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Products and buyers",
            summary: "List payments, by number",
            description: "A payment is `pending` until its order ends. Then it is `settled`, or `refund_due`: the \
                          payment service must refund it. The gateway refunds debits of a balance by itself \
                          (`refunded`).",
            parameters: &["PaymentState", "OfSale", "AfterPayment", "Limit"],
            answers: &[Answer::json(200, "One page of the list.", Schema::of::<PaymentList<'_>>())],
            ..Spec::NONE
        },
    },
    Route {
        method: &GET,
        path: "/v1/sales/{sale}/payments",
        name: "total-payments",
        access: Access::READ,
        handler: handler!(totals),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Products and buyers",
            summary: "Total a sale's payments",
            description: "By state and currency: how many payments there are, and how much that is.",
            parameters: &["Sale"],
            answers: &[Answer::json(200, "The totals.", Schema::of::<PaymentTotals<'_>>())],
            problems: &[Kind::UnknownSale],
            ..Spec::NONE
        },
    },
    Route {
        method: &POST,
        path: "/v1/payments/{id}/refunded",
        name: "refunded",
        access: Access::PAY,
        handler: handler!(refunded),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Products and buyers",
            summary: "Report a refund",
            description: "The payment must be `refund_due`, and becomes `refunded`. A repeat gets the same answer.",
            parameters: &["PaymentNumber", "IdempotencyKey"],
            body: Some(Schema::of::<NewRefund>()),
            answers: &[Answer::json(200, "The refund is recorded.", Schema::of::<PaymentView<'_>>())],
            problems: &[Kind::UnknownPayment, Kind::Conflict],
            ..Spec::NONE
        },
    },
];

#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "PaymentList",
    extend(
        "examples" = [
            {
                "payments": [
                    {
                        "payment": 3, "sale": "drop", "id": 7, "buyer": "ada", "means": "external", "amount": 1999,
                        "currency": "EUR", "reference": "pi_1", "state": "refund_due", "reason": "late",
                        "at": "2026-11-21T16:00:00Z",
                    },
                ],
            },
        ],
    ),
)]
struct PaymentList<'a> {
    payments: Vec<PaymentView<'a>>,
}

/// A page of them, by number: `?state=S`, `?sale=SALE`, `?after=N` and `?limit=N`.
pub(crate) async fn list(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let [state, sale, after, limit] = query::read(asked.query(), ["state", "sale", "after", "limit"])?;
    let state = state.as_deref().map(state_of).transpose()?;
    let sale = sale.as_deref().map(sale_of).transpose()?;
    let after = query::int("after", after, (0, query::NUMBER_MAX), 0)?;
    let limit = query::int("limit", limit, (1, PAGE_ROWS_MAX), PAGE_ROWS_MAX)?;
    let rows = app
        .postgres
        .look(async |client: &_| flash_vault::payment_page(client, &PaymentFilter { state, sale, after }, limit).await)
        .await?;
    Ok(json(StatusCode::OK, &PaymentList { payments: rows.iter().map(PaymentView::of).collect() }))
}

/// What was paid for a sale, by state and currency.
async fn totals(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let sale = path::sale(&asked.target.sale)?;
    let rows = app.postgres.look(async |client: &_| flash_vault::payment_totals(client, sale).await).await?;
    if rows.is_empty() && sale_facts(&app.postgres, sale).await?.is_none() {
        return Err(Kind::UnknownSale.into());
    }
    Ok(json(StatusCode::OK, &PaymentTotals { sale, totals: rows.iter().map(TotalView::of).collect() }))
}

#[derive(Serialize, JsonSchema)]
#[schemars(
    extend(
        "examples" = [
            {
                "sale": "drop",
                "totals": [
                    { "state": "refund_due", "currency": "EUR", "payments": 1, "amount": 1999 },
                    { "state": "settled", "currency": "EUR", "payments": 3, "amount": 5997 },
                ],
            },
        ],
    ),
)]
struct PaymentTotals<'a> {
    #[schemars(with = "SaleId")]
    sale: &'a str,
    totals: Vec<TotalView<'a>>,
}

/// The payments of a sale in one state and currency.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct TotalView<'a> {
    #[schemars(extend("enum" = ["pending", "settled", "refund_due", "refunded"]))]
    state: &'a str,
    /// `unknown`: no report named it, and the sale has no price.
    currency: &'a str,
    payments: u64,
    /// How much of those of which it is known, in the currency's smallest unit.
    amount: u64,
}

impl<'a> TotalView<'a> {
    fn of(total: &'a PaymentTotal) -> Self {
        let PaymentTotal { state, currency, payments, amount } = total;
        Self { state, currency, payments: *payments, amount: *amount }
    }
}

fn state_of(name: &str) -> Result<PaymentState, Problem> {
    let names = PaymentState::NAMES.map(|(name, _)| name);
    let state = PaymentState::NAMES.into_iter().find(|(of, _)| *of == name).map(|(_, state)| state);
    state.ok_or_else(|| Problem::new(Kind::BadRequest, format!("state must be one of {}", names.join(", "))))
}

fn sale_of(sale: &str) -> Result<&str, Problem> {
    check_sale(sale).map_err(|invalid| Problem::new(Kind::BadRequest, invalid.to_string()))?;
    Ok(sale)
}

/// A payment was paid back, says the payment service. The same again changes nothing.
pub(crate) async fn refunded(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let Asked { target, caller, head, body, .. } = asked;
    let id = target.id.as_str();
    body::expect_json(&head.headers)?;
    // A payment is paid back once, so that no key is needed; an invalid one is still refused.
    idempotency_key::of(&head.headers)?;
    let [reference] = fields::body(body, ["reference"])?;
    let reference = reference.required()?.name(REFERENCE_BYTES_MAX)?;
    let number = id.parse::<u64>().ok().filter(|number| number.to_string() == id && *number <= query::NUMBER_MAX);
    let number = number.ok_or(Kind::UnknownPayment)?;
    match app
        .postgres
        .change(async |client: &_| flash_vault::refund_payment(client, number, &reference, caller.name()).await)
        .await?
    {
        Refund::Done(payment) => Ok(json(StatusCode::OK, &PaymentView::of(&payment))),
        Refund::Unknown => Err(Kind::UnknownPayment.into()),
        Refund::Clash(other) => {
            let detail = format!("the refund with this reference belongs to payment {other}; nothing was changed");
            Err(Problem::new(Kind::Conflict, detail))
        }
        Refund::NotDue(Payment { state, refund_reference: Some(known), .. }) => {
            let detail = format!("the payment is already {}, with the reference {known}", state.name());
            Err(Problem::new(Kind::Conflict, detail))
        }
        Refund::NotDue(payment) => {
            let detail = format!("the payment is {}: no refund is due", payment.state.name());
            Err(Problem::new(Kind::Conflict, detail))
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(
    rename = "LedgerPayment",
    extend(
        "examples" = [
            {
                "payment": 3, "sale": "drop", "id": 7, "buyer": "ada", "means": "external", "amount": 1999,
                "currency": "EUR", "reference": "pi_1", "state": "refunded", "reason": "late",
                "refund_reference": "re_1", "refunded_by": "psp", "at": "2026-11-21T16:00:00Z",
            },
        ],
    ),
)]
struct PaymentView<'a> {
    /// Its number.
    #[schemars(range(min = 1))]
    payment: u64,
    sale: &'a str,
    /// The number of the reservation.
    #[schemars(range(min = 1))]
    id: u64,
    /// Left out if the reservation's buyer is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    buyer: Option<&'a str>,
    #[schemars(extend("enum" = ["balance", "external"]))]
    means: &'a str,
    /// How much it is, in the currency's smallest unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    /// What the payment service calls the payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[schemars(extend("enum" = ["pending", "settled", "refund_due", "refunded"]))]
    state: &'static str,
    /// Why it does not pay for its reservation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        extend(
            "enum" = [
                "late", "unknown", "duplicate", "other_buyer", "other_currency", "other_amount", "same_reference",
            ],
        ),
    )]
    reason: Option<&'a str>,
    /// What the payment service calls the refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_reference: Option<&'a str>,
    /// Who reported the refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    refunded_by: Option<&'a str>,
    /// When it was made, or reported.
    at: &'a str,
}

impl<'a> PaymentView<'a> {
    fn of(row: &'a Payment) -> Self {
        Self {
            payment: row.payment,
            sale: &row.sale,
            id: row.id,
            buyer: row.buyer.as_deref(),
            means: &row.means,
            amount: row.amount,
            currency: row.currency.as_deref(),
            reference: row.reference.as_deref(),
            state: row.state.name(),
            reason: row.reason.as_deref(),
            refund_reference: row.refund_reference.as_deref(),
            refunded_by: row.refunded_by.as_deref(),
            at: &row.at,
        }
    }
}

/// A refund as a payment service reports it.
#[derive(JsonSchema)]
#[schemars(rename = "Refund", deny_unknown_fields, extend("examples" = [{ "reference": "re_3OqX" }]))]
#[expect(dead_code, reason = "only its schema is used")]
struct NewRefund {
    /// What the payment service calls the refund. One reference is one refund.
    #[schemars(length(min = 1, max = REFERENCE_BYTES_MAX))]
    reference: String,
}
