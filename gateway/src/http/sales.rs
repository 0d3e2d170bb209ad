//! Sales as they are: `GET /v1/sales`, `GET /v1/sales/{sale}` and its form.

use flash_wire::{SaleStatus, SkuStatus};
use hyper::StatusCode;
use serde::Serialize;

use super::access::Access;
use super::problem::{Kind, Problem};
use super::reply::{self, Reply, json};
use super::route::{Answer, GET, Route, Spec, handler};
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
            description: "As they stand in Redis. One that Redis does not have is long over, or is being brought back.",
            parameters: &["After", "Limit"],
            answers: &[Answer::json(200, "A page of them.", "Sales")],
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
            summary: "Show a sale as it stands",
            description: "`total = available + held + confirmed`, for each SKU and for all of them.",
            parameters: &["Sale"],
            answers: &[Answer::json(200, "The sale.", "Sale")],
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
            description: "The JSON Schema that the `data` of its reservations follows.",
            parameters: &["Sale"],
            answers: &[Answer::json(200, "The form, as it was given.", "Form").of("application/schema+json")],
            problems: &[Kind::NotFound],
            ..Spec::NONE
        },
    },
];

/// A page of the sales, by id: `?after=ID` and `?limit=N`. PostgreSQL knows which there are, and Redis how they stand.
pub(crate) async fn list(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Sales<'a> {
        sales: Vec<SaleRow<'a>>,
    }
    #[derive(Serialize)]
    #[serde(untagged)]
    enum SaleRow<'a> {
        InRedis(SaleView<'a>),
        NotInRedis { sale: &'a str },
    }
    let [after, limit] = query::read(asked.query(), ["after", "limit"])?;
    let limit = query::int("limit", limit, (1, PAGE_ROWS_MAX), PAGE_ROWS_MAX)?;
    let after = after.unwrap_or_default();
    let sales = app.postgres.look(async |client: &_| flash_vault::sale_page(client, &after, limit).await).await?;
    let told = sale_status::all(app, sales.iter().map(String::as_str)).await?;
    let rows = sales.iter().zip(&told).map(|(sale, status)| match status {
        Some(status) => SaleRow::InRedis(SaleView::new(sale, status)),
        None => SaleRow::NotInRedis { sale },
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
        None => Err(Problem::new(Kind::NotFound, "the sale has no form: its data may be anything")),
    }
}

/// The sale as it stands.
pub(crate) async fn show(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let sale = path::sale(&asked.target.sale)?;
    let status = sale_status::of(app, sale).await??;
    Ok(json(StatusCode::OK, &SaleView::new(sale, &status)))
}

/// A sale as it stands.
#[derive(Debug, Serialize)]
struct SaleView<'a> {
    sale: &'a str,
    epoch: u64,
    phase: &'a str,
    #[serde(flatten)]
    units: Units,
    limit: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closes_at_ms: Option<u64>,
    seq: u64,
    acked: u64,
    journal_events: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    journal_events_max: Option<u64>,
    skus: Vec<SkuStock<'a>>,
}

#[derive(Debug, Serialize)]
struct SkuStock<'a> {
    sku: &'a str,
    #[serde(flatten)]
    units: Units,
}

#[derive(Debug, Serialize)]
struct Units {
    total: u64,
    available: u64,
    held: u64,
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

impl From<&SkuStatus<'_>> for Units {
    fn from(sku: &SkuStatus) -> Self {
        Self { total: sku.total, available: sku.available, held: sku.held, confirmed: sku.confirmed }
    }
}
