//! One reservation: `/v1/sales/{sale}/reservations/{id}` and what ends its hold.

use flash_client::Call;
use flash_vault::{Order, Rejection};
use flash_wire::{EndHoldAnswer, Refusal, ReservationStatus, State};
use hyper::{HeaderMap, StatusCode};
use serde::Serialize;

use super::app::App;
use super::identity::Caller;
use super::problem::Problem;
use super::reply::{self, Reply, json};
use super::{body, durability, path, payment, reservation_id};
use crate::catalogue::Verdict;
use crate::clock::now_ms;
use crate::ids::PublicId;

/// Where it stands: Redis knows the newest, PostgreSQL remembers the longest.
pub(crate) async fn show(app: &App, caller: &Caller, sale: &str, id: &str) -> Result<Reply, Problem> {
    let sale = path::sale(sale)?;
    let id = reservation_id::number(app, caller, sale, id).await?;
    let public = |buyer: &str| app.ids.of(sale, id, buyer);
    let refusal = match app.redis.call(Call::reservation_status(sale, id)).await? {
        Ok(status) => return Ok(json(StatusCode::OK, &View::of_status(sale, public(&status.buyer), &status))),
        Err(refusal) => refusal,
    };
    // The reservation is forgotten, or its sale is.
    match refusal {
        Refusal::Unknown => {}
        // PostgreSQL is not asked for reservations of ids that anyone made up.
        Refusal::NotWarmed => {
            if app.catalogue.verdict(&app.redis, &app.orders, sale).await? == Verdict::Nothing {
                return Err(refusal.into());
            }
        }
        _ => return Err(refusal.into()),
    }
    if let Some(order) = app.orders.order(sale, id).await? {
        return Ok(json(StatusCode::OK, &View::of_order(sale, public(&order.buyer), &order)));
    }
    match app.orders.rejection(sale, id).await? {
        Some(rejection) => {
            let id = public(&rejection.buyer);
            Ok(json(StatusCode::OK, &View::of_rejection(sale, id, &rejection)))
        }
        None => Err(refusal.into()),
    }
}

/// A reservation as it stands.
#[derive(Debug, Serialize)]
struct View<'a> {
    sale: &'a str,
    id: PublicId,
    buyer: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in_ms: Option<u64>,
    /// Why PostgreSQL refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<ItemView<'a>>,
}

#[derive(Debug, Serialize)]
struct ItemView<'a> {
    sku: &'a str,
    quantity: u64,
}

impl<'a> View<'a> {
    fn of_status(sale: &'a str, id: PublicId, status: &'a ReservationStatus) -> Self {
        Self {
            sale,
            id,
            buyer: &status.buyer,
            state: status.state.name(),
            expires_at_ms: status.expires_at_ms,
            expires_in_ms: left_ms(status.state, status.expires_at_ms),
            reason: None,
            items: items(&status.items),
        }
    }

    fn of_order(sale: &'a str, id: PublicId, order: &'a Order) -> Self {
        Self {
            sale,
            id,
            buyer: &order.buyer,
            state: order.state.name(),
            expires_at_ms: order.expires_at_ms,
            expires_in_ms: left_ms(order.state, order.expires_at_ms),
            reason: None,
            items: items(&order.items),
        }
    }

    /// Redis had said yes, and PostgreSQL, which has the last word, said no.
    fn of_rejection(sale: &'a str, id: PublicId, rejection: &'a Rejection) -> Self {
        let (buyer, reason) = (&rejection.buyer, Some(rejection.reason.as_str()));
        Self { sale, id, buyer, state: "rejected", expires_at_ms: None, expires_in_ms: None, reason, items: Vec::new() }
    }
}

fn items(items: &[(impl AsRef<str>, u64)]) -> Vec<ItemView<'_>> {
    items.iter().map(|(sku, quantity)| ItemView { sku: sku.as_ref(), quantity: *quantity }).collect()
}

/// What is left of a hold.
pub(crate) fn left_ms(state: State, expires_at_ms: Option<u64>) -> Option<u64> {
    let expires_at_ms = expires_at_ms.filter(|_| state == State::Held)?;
    Some(expires_at_ms.saturating_sub(now_ms()))
}

/// Ends the hold because it is paid for: here, if the body says how, or before.
pub(crate) async fn confirm(
    app: &App,
    caller: &Caller,
    sale: &str,
    id: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Reply, Problem> {
    let sale = path::sale(sale)?;
    let number = reservation_id::number(app, caller, sale, id).await?;
    if !body.is_empty() {
        body::expect_json(headers)?;
        Box::pin(payment::take(app, sale, number, payment::Wish::read(body)?)).await?;
    }
    end_hold(app, sale, id, Call::confirm(sale, number), headers).await
}

/// Gives the hold back.
pub(crate) async fn release(
    app: &App,
    caller: &Caller,
    sale: &str,
    id: &str,
    headers: &HeaderMap,
) -> Result<Reply, Problem> {
    let sale = path::sale(sale)?;
    let number = reservation_id::number(app, caller, sale, id).await?;
    end_hold(app, sale, id, Call::release(sale, number), headers).await
}

/// `id` is as it was given, which is how it is answered.
async fn end_hold(
    app: &App,
    sale: &str,
    id: &str,
    call: Call<EndHoldAnswer>,
    headers: &HeaderMap,
) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct View<'a> {
        sale: &'a str,
        id: &'a str,
        state: &'static str,
    }
    let durability = durability::of(app, headers)?;
    let (state, is_replayed) = match durability::call(app, call, durability).await? {
        Ok(EndHoldAnswer::Confirmed { .. }) => (State::Confirmed, false),
        Ok(EndHoldAnswer::Released { .. }) => (State::Released, false),
        // It had ended so already.
        Err(Refusal::Replayed { state, .. }) => (state, true),
        Err(refusal) => return Err(refusal.into()),
    };
    let mut reply = json(StatusCode::OK, &View { sale, id, state: state.name() });
    durability::mark(&mut reply, durability);
    if is_replayed {
        reply::mark_replayed(&mut reply);
    } else {
        app.relay.wake();
    }
    Ok(reply)
}
