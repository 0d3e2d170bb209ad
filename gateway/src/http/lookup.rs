//! A reservation as Redis and PostgreSQL know it together: Redis knows the newest, PostgreSQL has the last word.

use std::time::Duration;

use flash_client::Call;
use flash_vault::{Order, Rejection};
use flash_wire::message::MessageItem;
use flash_wire::{Refusal, ReservationStatus, SaleStatus, State};
use flash_worker::now_ms;
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;

use super::details::Details;
use super::problem::{Kind, Problem};
use super::reply::{Reply, json};
use super::schema::{BuyerName, Quantity, SaleId, Sku, TimeMs};
use super::state::App;
use super::{prefer, sale_status};
use crate::catalogue::Verdict;
use crate::ids::PublicId;
use crate::postgres::PostgresError;

/// What a request brings along for a wait: how long it would, and its place among the requests, which it does not keep
/// while it waits.
pub(crate) struct Patience {
    pub(crate) wait: Option<Duration>,
    /// None: it has let go of it.
    pub(crate) place: Option<OwnedSemaphorePermit>,
}

/// The state of a reservation that Redis had accepted and PostgreSQL refused.
pub(crate) const REJECTED: &str = "rejected";

/// The current state of a reservation.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    sale: String,
    id: PublicId,
    buyer: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in_ms: Option<u64>,
    /// Why PostgreSQL refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<FoundItem>,
    /// Whether PostgreSQL has it in this state; none: PostgreSQL cannot be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    persisted: Option<bool>,
    /// For those who read it, once PostgreSQL has it. On the heap: most replies have none.
    #[serde(flatten)]
    details: Option<Box<Details>>,
    /// PostgreSQL has this state once it has the sale's events up to here.
    #[serde(skip)]
    seq: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Item", extend("examples" = [{ "sku": "default", "quantity": 1 }]))]
pub(super) struct FoundItem {
    #[schemars(with = "Sku")]
    sku: String,
    #[schemars(with = "Quantity")]
    quantity: u64,
}

/// Looks in Redis, and then in PostgreSQL for what the journal has not got any more. With a `buyer`, another buyer's
/// reservation of the same number is none.
pub(crate) async fn find(app: &App, sale: &str, id: u64, buyer: Option<&str>) -> Result<Found, Problem> {
    // In one round trip and in this order: what is acknowledged then was so for this state.
    let (of_id, of_sale) = tokio::join!(app.redis.call(Call::reservation_status(sale, id)), sale_status::of(app, sale));
    let status = match of_id? {
        Ok(status) if buyer.is_none_or(|buyer| status.made.buyer == buyer) => status,
        Ok(_) => {
            return find_forgotten(app, sale, id, buyer, of_sale?.ok()).await?.ok_or(Kind::UnknownReservation.into());
        }
        // The reservation is forgotten, or its sale is.
        Err(refusal @ (Refusal::Unknown | Refusal::NotWarmed)) => {
            // PostgreSQL is not asked for reservations of ids that anyone made up.
            let may_be_written = refusal == Refusal::Unknown
                || app.catalogue.verdict(&app.redis, &app.postgres, sale).await? != Verdict::Nothing;
            if !may_be_written {
                return Err(refusal.into());
            }
            return find_forgotten(app, sale, id, buyer, of_sale?.ok()).await?.ok_or_else(|| refusal.into());
        }
        Err(refusal) => return Err(refusal.into()),
    };
    let of_sale = of_sale??;
    let found = Found::of_status(sale, app.ids.of(sale, id, &status.made.buyer), &status, &of_sale);
    if id > of_sale.acked {
        return Ok(Found { persisted: Some(false), ..found });
    }
    Ok(match written(app, sale, id, Some(&status.made.buyer)).await {
        Ok(Some(written)) if written.state != State::Held.name() => written,
        Ok(Some(_)) => Found { persisted: Some(status.state == State::Held), ..found },
        Ok(None) => Found { persisted: Some(false), ..found },
        Err(_) => Found { persisted: None, ..found },
    })
}

