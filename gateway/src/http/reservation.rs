//! One reservation: `/v1/sales/{sale}/reservations/{id}` and what ends its hold.

use flash_client::Call;
use flash_wire::{EndHoldAnswer, Refusal, State};
use hyper::{HeaderMap, StatusCode};
use serde::Serialize;

use super::app::App;
use super::found::{self, Patience, find_patiently};
use super::problem::Problem;
use super::reply::{self, Reply, json};
use super::{durability, idempotency_key, path};

/// Where it stands.
pub(crate) async fn show(app: &App, sale: &str, id: &str, patience: Patience) -> Result<Reply, Problem> {
    let (sale, id) = (path::sale(sale)?, path::id(id)?);
    let (found, granted) = find_patiently(app, sale, id, patience).await?;
    Ok(found::reply(StatusCode::OK, &found, granted))
}

/// Ends the hold because it was paid for.
pub(crate) async fn confirm(
    app: &App,
    sale: &str,
    id: &str,
    headers: &HeaderMap,
    patience: Patience,
) -> Result<Reply, Problem> {
    let (sale, id) = (path::sale(sale)?, path::id(id)?);
    end_hold(app, sale, Call::confirm(sale, id), headers, patience).await
}

/// Gives the hold back.
pub(crate) async fn release(
    app: &App,
    sale: &str,
    id: &str,
    headers: &HeaderMap,
    patience: Patience,
) -> Result<Reply, Problem> {
    let (sale, id) = (path::sale(sale)?, path::id(id)?);
    end_hold(app, sale, Call::release(sale, id), headers, patience).await
}

async fn end_hold(
    app: &App,
    sale: &str,
    call: Call<EndHoldAnswer>,
    headers: &HeaderMap,
    patience: Patience,
) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct View<'a> {
        sale: &'a str,
        id: u64,
        state: &'static str,
    }
    // A hold ends once, so that the reservation's id is key enough; what is no key is refused all the same.
    idempotency_key::of(headers)?;
    let durability = durability::of(app, headers)?;
    let (id, state, is_replayed) = match durability::call(app, call, durability).await? {
        Ok(EndHoldAnswer::Confirmed { id }) => (id, State::Confirmed, false),
        Ok(EndHoldAnswer::Released { id }) => (id, State::Released, false),
        // It had ended so already.
        Err(Refusal::Replayed { id, state, .. }) => (id, state, true),
        Err(refusal) => return Err(refusal.into()),
    };
    if !is_replayed {
        app.relay.wake();
    }
    let mut reply = match found::waited(app, sale, id, StatusCode::OK, patience).await {
        Some(reply) => reply,
        None => json(StatusCode::OK, &View { sale, id, state: state.name() }),
    };
    durability::mark(&mut reply, durability);
    if is_replayed {
        reply::mark_replayed(&mut reply);
    }
    Ok(reply)
}
