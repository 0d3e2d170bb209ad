//! `POST /v1/sales/{sale}/reservations`

use std::sync::Arc;
use std::time::Instant;

use flash_client::{Call, CallError, Durability, DurableError};
use flash_vault::MadeByRequest;
use flash_wire::{Refusal, ReserveAnswer, State};
use hyper::StatusCode;
use hyper::header::LOCATION;
use serde::Serialize;

use super::access::Access;
use super::forgotten_key::{self, KeyMeaning};
use super::lookup::{self, Patience, REJECTED, ReservationView, left_ms};
use super::problem::{FieldError, Kind, Problem};
use super::rate_limits::Counted;
use super::reply::{self, Reply, json};
use super::route::{Answer, Link, POST, Route, Schema, Spec, handler};
use super::state::{App, Asked};
use super::target::Manner;
use super::wish::{ReservationWanted, Wish};
use super::{body, durability, form_check, idempotency_key, path, request_log, sale_status, wish_counts};
use crate::catalogue::Facts;
use crate::ids::PublicId;
use flash_vault::Role;

pub(super) static ROUTES: [Route; 1] = [Route {
    method: &POST,
    path: "/v1/sales/{sale}/reservations",
    name: "reserve",
    access: Access::Buyer(Role::Sell),
    handler: handler!(|job| answer(&job.app, &job.asked, &mut job.counted, &mut job.patience)),
    manner: Manner { names_buyer: true, ..Manner::USUAL },
    spec: Spec {
        tag: "Reservations",
        summary: "Make a reservation",
        description: "Reserves all of the items or none. In a sale with a pay window the reservation is held until \
                      `expires_at_ms`; otherwise it is confirmed at once.\n\nRequests with the same Idempotency-Key \
                      are the same request while the sale exists. Without a key, if the sale's limit is one, requests \
                      of one buyer with the same items and the same data are the same request while the reservation is \
                      active. Any other request of this buyer then gets `limit-exceeded`, which names the reservation.",
        parameters: &["Sale", "IdempotencyKey", "Prefer", "FlashDurability"],
        body: Some(Schema::of::<ReservationWanted>()),
        answers: &[
            Answer::json(201, "The reservation was made.", Schema::of::<ReservationView>())
                .headers(&["Location", "Flash-Durability", "Preference-Applied"])
                .links(&[
                    Link("show-reservation", &[("sale", "$response.body#/sale"), ("id", "$response.body#/id")]),
                    Link("confirm", &[("sale", "$response.body#/sale"), ("id", "$response.body#/id")]),
                    Link("release", &[("sale", "$response.body#/sale"), ("id", "$response.body#/id")]),
                ]),
            Answer::json(200, "The same request made this reservation before.", Schema::of::<ReservationView>())
                .headers(&["Idempotency-Replayed", "Flash-Durability", "Preference-Applied"]),
        ],
        problems: &[
            Kind::SoldOut,
            Kind::LimitExceeded,
            Kind::NotStarted,
            Kind::Closed,
            Kind::KeyReused,
            Kind::JournalFull,
            Kind::DurabilityUnavailable,
            Kind::DurabilityShort,
        ],
        ..Spec::NONE
    },
}];

/// Counts what became of it.
async fn answer(app: &App, asked: &Asked, counted: &mut Counted, patience: &mut Patience) -> Result<Reply, Problem> {
    let answer = reserve(app, asked, counted, patience).await;
    wish_counts::answered(&answer);
    answer
}

