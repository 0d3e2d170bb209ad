//! What operators look through: `GET /v1/sales`, `GET /v1/sales/{sale}/reservations` and `GET /v1/syncers`.

use flash_client::Call;
use flash_vault::{REJECTED, ReservationFilter, ReservationRow, Syncer};
use flash_wire::{Refusal, SaleStatus, State};
use hyper::StatusCode;
use serde::Serialize;

use super::app::App;
use super::problem::{Kind, Problem};
use super::reply::{Reply, json};
use super::sales::View;
use super::{path, query, sale_status};
use crate::ids::PublicId;
use crate::limits::PAGE_ROWS_MAX;

/// A page of the sales, by id: `?after=ID` and `?limit=N`. PostgreSQL knows which there are, and Redis how they stand.
pub(crate) async fn sales(app: &App, query: Option<&str>) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Sales<'a> {
        sales: Vec<SaleRow<'a>>,
    }
    #[derive(Serialize)]
    #[serde(untagged)]
    enum SaleRow<'a> {
        InRedis(View<'a>),
        NotInRedis { sale: &'a str },
    }
    let [after, limit] = query::read(query, ["after", "limit"])?;
    let limit = query::int("limit", limit, (1, PAGE_ROWS_MAX), PAGE_ROWS_MAX)?;
    let sales = app.postgres.sale_page(after.unwrap_or_default(), limit).await?;
    let told = statuses(app, sales.iter().map(String::as_str)).await?;
    let rows = sales.iter().zip(&told).map(|(sale, status)| match status {
        Some(status) => SaleRow::InRedis(View::new(sale, status)),
        None => SaleRow::NotInRedis { sale },
    });
    Ok(json(StatusCode::OK, &Sales { sales: rows.collect() }))
}

/// How Redis says that each of these sales stands; None: it does not have that one (any more).
pub(crate) async fn statuses(
    app: &App,
    sales: impl Iterator<Item = &str>,
) -> Result<Vec<Option<SaleStatus<'static>>>, Problem> {
    let told = app.redis.calls(sales.map(Call::sale_status).collect()).await;
    let known = |status| match status {
        Ok(status) => Ok(Some(status)),
        Err(Refusal::NotWarmed) => Ok(None),
        Err(refusal) => Err(refusal.into()),
    };
    told.into_iter().map(|status| known(sale_status::known(status?))).collect()
}

/// A page of a sale's reservations, the newest first: `?state=`, `?buyer=`, `?before=N` and `?limit=N`.
pub(crate) async fn reservations(app: &App, sale: &str, query: Option<&str>) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Reservations<'a> {
        reservations: Vec<RowView<'a>>,
    }
    let sale = path::sale(sale)?;
    let [state, buyer, before, limit] = query::read(query, ["state", "buyer", "before", "limit"])?;
    let state = state.map(known_state).transpose()?;
    let buyer = buyer.map(|buyer| path::buyer(buyer).map_err(not_a_buyer)).transpose()?;
    let before = query::int("before", before, (1, query::NUMBER_MAX), query::NUMBER_MAX)?;
    let limit = query::int("limit", limit, (1, PAGE_ROWS_MAX), PAGE_ROWS_MAX)?;
    let filter = ReservationFilter { state, buyer: buyer.as_deref(), before };
    let rows = app.postgres.reservation_page(sale, &filter, limit).await?;
    if rows.is_empty() && app.postgres.sale_facts(sale).await?.is_none() {
        return Err(Kind::UnknownSale.into());
    }
    let rows = rows.iter().map(|row| RowView::new(app.ids.of(sale, row.id, &row.buyer), row));
    Ok(json(StatusCode::OK, &Reservations { reservations: rows.collect() }))
}

fn known_state(name: &str) -> Result<&str, Problem> {
    if name == REJECTED || State::from_name(name).is_some() {
        return Ok(name);
    }
    let names = State::ALL.map(State::name).join(", ");
    Err(Problem::new(Kind::BadRequest, format!("state must be {names} or {REJECTED}")))
}

/// It stands in the query: the path leads somewhere.
fn not_a_buyer(problem: Problem) -> Problem {
    Problem::new(Kind::BadRequest, problem.detail.unwrap_or_default())
}

#[derive(Serialize)]
struct RowView<'a> {
    id: PublicId,
    epoch: u64,
    buyer: &'a str,
    state: &'a str,
    items: Vec<ItemView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reserved_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    written_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_written_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct ItemView<'a> {
    sku: &'a str,
    quantity: u64,
}

impl<'a> RowView<'a> {
    fn new(id: PublicId, row: &'a ReservationRow) -> Self {
        let item = |(sku, quantity): &'a (String, u64)| ItemView { sku, quantity: *quantity };
        Self {
            id,
            epoch: row.epoch,
            buyer: &row.buyer,
            state: &row.state,
            items: row.items.iter().map(item).collect(),
            reserved_at_ms: row.reserved_at_ms,
            expires_at_ms: row.expires_at_ms,
            ended_at_ms: row.ended_at_ms,
            published_at_ms: row.published_at_ms,
            written_at_ms: row.written_at_ms,
            end_written_at_ms: row.end_written_at_ms,
            reason: row.reason.as_deref(),
        }
    }
}

/// The syncers, by what each said last.
pub(crate) async fn syncers(app: &App) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Syncers<'a> {
        syncers: Vec<SyncerView<'a>>,
    }
    let syncers = app.postgres.syncers().await?;
    Ok(json(StatusCode::OK, &Syncers { syncers: syncers.iter().map(SyncerView::of).collect() }))
}

#[derive(Serialize)]
struct SyncerView<'a> {
    name: &'a str,
    paused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    queued: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<u64>,
    said_ms_ago: u64,
}

impl<'a> SyncerView<'a> {
    fn of(syncer: &'a Syncer) -> Self {
        let Syncer { name, paused, queued, written, rejected, age } = syncer;
        let said_ms_ago = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        Self { name, paused: *paused, queued: *queued, written: *written, rejected: *rejected, said_ms_ago }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_one_that_a_reservation_can_have() {
        for state in ["held", "confirmed", "released", "expired", "rejected"] {
            assert_eq!(known_state(state), Ok(state));
        }
        for state in ["", "HELD", "open"] {
            let problem = known_state(state).unwrap_err();
            let told = Some("state must be held, confirmed, released, expired or rejected");
            assert_eq!((problem.kind, problem.detail.as_deref()), (Kind::BadRequest, told));
        }
    }
}
