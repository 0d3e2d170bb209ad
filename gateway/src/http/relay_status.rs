//! `GET /v1/relay`: what is on its way to PostgreSQL, and who relays it.

use flash_client::Call;
use flash_wire::key::sale_of;
use flash_wire::{COUNT_MAX, ReadySale, SaleStatus};
use flash_worker::now_ms;
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::problem::Problem;
use super::reply::{Reply, json};
use super::route::{Answer, GET, Route, Schema, Spec, handler};
use super::sale_status;
use super::schema::SaleId;
use super::state::{App, Asked};
use super::target::Manner;

pub(super) static ROUTES: [Route; 1] = [Route {
    method: &GET,
    path: "/v1/relay",
    name: "show-relay",
    access: Access::READ,
    handler: handler!(show),
    manner: Manner::USUAL,
    spec: Spec {
        tag: "On the way to PostgreSQL",
        summary: "Show the relays' progress",
        description: "Lists the sales of this gateway's Redis that have events which PostgreSQL lacks, that are \
                      fenced, or that have overdue holds. Oldest first.",
        answers: &[Answer::json(200, "The whole list.", Schema::of::<RelayView<'_>>())],
        ..Spec::NONE
    },
}];

#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "Relay",
    extend(
        "examples" = [
            {
                "sales": [
                    {
                        "sale": "drop", "epoch": 1, "seq": 1184, "acked": 1147, "journal_events": 37,
                        "journal_events_max": 1000000, "oldest_age_ms": 42, "fenced": false, "relay": "gateway-1",
                        "lease_ms": 4710,
                    },
                ],
            },
        ],
    ),
)]
struct RelayView<'a> {
    sales: Vec<RelayedSale<'a>>,
}

/// The sales of this gateway's Redis that have something to relay, the oldest first; at most [`COUNT_MAX`].
pub(crate) async fn show(app: &App, _: &Asked) -> Result<Reply, Problem> {
    let ready = app.redis.call(Call::ready(COUNT_MAX)).await??.sales;
    let mut sales: Vec<_> = ready.iter().filter_map(|ready| Some((sale_of(&ready.key)?, ready))).collect();
    sales.sort_unstable_by_key(|(sale, ready)| (ready.oldest_at_ms == 0, ready.oldest_at_ms, *sale));
    // What Redis no longer has is gone by now.
    let told = sale_status::all(app, sales.iter().map(|(sale, _)| *sale)).await?;
    let now_ms = now_ms();
    let views = sales.iter().zip(&told);
    let views =
        views.filter_map(|((sale, ready), status)| Some(RelayedSale::new(sale, ready, status.as_ref()?, now_ms)));
    Ok(json(StatusCode::OK, &RelayView { sales: views.collect() }))
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
struct RelayedSale<'a> {
    #[schemars(with = "SaleId")]
    sale: &'a str,
    /// Which life of the sale in Redis this is.
    #[schemars(range(min = 1))]
    epoch: u64,
    /// The number of the newest event.
    seq: u64,
    /// PostgreSQL has every event up to this one.
    acked: u64,
    /// Events that wait for PostgreSQL.
    journal_events: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    journal_events_max: Option<u64>,
    /// How long ago the oldest of them was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_age_ms: Option<u64>,
    /// It sells nothing until it is known to be whole.
    fenced: bool,
    /// Who relays it.
    #[serde(skip_serializing_if = "Option::is_none")]
    relay: Option<&'a str>,
    /// How long the lease lasts unless the relay renews it.
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_ms: Option<u64>,
}

impl<'a> RelayedSale<'a> {
    fn new(sale: &'a str, ready: &ReadySale, status: &'a SaleStatus<'_>, now_ms: u64) -> Self {
        Self {
            sale,
            epoch: status.epoch,
            seq: status.seq,
            acked: status.acked,
            journal_events: status.journal_events,
            journal_events_max: status.journal_events_max,
            oldest_age_ms: Some(ready.oldest_at_ms).filter(|at| *at > 0).map(|at_ms| now_ms.saturating_sub(at_ms)),
            fenced: ready.fenced,
            relay: status.relay.as_deref(),
            lease_ms: status.lease_until_ms.map(|until_ms| until_ms.saturating_sub(now_ms)),
        }
    }
}
