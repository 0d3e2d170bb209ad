//! What adds, and is done once all the same: for one `Idempotency-Key`.
//!
//! The key is taken in PostgreSQL before anything is done, and gets the answer behind it. Redis does not know the key: so where
//! no answer came, nobody knows whether it was done, and it is not done again under this key.

use std::time::Duration;

use flash_client::Deadline;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;

use super::app::App;
use super::problem::{Kind, Problem};
use super::reply::{self, Reply, json};
use crate::limits::AFTERWARDS_MS;

/// Does `work` and answers what it gives, unless `key` came before: then it answers what was answered then.
pub(crate) async fn once<T: Serialize>(
    app: &App,
    route: &str,
    key: Option<&str>,
    body: &[u8],
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<Reply, Problem> {
    let Some(key) = key else { return Ok(json(StatusCode::OK, &work.await?)) };
    let taken = app.orders.take_key(route, key, body, "").await?;
    if !taken.is_same {
        return Err(Kind::KeyReused.into());
    }
    if !taken.is_new {
        return replayed(taken.target);
    }
    let result = work.await;
    // What became of it is written down also after the request's deadline.
    let afterwards = Deadline::after(Duration::from_millis(AFTERWARDS_MS));
    match result {
        Ok(done) => {
            // Strings and numbers into memory: nothing here can fail.
            let answer = serde_json::to_string(&done).unwrap_or_default();
            if afterwards.over(app.orders.keep_answer(route, key, &answer)).await.is_err() {
                tracing::warn!(route, "done, but a repeat will not be told so: PostgreSQL did not take the answer");
            }
            Ok(json(StatusCode::OK, &done))
        }
        Err(problem) if problem.kind == Kind::OutcomeUnknown => Err(unknown()),
        Err(problem) => {
            // A key that stays taken says "unknown" to repeats, which is no lie.
            let _ = afterwards.over(app.orders.let_key_go(route, key)).await;
            Err(problem)
        }
    }
}

fn replayed(answer: String) -> Result<Reply, Problem> {
    if answer.is_empty() {
        return Err(unknown());
    }
    let mut reply = reply::reply(StatusCode::OK, answer.into());
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply::mark_replayed(&mut reply);
    Ok(reply)
}

fn unknown() -> Problem {
    Problem::new(
        Kind::OutcomeUnknown,
        "look at the sale; under this key it is not done again, but answered once that is known",
    )
}
