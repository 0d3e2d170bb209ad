//! What the API answers.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS};
use hyper::{Response, StatusCode};
use serde::Serialize;

const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An answer: it is whole before its first byte leaves.
pub(crate) type Reply = Response<Full<Bytes>>;

/// An answer of `body`, which says nothing about its type yet.
pub(crate) fn reply(status: StatusCode, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    // What a buyer sent along is shown as the JSON that it is, and as nothing else.
    reply.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

/// An answer of `body` as JSON.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Reply {
    // Strings, numbers and lists into memory: nothing here can fail.
    json_text(status, serde_json::to_vec(body).unwrap_or_default().into())
}

/// An answer of what is JSON already.
pub(crate) fn json_text(status: StatusCode, body: Bytes) -> Reply {
    let mut reply = reply(status, body);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

/// An answer of what was created, and where it is found from now on.
pub(crate) fn created(location: String, body: &impl Serialize) -> Reply {
    let mut reply = json(StatusCode::CREATED, body);
    if let Ok(location) = location.try_into() {
        reply.headers_mut().insert(LOCATION, location);
    }
    reply
}

/// An answer of a JSON Schema.
pub(crate) fn schema(text: &str) -> Reply {
    let mut reply = reply(StatusCode::OK, text.to_owned().into());
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/schema+json"));
    reply
}

/// The same answer, which nothing on its way may keep: it has a secret in it.
pub(crate) fn secret(mut reply: Reply) -> Reply {
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// Marks an answer that was given before.
pub(crate) fn mark_replayed(reply: &mut Reply) {
    reply.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
}