/// What PostgreSQL has of a reservation that Redis does not know. Redis forgets what has ended: so a hold is one only
/// if PostgreSQL has all that Redis had decided by then. Else it has ended, and how is on its way.
async fn find_forgotten(
    app: &App,
    sale: &str,
    id: u64,
    buyer: Option<&str>,
    of_sale: Option<SaleStatus<'static>>,
) -> Result<Option<Found>, PostgresError> {
    // The head before the order: what it covers is in the order.
    let head = app.postgres.look(async |client: &_| flash_vault::newest_head(client, sale).await).await?;
    let Some(found) = written(app, sale, id, buyer).await? else { return Ok(None) };
    if found.state != State::Held.name() {
        return Ok(Some(found));
    }
    Ok(Some(match of_sale {
        Some(of_sale) if head.is_some_and(|head| head >= of_sale.seq) => found,
        Some(of_sale) => Found { persisted: Some(false), seq: of_sale.seq, ..found },
        None => Found { persisted: None, ..found },
    }))
}

/// As [`find`]; where PostgreSQL does not have it yet, waits as long as the request would. Gives also the wait that was
/// granted.
pub(crate) async fn find_patiently(
    app: &App,
    sale: &str,
    id: u64,
    buyer: Option<&str>,
    patience: &mut Patience,
) -> Result<(Found, Option<Duration>), Problem> {
    let found = find(app, sale, id, buyer).await?;
    let Some(wait) = patience.wait else { return Ok((found, None)) };
    if found.persisted != Some(false) {
        return Ok((found, Some(wait)));
    }
    let Some(_waiter) = app.waits.place() else { return Ok((found, None)) };
    drop(patience.place.take());
    let _turn = app.waits.until(sale, found.seq, wait, app.phase.clone()).await;
    Ok((find(app, sale, id, buyer).await.unwrap_or(found), Some(wait)))
}

/// Adds what PostgreSQL alone knows, if it has the reservation in this state.
pub(super) async fn with_details(app: &App, id: u64, found: Found) -> Found {
    if found.persisted != Some(true) {
        return found;
    }
    let Found { sale, buyer, .. } = &found;
    match app.postgres.look(async |client: &_| flash_vault::order_details(client, sale, id, buyer).await).await {
        Ok(details) => Found { details: details.map(Details::new).map(Box::new), ..found },
        Err(_) => Found { persisted: None, ..found },
    }
}

/// The reply to a request that has done something, if it would wait: the reservation as it is then. None: it would not,
/// or there is no more to say than what was done.
pub(crate) async fn waited(
    app: &App,
    sale: &str,
    id: u64,
    buyer: Option<&str>,
    status: StatusCode,
    patience: &mut Patience,
) -> Option<Reply> {
    patience.wait?;
    // On the heap: those who do not wait, which is most, have no room for it in their tasks.
    let (found, granted) = Box::pin(find_patiently(app, sale, id, buyer, patience)).await.ok()?;
    Some(reply(status, &found, granted))
}

/// The reply to a request that may have waited.
pub(crate) fn reply(status: StatusCode, found: &Found, granted: Option<Duration>) -> Reply {
    let mut reply = json(status, found);
    if let Some(wait) = granted {
        prefer::mark(&mut reply, wait);
    }
    reply
}

/// What PostgreSQL has, of this buyer if one is given.
async fn written(app: &App, sale: &str, id: u64, buyer: Option<&str>) -> Result<Option<Found>, PostgresError> {
    let is_theirs = |other: &str| buyer.is_none_or(|buyer| buyer == other);
    if let Some(order) = app
        .postgres
        .look(async |client: &_| flash_vault::order(client, sale, id).await)
        .await?
        .filter(|order| is_theirs(&order.made.buyer))
    {
        return Ok(Some(Found::of_order(sale, app.ids.of(sale, id, &order.made.buyer), order)));
    }
    let rejection = app
        .postgres
        .look(async |client: &_| flash_vault::rejection(client, sale, id).await)
        .await?
        .filter(|rejection| is_theirs(&rejection.buyer));
    Ok(rejection.map(|rejection| {
        let public = app.ids.of(sale, id, &rejection.buyer);
        Found::of_rejection(sale, public, rejection, id)
    }))
}

