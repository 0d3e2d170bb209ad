//! One reservation: `/v1/sales/{sale}/reservations/{id}` and what ends its hold.

use flash_client::Call;
use flash_wire::{EndHoldAnswer, Refusal, State};
use hyper::{HeaderMap, StatusCode};
use serde::Serialize;

use super::app::App;
use super::found::{self, Patience, find_patiently};
use super::identity::Caller;
use super::problem::Problem;
use super::reply::{self, Reply, json};
use super::{body, durability, idempotency_key, path, payment, request_log, reservation_id};

/// Where it stands.
pub(crate) async fn show(
    app: &App,
    caller: &Caller,
    sale: &str,
    id: &str,
    patience: Patience,
) -> Result<Reply, Problem> {
    let sale = path::sale(sale)?;
    let number = reservation_id::number(app, caller, sale, id).await?;
    let (found, granted) = find_patiently(app, sale, number, patience).await?;
    Ok(found::reply(StatusCode::OK, &found, granted))
}

/// Ends the hold because it is paid for: here, if the body says how, or before.
pub(crate) async fn confirm(
    app: &App,
    caller: &Caller,
    sale: &str,
    id: &str,
    headers: &HeaderMap,
    body: &[u8],
    patience: Patience,
) -> Result<Reply, Problem> {
    let sale = path::sale(sale)?;
    let number = reservation_id::number(app, caller, sale, id).await?;
    if !body.is_empty() {
        body::expect_json(headers)?;
        Box::pin(payment::take(app, sale, number, payment::Wish::read(body)?)).await?;
    }
    end_hold(app, sale, (id, number), Call::confirm(sale, number), headers, patience).await
}

/// Gives the hold back.
pub(crate) async fn release(
    app: &App,
    caller: &Caller,
    sale: &str,
    id: &str,
    headers: &HeaderMap,
    patience: Patience,
) -> Result<Reply, Problem> {
    let sale = path::sale(sale)?;
    let number = reservation_id::number(app, caller, sale, id).await?;
    end_hold(app, sale, (id, number), Call::release(sale, number), headers, patience).await
}

/// `id` is as it was given, which is how it is answered.
async fn end_hold(
    app: &App,
    sale: &str,
    (id, number): (&str, u64),
    call: Call<EndHoldAnswer>,
    headers: &HeaderMap,
    patience: Patience,
) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct View<'a> {
        sale: &'a str,
        id: &'a str,
        state: &'static str,
    }
    // A hold ends once, so that the reservation's id is key enough; what is no key is refused all the same.
    idempotency_key::of(headers)?;
    let durability = durability::of(app, headers)?;
    let (state, is_replayed) = match durability::call(app, call, durability).await? {
        Ok(EndHoldAnswer::Confirmed { .. }) => (State::Confirmed, false),
        Ok(EndHoldAnswer::Released { .. }) => (State::Released, false),
        // It had ended so already.
        Err(Refusal::Replayed { state, .. }) => (state, true),
        Err(refusal) => return Err(refusal.into()),
    };
    if !is_replayed {
        if let Some(trace) = request_log::trace(headers) {
            app.relay.trace_end(sale, number, trace);
        }
        app.relay.wake();
    }
    let mut reply = match found::waited(app, sale, number, StatusCode::OK, patience).await {
        Some(reply) => reply,
        None => json(StatusCode::OK, &View { sale, id, state: state.name() }),
    };
    durability::mark(&mut reply, durability);
    if is_replayed {
        reply::mark_replayed(&mut reply);
    }
    Ok(reply)
}
