//! `GET /v1/sales/{sale}/reservations`, for operators.

use flash_vault::{REJECTED, ReservationFilter, ReservationRow};
use flash_wire::limits::BUYER_BYTES_MAX;
use flash_wire::message::MessageItem;
use flash_wire::{Invalid, Name, State};
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::lookup::FoundItem;
use super::problem::{Kind, Problem};
use super::reply::{Reply, json};
use super::route::{Answer, GET, Route, Schema, Spec, handler};
use super::schema::{BuyerName, TimeMs};
use super::state::{App, Asked};
use super::target::Manner;
use super::{path, query};
use crate::catalogue::sale_facts;
use crate::ids::PublicId;
use crate::limits::PAGE_ROWS_MAX;

pub(super) static ROUTES: [Route; 1] = [Route {
    method: &GET,
    path: "/v1/sales/{sale}/reservations",
    name: "list-reservations",
    access: Access::READ,
    handler: handler!(list),
    manner: Manner::USUAL,
    spec: Spec {
        tag: "Reservations",
        summary: "List a sale's reservations",
        description: "Newest first, from PostgreSQL. A reservation that was made a moment ago may not be in the list \
                      yet.",
        parameters: &["Sale", "OfState", "OfBuyer", "BeforeReservation", "Limit"],
        answers: &[Answer::json(200, "One page of the list.", Schema::of::<Reservations<'_>>())],
        ..Spec::NONE
    },
}];

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReservationList", 
    extend(
        "examples" = [
            {
                "reservations": [
                    {
                        "id": "2-5d3ff2f5e6dbd4a1b3d1b6cf6c1c7f0e", "epoch": 1, "buyer": "ada", "state": "confirmed",
                        "items": [{ "sku": "default", "quantity": 1 }], "reserved_at_ms": 1796000000000_u64,
                        "expires_at_ms": 1796000600000_u64, "ended_at_ms": 1796000012345_u64,
                        "published_at_ms": 1796000000006_u64, "written_at_ms": 1796000000018_u64,
                        "end_written_at_ms": 1796000012360_u64,
                    },
                ],
            },
        ],
    ),
)]
struct Reservations<'a> {
    reservations: Vec<ReservationListed<'a>>,
}

/// A page of a sale's reservations, the newest first: `?state=`, `?buyer=`, `?before=N` and `?limit=N`.
pub(crate) async fn list(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let sale = path::sale(&asked.target.sale)?;
    let [state, buyer, before, limit] = query::read(asked.query(), ["state", "buyer", "before", "limit"])?;
    let state = state.as_deref().map(known_state).transpose()?;
    let buyer = buyer.map(|buyer| Name::new("buyer", buyer, BUYER_BYTES_MAX).map(Name::into_inner));
    let buyer = buyer.transpose().map_err(bad_query)?;
    let before = query::int("before", before, (1, query::NUMBER_MAX), query::NUMBER_MAX)?;
    let limit = query::int("limit", limit, (1, PAGE_ROWS_MAX), PAGE_ROWS_MAX)?;
    let filter = ReservationFilter { state, buyer: buyer.as_deref(), before };
    let rows =
        app.postgres.look(async |client: &_| flash_vault::reservation_page(client, sale, &filter, limit).await).await?;
    if rows.is_empty() && sale_facts(&app.postgres, sale).await?.is_none() {
        return Err(Kind::UnknownSale.into());
    }
    let rows = rows.iter().map(|row| ReservationListed::new(app.ids.of(sale, row.id, &row.made.buyer), row));
    Ok(json(StatusCode::OK, &Reservations { reservations: rows.collect() }))
}

fn known_state(name: &str) -> Result<&str, Problem> {
    if name == REJECTED || State::from_name(name).is_some() {
        return Ok(name);
    }
    let names = State::ALL.map(State::name).join(", ");
    Err(Problem::new(Kind::BadRequest, format!("state must be {names} or {REJECTED}")))
}

fn bad_query(invalid: Invalid) -> Problem {
    Problem::new(Kind::BadRequest, invalid.to_string())
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct ReservationListed<'a> {
    #[schemars(with = "String")]
    id: PublicId,
    /// In which life of the sale in Redis it was made.
    #[schemars(range(min = 1))]
    epoch: u64,
    #[schemars(with = "BuyerName")]
    buyer: &'a str,
    #[schemars(extend("enum" = ["held", "confirmed", "released", "expired", "rejected"]))]
    state: &'a str,
    /// None of a rejected one.
    #[schemars(with = "Vec<FoundItem>")]
    items: Vec<ItemListed<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TimeMs>")]
    reserved_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TimeMs>")]
    expires_at_ms: Option<u64>,
    /// When the hold ended, or PostgreSQL refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TimeMs>")]
    ended_at_ms: Option<u64>,
    /// When a gateway gave it to the queue, by that gateway's clock. Not told of what went past the queue, and of
    /// what an older release made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TimeMs>")]
    published_at_ms: Option<u64>,
    /// When PostgreSQL wrote it first. Not told of what it wrote before it noted that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TimeMs>")]
    written_at_ms: Option<u64>,
    /// When PostgreSQL wrote the end of its hold. Not told where it has none, or wrote it before it noted that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TimeMs>")]
    end_written_at_ms: Option<u64>,
    /// Why PostgreSQL, which has the last word, refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct ItemListed<'a> {
    sku: &'a str,
    quantity: u64,
}

impl<'a> ReservationListed<'a> {
    fn new(id: PublicId, row: &'a ReservationRow) -> Self {
        let item = |item: &'a MessageItem<'static>| ItemListed { sku: &item.sku, quantity: item.quantity.into() };
        Self {
            id,
            epoch: row.epoch,
            buyer: &row.made.buyer,
            state: &row.state,
            items: row.made.items.iter().map(item).collect(),
            reserved_at_ms: row.reserved_at_ms,
            expires_at_ms: row.made.expires_at_ms,
            ended_at_ms: row.ended_at_ms,
            published_at_ms: row.published_at_ms,
            written_at_ms: row.written_at_ms,
            end_written_at_ms: row.end_written_at_ms,
            reason: row.reason.as_deref(),
        }
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