/// Makes a reservation, or answers the one that the same request made before.
async fn reserve(app: &App, asked: &Asked, counted: &mut Counted, patience: &mut Patience) -> Result<Reply, Problem> {
    let (sale, headers) = (path::sale(&asked.target.sale)?, &asked.head.headers);
    body::expect_json(headers)?;
    let (key, durability) = (idempotency_key::of(headers)?, durability::of(app, headers)?);
    let wish = Wish::read(&asked.caller, &asked.body)?;
    app.count(asked, counted, Some(&wish.buyer)).await?;
    let facts = match app.catalogue.known(sale) {
        Some(facts) => facts,
        None => Box::pin(meet(app, sale)).await?,
    };
    form_check::check(app, &facts, wish.data).await?;
    if key.is_none() && app.sold_out.refuses(sale, &wish.buyer, Instant::now()) {
        return Err(Kind::SoldOut.into());
    }
    let ask = async |is_new| {
        let call = Call::reserve(sale, &wish.command(key.as_deref(), is_new));
        durability::call(app, call, durability).await.map_err(refused_argument)
    };
    let mut outcome = ask(false).await?;
    if let (Err(Refusal::KeyForgotten { seq }), Some(key)) = (&outcome, key.as_deref()) {
        match Box::pin(forgotten_key::look(app, sale, &wish, key, *seq)).await? {
            KeyMeaning::Made(made) => return Ok(replayed(app, sale, &wish.buyer, &made, durability)),
            KeyMeaning::New => outcome = ask(true).await?,
        }
    }
    let mut reply = match outcome {
        Ok(made) => {
            if let Some(trace) = request_log::trace(headers) {
                app.relay.trace(sale, made.id, trace);
            }
            app.relay.wake();
            app.sold_out.sold(sale);
            let id = app.ids.of(sale, made.id, &wish.buyer);
            let waited = lookup::waited(app, sale, made.id, Some(&wish.buyer), StatusCode::CREATED, patience).await;
            located(waited.unwrap_or_else(|| created(sale, id, &made)), sale, id)
        }
        Err(Refusal::Replayed { id, expires_at_ms, state }) => {
            let waited = lookup::waited(app, sale, id, Some(&wish.buyer), StatusCode::OK, patience).await;
            let view = ReservationMade::new(sale, app.ids.of(sale, id, &wish.buyer), state, expires_at_ms, None);
            let mut reply = waited.unwrap_or_else(|| json(StatusCode::OK, &view));
            reply::mark_replayed(&mut reply);
            reply
        }
        Err(Refusal::SoldOut) => {
            app.sold_out.learn(&app.redis, &app.postgres, sale);
            return Err(Kind::SoldOut.into());
        }
        Err(Refusal::LimitExceeded { existing: Some(id) }) => {
            return Err(Problem::limit_exceeded(&app.ids.of(sale, id, &wish.buyer)));
        }
        // The only thing that a wish can contradict is the one that came under the same key.
        Err(Refusal::Conflict) => return Err(Kind::KeyReused.into()),
        Err(refusal) => return Err(refusal.into()),
    };
    durability::mark(&mut reply, durability);
    Ok(reply)
}

/// What a sale has besides its terms, when a buyer of it comes here for the first time. Redis must know it: of an id
/// that it does not know, anyone may have made it up.
async fn meet(app: &App, sale: &str) -> Result<Arc<Facts>, Problem> {
    // Nothing is reserved yet, so that nothing is unknown.
    let silent = |error| match error {
        CallError::Unknown(_) => Kind::RedisAway.into(),
        error => Problem::from(error),
    };
    sale_status::of(app, sale).await.map_err(silent)??;
    let away = |_| Problem::new(Kind::PostgresAway, "this gateway does not know the sale's form yet");
    app.catalogue.facts(&app.redis, &app.postgres, sale).await.map_err(away)
}

/// The answer to the repeat of a request that only PostgreSQL remembers.
fn replayed(app: &App, sale: &str, buyer: &str, made: &MadeByRequest, durability: Durability) -> Reply {
    let id = app.ids.of(sale, made.id, buyer);
    let view = match made.state {
        Some(state) => ReservationMade::new(sale, id, state, made.made.expires_at_ms, None),
        None => ReservationMade::rejected(sale, id, made.reason.as_deref()),
    };
    let mut reply = json(StatusCode::OK, &view);
    reply::mark_replayed(&mut reply);
    durability::mark(&mut reply, durability);
    reply
}

fn created(sale: &str, id: PublicId, made: &ReserveAnswer) -> Reply {
    let state = if made.expires_at_ms.is_some() { State::Held } else { State::Confirmed };
    json(StatusCode::CREATED, &ReservationMade::new(sale, id, state, made.expires_at_ms, Some(made.available)))
}

fn located(mut reply: Reply, sale: &str, id: PublicId) -> Reply {
    if let Ok(location) = format!("/v1/sales/{sale}/reservations/{id}").try_into() {
        reply.headers_mut().insert(LOCATION, location);
    }
    reply
}

/// The reservation as its maker sees it.
#[derive(Debug, Serialize)]
struct ReservationMade<'a> {
    sale: &'a str,
    id: PublicId,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<u64>,
    /// Why PostgreSQL refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl<'a> ReservationMade<'a> {
    fn new(sale: &'a str, id: PublicId, state: State, expires_at_ms: Option<u64>, available: Option<u64>) -> Self {
        let expires_in_ms = left_ms(state, expires_at_ms);
        Self { sale, id, state: state.name(), expires_at_ms, expires_in_ms, available, reason: None }
    }

    fn rejected(sale: &'a str, id: PublicId, reason: Option<&'a str>) -> Self {
        Self { sale, id, state: REJECTED, expires_at_ms: None, expires_in_ms: None, available: None, reason }
    }
}

/// The module knows the rules that the sale's terms make: which SKUs there are, and that one must be named.
fn refused_argument(error: DurableError) -> Problem {
    match error {
        DurableError::Call(CallError::Invalid { field, rule }) => {
            FieldError { pointer: "/items".to_owned(), detail: format!("{field} {rule}") }.into()
        }
        error => error.into(),
    }
}
