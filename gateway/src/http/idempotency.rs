//! What makes or changes something, and is done once for one `Idempotency-Key`.
//!
//! What PostgreSQL alone makes is one transaction with its key ([`make`]). What Redis or another process does is
//! between two ([`once`]): the key is taken before anything is done, and gets the answer afterwards. Redis does not
//! know the key. So without an answer the outcome is unknown, and it is not done again under this key.

use std::borrow::Cow;
use std::time::Duration;

use flash_client::Deadline;
use flash_vault::{KeyedRequest, Made, Once, TakenKey, Transaction};
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;

use super::idempotency_key;
use super::problem::{Kind, Problem};
use super::reply::{self, Reply, json};
use super::state::{App, Asked};
use crate::limits::AFTERWARDS_MS;

/// A request's key, with what it counts for.
#[derive(Debug)]
pub(crate) struct Keyed<'a> {
    holder: &'a str,
    route: String,
    key: Cow<'a, str>,
    body: &'a [u8],
}

impl<'a> Keyed<'a> {
    /// The key of a request, if it has one.
    ///
    /// # Errors
    /// When the header breaks its rules.
    pub(crate) fn of(asked: &'a Asked) -> Result<Option<Self>, Problem> {
        let Some(key) = idempotency_key::of(&asked.head.headers)? else { return Ok(None) };
        let route = format!("{} {}", asked.head.method, asked.head.uri.path());
        Ok(Some(Self { holder: asked.caller.name(), route, key, body: &asked.body }))
    }

    pub(crate) fn request(&self) -> KeyedRequest<'_> {
        KeyedRequest { holder: self.holder, route: &self.route, key: &self.key, body: self.body }
    }
}

/// Makes something in PostgreSQL, unless the request's key came before.
///
/// # Errors
/// When the key belongs to another request, or PostgreSQL is in trouble.
pub(crate) async fn make<T>(
    app: &App,
    keyed: Option<&Keyed<'_>>,
    make: impl AsyncFnOnce(&Transaction<'_>) -> Result<Made<T>, flash_vault::Error>,
) -> Result<Result<T, Replayed>, Problem> {
    match app.postgres.make(keyed.map(Keyed::request), make).await? {
        Once::Done(made) => Ok(Ok(made)),
        Once::Before(answer) => Ok(Err(Replayed::of(answer)?)),
        Once::OfAnother => Err(Kind::KeyReused.into()),
    }
}

/// What a request with this key was answered before; none: no request has this key.
///
/// # Errors
/// When the key belongs to another request, or PostgreSQL is in trouble.
pub(crate) async fn before(app: &App, keyed: Option<&Keyed<'_>>) -> Result<Option<Replayed>, Problem> {
    let Some(keyed) = keyed else { return Ok(None) };
    match app.postgres.look(async |client: &_| flash_vault::known_key(client, keyed.request()).await).await? {
        None | Some(TakenKey::New) => Ok(None),
        Some(TakenKey::Before(answer)) => Ok(Some(Replayed::of(answer)?)),
        Some(TakenKey::OfAnother) => Err(Kind::KeyReused.into()),
    }
}

/// Does `work` and answers 200 with what it gives, unless the request's key came before.
///
/// # Errors
/// As [`done`].
pub(crate) async fn once<T: Serialize>(
    app: &App,
    keyed: Option<&Keyed<'_>>,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<Reply, Problem> {
    let answered = done(app, keyed, work).await?;
    Ok(answered.map_or_else(Replayed::reply, |answer| json(StatusCode::OK, &answer)))
}

/// Does `work`, unless the request's key came before.
///
/// # Errors
/// Those of the work; and when the key belongs to another request, or to one whose answer is unknown.
pub(crate) async fn done<T: Serialize>(
    app: &App,
    keyed: Option<&Keyed<'_>>,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<Result<T, Replayed>, Problem> {
    let Some(keyed) = keyed else { return Ok(Ok(work.await?)) };
    let request = keyed.request();
    match app.postgres.change(async |client: &_| flash_vault::take_key(client, request).await).await? {
        TakenKey::New => {}
        TakenKey::Before(answer) => return Ok(Err(Replayed::of(answer)?)),
        TakenKey::OfAnother => return Err(Kind::KeyReused.into()),
    }
    let result = work.await;
    // What became of it is written down also after the request's deadline.
    let afterwards = Deadline::after(Duration::from_millis(AFTERWARDS_MS));
    match result {
        Ok(done) => {
            let keeping = async |client: &_| flash_vault::keep_answer(client, request, &text(&done)).await;
            if afterwards.over(app.postgres.look(keeping)).await.is_err() {
                let route = keyed.route.as_str();
                tracing::warn!(route, "cannot store an answer; a repeat of the done request will not get it");
            }
            Ok(Ok(done))
        }
        Err(problem) if problem.kind == Kind::OutcomeUnknown => Err(unknown()),
        Err(problem) => {
            // A key that stays taken says "unknown" to repeats, which is no lie.
            let _ = afterwards
                .over(app.postgres.look(async |client: &_| flash_vault::let_key_go(client, request).await))
                .await;
            Err(problem)
        }
    }
}

/// An answer as it is kept. Strings and numbers into memory: nothing here can fail.
pub(crate) fn text(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).unwrap_or_default()
}

/// What the same request was answered before.
#[derive(Debug)]
pub(crate) struct Replayed(pub(crate) String);

impl Replayed {
    fn of(answer: Option<String>) -> Result<Self, Problem> {
        answer.map(Self).ok_or_else(unknown)
    }

    /// The same answer again.
    pub(crate) fn reply(self) -> Reply {
        let mut reply = reply::reply(StatusCode::OK, self.0.into());
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        reply::mark_replayed(&mut reply);
        reply
    }
}

fn unknown() -> Problem {
    Problem::new(
        Kind::OutcomeUnknown,
        "look at what the request is about; under this key it is not done again, but answered once that is known",
    )
}
