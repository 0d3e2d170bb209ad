//! The keys of requests that make or change something: the same key again is the same request again.

use tokio_postgres::{Client, GenericClient, Transaction};

use crate::error::Error;
use crate::sql;

/// For how long a key is kept.
pub const KEY_KEPT_S: u32 = 7 * 24 * 60 * 60;
/// Keys that one request forgets, at most: so none of them takes long.
const FORGOTTEN_AT_ONCE_MAX: u32 = 1_000;

/// A request that has a key.
#[derive(Debug, Clone, Copy)]
pub struct KeyedRequest<'a> {
    /// Who sent it. The same key of another holder is another key.
    pub holder: &'a str,
    /// Its method and its path. The same key elsewhere is another key.
    pub route: &'a str,
    /// The key.
    pub key: &'a str,
    /// Its body, of which a digest is kept.
    pub body: &'a [u8],
}

/// What a key identifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenKey {
    /// This request: none took it before.
    New,
    /// The same request, sent before, and what it was answered; none: unknown.
    Before(Option<String>),
    /// Another request.
    OfAnother,
}

/// What a request to make something has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once<T> {
    /// It was done now.
    Done(T),
    /// It was done before, and this was the answer; none: unknown.
    Before(Option<String>),
    /// Its key belongs to another request. Nothing was changed.
    OfAnother,
}

/// What was made, and what a repeat is answered; none: it is not to be, and nothing is changed.
pub type Made<T> = (T, Option<String>);

/// Makes something in one transaction with the key of its request: both are there, or neither. Another request of the
/// same key waits until this one has ended.
///
/// # Errors
/// When PostgreSQL is in trouble: whether it was made is unknown, and the call may be repeated with the same key.
pub async fn make_once<T>(
    client: &mut Client,
    request: Option<KeyedRequest<'_>>,
    make: impl AsyncFnOnce(&Transaction<'_>) -> Result<Made<T>, Error>,
) -> Result<Once<T>, Error> {
    let transaction = client.transaction().await?;
    if let Some(request) = request {
        match take_key(&transaction, request).await? {
            TakenKey::New => {}
            TakenKey::Before(answer) => return Ok(Once::Before(answer)),
            TakenKey::OfAnother => return Ok(Once::OfAnother),
        }
    }
    let (made, answer) = make(&transaction).await?;
    let Some(answer) = answer else {
        transaction.rollback().await?;
        return Ok(Once::Done(made));
    };
    if let Some(request) = request {
        keep_answer(&transaction, request, &answer).await?;
    }
    transaction.commit().await?;
    Ok(Once::Done(made))
}

/// Takes the key of a request, or gives its owner. Keys that are too old are forgotten first.
///
/// # Errors
/// When PostgreSQL is in trouble. The call may be repeated.
pub async fn take_key(client: &impl GenericClient, request: KeyedRequest<'_>) -> Result<TakenKey, Error> {
    let KeyedRequest { holder, route, key, body } = request;
    let count = i64::from(FORGOTTEN_AT_ONCE_MAX);
    client.execute(sql::request_keys::FORGET, &[&f64::from(KEY_KEPT_S), &count]).await?;
    if client.execute(sql::request_keys::TAKE, &[&holder, &route, &key, &body]).await? > 0 {
        return Ok(TakenKey::New);
    }
    // If its request released the key at this moment, the outcome is unknown until the next repeat.
    Ok(known_key(client, request).await?.unwrap_or(TakenKey::Before(None)))
}

/// What the key of a request belongs to; none: no request has taken it.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn known_key(client: &impl GenericClient, request: KeyedRequest<'_>) -> Result<Option<TakenKey>, Error> {
    let KeyedRequest { holder, route, key, body } = request;
    let row = client.query_opt(sql::request_keys::TAKEN_FOR, &[&holder, &route, &key, &body]).await?;
    Ok(row.map(|row| if row.get(1) { TakenKey::Before(row.get(0)) } else { TakenKey::OfAnother }))
}

/// Writes down the answer to the request that took a key.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn keep_answer(client: &impl GenericClient, request: KeyedRequest<'_>, answer: &str) -> Result<(), Error> {
    let KeyedRequest { holder, route, key, body: _ } = request;
    client.execute(sql::request_keys::KEEP_ANSWER, &[&holder, &route, &key, &answer]).await?;
    Ok(())
}

/// Lets go of a key whose request changed nothing.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn let_key_go(client: &impl GenericClient, request: KeyedRequest<'_>) -> Result<(), Error> {
    let KeyedRequest { holder, route, key, body: _ } = request;
    client.execute(sql::request_keys::LET_GO, &[&holder, &route, &key]).await?;
    Ok(())
}