impl Found {
    fn of_status(sale: &str, id: PublicId, status: &ReservationStatus, of_sale: &SaleStatus) -> Self {
        // A hold, and what was confirmed at once, are as the reservation's own event made them.
        let is_as_made = status.state == State::Held || status.made.expires_at_ms.is_none();
        Self {
            sale: sale.to_owned(),
            id,
            buyer: status.made.buyer.clone().into_owned(),
            state: status.state.name(),
            expires_at_ms: status.made.expires_at_ms,
            expires_in_ms: left_ms(status.state, status.made.expires_at_ms),
            reason: None,
            items: status.made.items.iter().map(FoundItem::new).collect(),
            persisted: None,
            details: None,
            seq: if is_as_made { status.id } else { of_sale.seq },
        }
    }

    fn of_order(sale: &str, id: PublicId, order: Order) -> Self {
        Self {
            sale: sale.to_owned(),
            id,
            buyer: order.made.buyer.clone().into_owned(),
            state: order.state.name(),
            expires_at_ms: order.made.expires_at_ms,
            expires_in_ms: left_ms(order.state, order.made.expires_at_ms),
            reason: None,
            items: order.made.items.iter().map(FoundItem::new).collect(),
            persisted: Some(true),
            details: None,
            seq: order.id,
        }
    }

    /// Redis had said yes, and PostgreSQL, which has the last word, said no.
    fn of_rejection(sale: &str, id: PublicId, rejection: Rejection, seq: u64) -> Self {
        Self {
            sale: sale.to_owned(),
            id,
            buyer: rejection.buyer,
            state: REJECTED,
            expires_at_ms: None,
            expires_in_ms: None,
            reason: Some(rejection.reason),
            items: Vec::new(),
            persisted: Some(true),
            details: None,
            seq,
        }
    }
}

impl FoundItem {
    fn new(item: &MessageItem<'_>) -> Self {
        Self { sku: item.sku.clone().into_owned(), quantity: item.quantity.into() }
    }
}

/// What is left of a hold.
pub(crate) fn left_ms(state: State, expires_at_ms: Option<u64>) -> Option<u64> {
    let expires_at_ms = expires_at_ms.filter(|_| state == State::Held)?;
    Some(expires_at_ms.saturating_sub(now_ms()))
}

/// A caller that changes it gets what was changed; one that reads it, or waits, all of it.
#[derive(JsonSchema)]
#[schemars(
    rename = "Reservation",
    extend(
        "examples" = [
            {
                "sale": "drop", "id": "2-5d3ff2f5e6dbd4a1b3d1b6cf6c1c7f0e", "state": "held",
                "expires_at_ms": 1796000600000_u64, "expires_in_ms": 600000, "available": 99,
            },
            {
                "sale": "drop", "id": "2-5d3ff2f5e6dbd4a1b3d1b6cf6c1c7f0e", "buyer": "ada", "state": "confirmed",
                "expires_at_ms": 1796000600000_u64, "items": [{ "sku": "default", "quantity": 1 }], "persisted": true,
                "data": { "size": "M" }, "product": "shirt", "price": 1999, "currency": "EUR",
                "payment": { "means": "balance", "amount": 1999, "currency": "EUR", "state": "settled" },
            },
        ],
    ),
)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct ReservationView {
    sale: SaleId,
    /// Its number, and the proof that cannot be guessed.
    id: String,
    #[schemars(extend("enum" = ["held", "confirmed", "released", "expired", "rejected"]))]
    state: String,
    expires_at_ms: Option<TimeMs>,
    /// What is left of a hold.
    expires_in_ms: Option<u64>,
    /// Units that were left behind it.
    available: Option<u64>,
    buyer: Option<BuyerName>,
    items: Option<Vec<FoundItem>>,
    /// Why PostgreSQL, which has the last word, refused it.
    reason: Option<String>,
    /// Whether PostgreSQL has it in this state.
    persisted: Option<bool>,
    #[serde(flatten)]
    details: Details,
}
