//! `GET /v1/relay`: what is on its way to PostgreSQL, and who relays it.

use flash_client::Call;
use flash_wire::key::sale_of;
use flash_wire::{COUNT_MAX, ReadySale, SaleStatus};
use flash_worker::now_ms;
use hyper::StatusCode;
use serde::Serialize;

use super::access::Access;
use super::problem::Problem;
use super::reply::{Reply, json};
use super::route::{Answer, GET, Route, Spec, handler};
use super::sale_status;
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
        summary: "Show what is on its way, and who relays it",
        description: "The sales of this gateway's Redis with events that PostgreSQL lacks, the oldest first, and those \
                             that are fenced or have holds that are due.",
        answers: &[Answer::json(200, "All of them.", "Relay")],
        ..Spec::NONE
    },
}];

/// The sales of this gateway's Redis that have something to relay, the oldest first; at most [`COUNT_MAX`].
pub(crate) async fn show(app: &App, _: &Asked) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct RelayView<'a> {
        sales: Vec<RelayedSale<'a>>,
    }
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

#[derive(Debug, PartialEq, Eq, Serialize)]
struct RelayedSale<'a> {
    sale: &'a str,
    epoch: u64,
    seq: u64,
    acked: u64,
    journal_events: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    journal_events_max: Option<u64>,
    /// How long ago its oldest event was decided that PostgreSQL lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_age_ms: Option<u64>,
    fenced: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    relay: Option<&'a str>,
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
