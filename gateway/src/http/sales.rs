//! Sales as they are: `GET /v1/sales`, `GET /v1/sales/{sale}` and its form.

use flash_wire::{SaleStatus, SkuStatus};
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::problem::{Kind, Problem};
use super::reply::{self, Reply, json};
use super::route::{Answer, GET, Route, Schema, Spec, handler};
use super::schema::{Count, JsonSchemaValue, Quantity, SaleId, Sku, TimeMs};
use super::state::{App, Asked};
use super::target::Manner;
use super::{path, query, sale_status};
use crate::limits::PAGE_ROWS_MAX;

pub(super) static ROUTES: [Route; 3] = [
    Route {
        method: &GET,
        path: "/v1/sales",
        name: "list-sales",
        access: Access::READ,
        handler: handler!(list),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Sales",
            summary: "List sales, by id",
            description: "Current states from Redis. A sale that Redis does not have ended long ago, or is being \
                          restored.",
            parameters: &["After", "Limit"],
            answers: &[Answer::json(200, "One page of the list.", Schema::of::<Sales<'_>>())],
            ..Spec::NONE
        },
    },
    Route {
        method: &GET,
        path: "/v1/sales/{sale}",
        name: "show-sale",
        access: Access::Open,
        handler: handler!(show),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Sales",
            summary: "Show a sale",
            description: "`total = available + held + confirmed`, for each SKU and for the sale.",
            parameters: &["Sale"],
            answers: &[Answer::json(200, "The sale.", Schema::of::<SaleView<'_>>())],
            ..Spec::NONE
        },
    },
    Route {
        method: &GET,
        path: "/v1/sales/{sale}/form",
        name: "show-form",
        access: Access::Open,
        handler: handler!(show_form),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Sales",
            summary: "Show a sale's form",
            description: "The JSON Schema for the `data` of its reservations.",
            parameters: &["Sale"],
            answers: &[Answer::json(200, "The form, as it was sent.", Schema::of::<JsonSchemaValue>())
                .of("application/schema+json")],
            problems: &[Kind::NotFound],
            ..Spec::NONE
        },
    },
];

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
#[serde(untagged)]
enum SaleRow<'a> {
    InRedis(SaleView<'a>),
    NotInRedis(SaleNotInRedis<'a>),
}

/// Redis does not have it: it is long over, or is being brought back.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [{ "sale": "drop" }]))]
struct SaleNotInRedis<'a> {
    #[schemars(with = "SaleId")]
    sale: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SaleList", 
    extend(
        "examples" = [
            {
                "sales": [
                    {
                        "sale": "drop", "epoch": 1, "phase": "open", "total": 100, "available": 97, "held": 2,
                        "confirmed": 1, "limit": 1, "hold_ms": 600000, "seq": 5, "acked": 5, "journal_events": 0,
                        "journal_events_max": 1000000,
                        "skus": [{ "sku": "default", "total": 100, "available": 97, "held": 2, "confirmed": 1 }],
                    },
                    { "sale": "last-year" },
                ],
            },
        ],
    ),
)]
struct Sales<'a> {
    sales: Vec<SaleRow<'a>>,
}

/// A page of the sales, by id: `?after=ID` and `?limit=N`. PostgreSQL knows which there are, and Redis how they stand.
pub(crate) async fn list(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let [after, limit] = query::read(asked.query(), ["after", "limit"])?;
    let limit = query::int("limit", limit, (1, PAGE_ROWS_MAX), PAGE_ROWS_MAX)?;
    let after = after.unwrap_or_default();
    let sales = app.postgres.look(async |client: &_| flash_vault::sale_page(client, &after, limit).await).await?;
    let told = sale_status::all(app, sales.iter().map(String::as_str)).await?;
    let rows = sales.iter().zip(&told).map(|(sale, status)| match status {
        Some(status) => SaleRow::InRedis(SaleView::new(sale, status)),
        None => SaleRow::NotInRedis(SaleNotInRedis { sale }),
    });
    Ok(json(StatusCode::OK, &Sales { sales: rows.collect() }))
}

/// The sale's form, as it was given.
pub(crate) async fn show_form(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let sale = path::sale(&asked.target.sale)?;
    sale_status::of(app, sale).await??;
    let facts = app.catalogue.facts(&app.redis, &app.postgres, sale).await?;
    match &facts.form {
        Some(form) => Ok(reply::schema(form.text())),
        None => Err(Problem::new(Kind::NotFound, "the sale has no form: it accepts any data")),
    }
}

/// The sale's current state.
pub(crate) async fn show(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let sale = path::sale(&asked.target.sale)?;
    let status = sale_status::of(app, sale).await??;
    Ok(json(StatusCode::OK, &SaleView::new(sale, &status)))
}

/// A sale's current state.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(
    rename = "Sale",
    extend(
        "examples" = [
            {
                "sale": "drop", "epoch": 1, "phase": "open", "total": 100, "available": 97, "held": 2, "confirmed": 1,
                "limit": 1, "hold_ms": 600000, "seq": 5, "acked": 5, "journal_events": 0,
                "journal_events_max": 1000000,
                "skus": [{ "sku": "default", "total": 100, "available": 97, "held": 2, "confirmed": 1 }],
            },
        ],
    ),
)]
struct SaleView<'a> {
    #[schemars(with = "SaleId")]
    sale: &'a str,
    /// Which life of the sale in Redis this is.
    #[schemars(range(min = 1))]
    epoch: u64,
    #[schemars(extend("enum" = ["not_started", "open", "closed", "ended", "fenced"]))]
    phase: &'a str,
    #[serde(flatten)]
    units: UnitCounts,
    /// UnitCounts that one buyer may have, over all reservations.
    #[schemars(with = "Quantity")]
    limit: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    hold_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TimeMs>")]
    opens_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TimeMs>")]
    closes_at_ms: Option<u64>,
    /// The number of the newest event.
    seq: u64,
    /// PostgreSQL has every event up to this one.
    acked: u64,
    /// Events that wait for PostgreSQL.
    journal_events: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    journal_events_max: Option<u64>,
    skus: Vec<SkuStock<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("examples" = [{ "sku": "default", "total": 100, "available": 97, "held": 2, "confirmed": 1 }]))]
struct SkuStock<'a> {
    #[schemars(with = "Sku")]
    sku: &'a str,
    #[serde(flatten)]
    units: UnitCounts,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct UnitCounts {
    #[schemars(with = "Count")]
    total: u64,
    #[schemars(with = "Count")]
    available: u64,
    #[schemars(with = "Count")]
    held: u64,
    #[schemars(with = "Count")]
    confirmed: u64,
}

impl<'a> SaleView<'a> {
    fn new(sale: &'a str, status: &'a SaleStatus) -> Self {
        let sku = |sku: &'a SkuStatus| SkuStock { sku: &sku.name, units: sku.into() };
        Self {
            sale,
            epoch: status.epoch,
            phase: &status.phase,
            units: (&status.sums()).into(),
            limit: status.limit,
            hold_ms: status.hold_ms,
            opens_at_ms: status.opens_at_ms,
            closes_at_ms: status.closes_at_ms,
            seq: status.seq,
            acked: status.acked,
            journal_events: status.journal_events,
            journal_events_max: status.journal_events_max,
            skus: status.skus.iter().map(sku).collect(),
        }
    }
}

impl From<&SkuStatus<'_>> for UnitCounts {
    fn from(sku: &SkuStatus) -> Self {
        Self { total: sku.total, available: sku.available, held: sku.held, confirmed: sku.confirmed }
    }
}
