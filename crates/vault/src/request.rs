//! What became of a reservation's request (`Idempotency-Key`) that Redis has forgotten: PostgreSQL keeps it as long as
//! the sale.

use flash_wire::message::{MessageChange, MessageReserved};
use flash_wire::{Message, State};
use tokio_postgres::{Client, Row};

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::reserved::reserved;
use crate::sql;

/// Rejections of one buyer in one sale that are looked through for a request, the newest first.
pub const REJECTIONS_LOOKED_AT_MAX: u32 = 1_000;

/// What a request made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeByRequest {
    /// The reservation's id.
    pub id: u64,
    /// Where it is; none: PostgreSQL refused it.
    pub state: Option<State>,
    /// Why it was refused.
    pub reason: Option<String>,
    /// As it was made.
    pub made: MessageReserved<'static>,
}

/// What PostgreSQL knows of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestOutcome {
    /// It made this reservation.
    Made(MadeByRequest),
    /// It made none of those that PostgreSQL was asked for.
    Nothing,
    /// PostgreSQL does not have all of them: it may have made one that is on its way, or in the quarantine.
    NotYet,
}

/// What a buyer's request made, of the reservations of a sale up to the event `seq`.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn request_outcome(
    client: &Client,
    sale: &str,
    buyer: &str,
    request: &str,
    seq: u64,
) -> Result<RequestOutcome, Error> {
    // The head before the orders: what it covers is among them.
    let whole = client.query_one(sql::request_keys::IS_WRITTEN, &[&sale, &to_sql(seq)]).await?;
    if let Some(row) = client.query_opt(sql::request_keys::ORDER_OF_REQUEST, &[&sale, &buyer, &request]).await? {
        return Ok(RequestOutcome::Made(order(&row)?));
    }
    let count = i64::from(REJECTIONS_LOOKED_AT_MAX);
    let rejections = client.query(sql::request_keys::REJECTIONS_OF_BUYER, &[&sale, &buyer, &count]).await?;
    if let Some(rejected) = rejections.iter().find_map(|row| rejected(row, request)) {
        return Ok(RequestOutcome::Made(rejected));
    }
    Ok(if whole.get(0) { RequestOutcome::Nothing } else { RequestOutcome::NotYet })
}

fn order(row: &Row) -> Result<MadeByRequest, Error> {
    let (id, state) = (from_sql(row.get("id")), State::from_name(row.get("state")));
    Ok(MadeByRequest { id, state, reason: None, made: reserved(row)? })
}

/// A rejection, if its event came from this request.
fn rejected(row: &Row, request: &str) -> Option<MadeByRequest> {
    let (id, event): (i64, &str) = (row.get(0), row.get(2));
    let message = Message::decode(event.as_bytes()).ok()?;
    let MessageChange::Reserved(made) = message.events.into_iter().next()?.change else { return None };
    let is_same = made.request.as_deref() == Some(request);
    let reason = Some(row.get(1));
    is_same.then(|| MadeByRequest { id: from_sql(id), state: None, reason, made: made.into_owned() })
}
