//! One reservation: `/v1/sales/{sale}/reservations/{id}` and what ends its hold.

use flash_client::{Call, Durability};
use flash_wire::{EndHoldAnswer, Refusal, State};
use hyper::{HeaderMap, StatusCode};
use serde::Serialize;

use super::app::App;
use super::found::{self, Patience, find_patiently};
use super::identity::Caller;
use super::payment::Paid;
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
    let (found, granted) = find_patiently(app, sale, number, caller.buyer(), patience).await?;
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
    let durability = checked(app, headers)?;
    let wish = match body {
        [] => None,
        body => {
            body::expect_json(headers)?;
            Some(payment::Wish::read(body)?)
        }
    };
    let number = reservation_id::number(app, caller, sale, id).await?;
    let paid = match wish {
        Some(wish) => Box::pin(payment::take(app, caller, (sale, number), durability, wish)).await?,
        None => Paid::No,
    };
    let ended = end_hold(app, sale, (id, number), Call::confirm(sale, number), durability, headers, patience).await;
    ended.map_err(|problem| if paid == Paid::Yes { payment::after(problem) } else { problem })
}

/// The durability that the headers ask for. A hold ends once, so that the reservation's id is key enough; a key that
/// breaks its rule is refused all the same.
fn checked(app: &App, headers: &HeaderMap) -> Result<Durability, Problem> {
    idempotency_key::of(headers)?;
    durability::of(app, headers)
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
    let durability = checked(app, headers)?;
    let number = reservation_id::number(app, caller, sale, id).await?;
    end_hold(app, sale, (id, number), Call::release(sale, number), durability, headers, patience).await
}

/// `id` is as it was given, which is how it is answered.
async fn end_hold(
    app: &App,
    sale: &str,
    (id, number): (&str, u64),
    call: Call<EndHoldAnswer>,
    durability: Durability,
    headers: &HeaderMap,
    patience: Patience,
) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct View<'a> {
        sale: &'a str,
        id: &'a str,
        state: &'static str,
    }
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
    let mut reply = match found::waited(app, sale, number, None, StatusCode::OK, patience).await {
        Some(reply) => reply,
        None => json(StatusCode::OK, &View { sale, id, state: state.name() }),
    };
    durability::mark(&mut reply, durability);
    if is_replayed {
        reply::mark_replayed(&mut reply);
    }
    Ok(reply)
}
