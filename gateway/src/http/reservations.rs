//! `POST /v1/sales/{sale}/reservations`

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use flash_client::{Call, CallError, Durability, DurableError};
use flash_vault::MadeByRequest;
use flash_wire::limits::{QUANTITY_UNITS_MAX, SKU_BYTES_MAX, SKUS_MAX};
use flash_wire::{Refusal, Reserve, ReserveAnswer, State, Wanted};
use hyper::StatusCode;
use hyper::header::{HeaderMap, LOCATION};
use serde::Serialize;

use super::app::App;
use super::fields::{self, Field, Given};
use super::forgotten_key::{self, Known};
use super::lookup::{self, Patience, REJECTED, left_ms};
use super::identity::{self, Caller};
use super::problem::{FieldError, Kind, Problem};
use super::rate_limits::Visit;
use super::reply::{self, Reply, json};
use super::{body, durability, form_check, idempotency_key, path, request_log, sale_status};
use crate::catalogue::Facts;
use crate::ids::PublicId;

/// Makes a reservation, or answers the one that the same request made before.
pub(crate) async fn reserve(
    app: &App,
    caller: &Caller,
    sale: &str,
    headers: &HeaderMap,
    body: &[u8],
    visit: &mut Visit<'_>,
    patience: Patience,
) -> Result<Reply, Problem> {
    let sale = path::sale(sale)?;
    body::expect_json(headers)?;
    let (key, durability) = (idempotency_key::of(headers)?, durability::of(app, headers)?);
    let wish = Wish::read(caller, body)?;
    visit.count(Some(&wish.buyer)).await?;
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
            Known::Made(made) => return Ok(replayed(app, sale, &wish.buyer, &made, durability)),
            Known::New => outcome = ask(true).await?,
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
            let view = View::new(sale, app.ids.of(sale, id, &wish.buyer), state, expires_at_ms, None);
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

/// What a sale has besides its terms, when a buyer of it comes here for the first time. Redis must know it: of an id that it
/// does not know, anyone may have made it up.
async fn meet(app: &App, sale: &str) -> Result<Arc<Facts>, Problem> {
    // Nothing is reserved yet, so that nothing is unknown.
    let silent = |error| match error {
        CallError::Unknown(_) => Kind::RedisAway.into(),
        error => Problem::from(error),
    };
    sale_status::of(app, sale).await.map_err(silent)??;
    let away = |_| Problem::new(Kind::PostgresAway, "this gateway has yet to learn what the sale asks of its buyers");
    app.catalogue.facts(&app.redis, &app.postgres, sale).await.map_err(away)
}

/// The answer to the repeat of a request that only PostgreSQL remembers.
fn replayed(app: &App, sale: &str, buyer: &str, made: &MadeByRequest, durability: Durability) -> Reply {
    let id = app.ids.of(sale, made.id, buyer);
    let view = match made.state {
        Some(state) => View::new(sale, id, state, made.expires_at_ms, None),
        None => View::rejected(sale, id, made.reason.as_deref()),
    };
    let mut reply = json(StatusCode::OK, &view);
    reply::mark_replayed(&mut reply);
    durability::mark(&mut reply, durability);
    reply
}

fn created(sale: &str, id: PublicId, made: &ReserveAnswer) -> Reply {
    let state = if made.expires_at_ms.is_some() { State::Held } else { State::Confirmed };
    json(StatusCode::CREATED, &View::new(sale, id, state, made.expires_at_ms, Some(made.available)))
}

fn located(mut reply: Reply, sale: &str, id: PublicId) -> Reply {
    if let Ok(location) = format!("/v1/sales/{sale}/reservations/{id}").try_into() {
        reply.headers_mut().insert(LOCATION, location);
    }
    reply
}

/// The reservation as its maker sees it.
#[derive(Debug, Serialize)]
struct View<'a> {
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

impl<'a> View<'a> {
    fn new(sale: &'a str, id: PublicId, state: State, expires_at_ms: Option<u64>, available: Option<u64>) -> Self {
        let expires_in_ms = left_ms(state, expires_at_ms);
        Self { sale, id, state: state.name(), expires_at_ms, expires_in_ms, available, reason: None }
    }

    fn rejected(sale: &'a str, id: PublicId, reason: Option<&'a str>) -> Self {
        Self { sale, id, state: REJECTED, expires_at_ms: None, expires_in_ms: None, available: None, reason }
    }
}

/// What the body asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wish<'a> {
    pub(crate) buyer: Cow<'a, str>,
    pub(crate) units: Units<'a>,
    pub(crate) data: Option<&'a str>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Units<'a> {
    /// Of the sale's only SKU.
    Quantity(u32),
    Items(Vec<(Cow<'a, str>, u32)>),
}

impl<'a> Wish<'a> {
    fn read(caller: &'a Caller, json: &'a [u8]) -> Result<Self, Problem> {
        let [buyer, quantity, items, data] = fields::body(json, ["buyer", "quantity", "items", "data"])?;
        if quantity.is_given() && items.is_given() {
            return Err(quantity.refused("must not stand beside items").into());
        }
        let quantity = quantity.optional(|units| units.int32(1, QUANTITY_UNITS_MAX))?;
        let items = items.optional(|items| items.list(SKUS_MAX, ["sku", "quantity"], read_item))?;
        Ok(Self {
            buyer: identity::buyer(caller, buyer)?,
            units: items.map_or(Units::Quantity(quantity.unwrap_or(1)), Units::Items),
            data: data.optional(Given::data)?,
        })
    }

    /// `is_new`: PostgreSQL does not know the request either.
    fn command<'b>(&'b self, request: Option<&'b str>, is_new: bool) -> Reserve<'b> {
        let wanted = match &self.units {
            Units::Quantity(quantity) => Wanted::Quantity(*quantity),
            Units::Items(items) => {
                Wanted::Items(items.iter().map(|(sku, quantity)| (sku.as_ref(), *quantity)).collect())
            }
        };
        Reserve { buyer: &self.buyer, wanted, request, is_new, data: self.data }
    }
}

fn read_item<'a>([sku, quantity]: [Field<'a>; 2]) -> Result<(Cow<'a, str>, u32), FieldError> {
    let quantity = quantity.optional(|units| units.int32(1, QUANTITY_UNITS_MAX))?;
    Ok((sku.required()?.name(SKU_BYTES_MAX)?, quantity.unwrap_or(1)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, want: Result<(&str, Units, Option<&str>), (&str, &str)>) {
        let want = match want {
            Ok((buyer, units, data)) => Ok(Wish { buyer: buyer.into(), units, data }),
            Err((pointer, detail)) => Err(FieldError { pointer: pointer.to_owned(), detail: detail.to_owned() }.into()),
        };
        assert_eq!(Wish::read(&Caller::Anyone, json.as_bytes()), want, "{json}");
    }

    #[test]
    fn a_wish_is_a_buyer_with_units_and_data() {
        check(r#"{"buyer":"ada"}"#, Ok(("ada", Units::Quantity(1), None)));
        check(r#"{"buyer":"ada","quantity":3,"data":"x"}"#, Ok(("ada", Units::Quantity(3), Some("\"x\""))));
        let items = Units::Items(vec![("s".into(), 2), ("m".into(), 1)]);
        check(r#"{"buyer":"ada","items":[{"sku":"s","quantity":2},{"sku":"m"}]}"#, Ok(("ada", items, None)));
    }

    #[test]
    fn a_buyer_who_proved_to_be_one_is_nobody_else() {
        let ada = Caller::Buyer("ada".into());
        let wish = Wish { buyer: "ada".into(), units: Units::Quantity(2), data: None };
        assert_eq!(Wish::read(&ada, b"{\"quantity\":2}"), Ok(wish));
        let detail = "buyer must not be given: it is whoever calls".to_owned();
        for body in ["{\"buyer\":\"bob\"}", "{\"buyer\":\"ada\"}", "{\"buyer\":7}"] {
            let error = FieldError { pointer: "/buyer".to_owned(), detail: detail.clone() };
            assert_eq!(Wish::read(&ada, body.as_bytes()), Err(error.into()), "{body}");
        }
    }

    #[test]
    fn a_wish_that_breaks_a_rule_is_refused_by_its_field() {
        let ada = |rest: &str| format!("{{\"buyer\":\"ada\",{rest}}}");
        check("{}", Err(("/buyer", "buyer must be given")));
        check(r#"{"buyer":""}"#, Err(("/buyer", "buyer must be 1 to 128 bytes")));
        check(&format!("{{\"buyer\":\"{}\"}}", "a".repeat(129)), Err(("/buyer", "buyer must be 1 to 128 bytes")));
        check(&ada("\"quantity\":0"), Err(("/quantity", "quantity must be 1 to 1000000000")));
        check(&ada("\"quantity\":-1"), Err(("/quantity", "quantity must be a whole number, 1 to 1000000000")));
        check(&ada("\"quantity\":1000000001"), Err(("/quantity", "quantity must be 1 to 1000000000")));
        check(&ada("\"items\":[]"), Err(("/items", "items must be 1 to 64")));
        check(&ada("\"items\":[{}]"), Err(("/items/0/sku", "sku must be given")));
        check(
            &ada("\"items\":[{\"sku\":\"s\",\"quantity\":0}]"),
            Err(("/items/0/quantity", "quantity must be 1 to 1000000000")),
        );
        check(
            &ada("\"quantity\":1,\"items\":[{\"sku\":\"s\"}]"),
            Err(("/quantity", "quantity must not stand beside items")),
        );
        let fields = "amount is not a field; the fields are buyer, quantity, items, data";
        check(&ada("\"amount\":1"), Err(("/amount", fields)));
    }

    #[test]
    fn a_wish_is_the_command_that_the_module_takes() {
        let command = |json: &'static str| {
            let wish = Wish::read(&Caller::Anyone, json.as_bytes()).unwrap();
            let mut args = Vec::new();
            wish.command(Some("r"), false).args(&mut args);
            args.iter().map(|arg: &Vec<u8>| String::from_utf8_lossy(arg).into_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(command(r#"{"buyer":"ada","data":{"size": 42}}"#), "ada ID r DATA {\"size\": 42}");
        assert_eq!(command(r#"{"buyer":"ada","items":[{"sku":"s","quantity":2}]}"#), "ada SKU s 2 ID r");
    }
}
