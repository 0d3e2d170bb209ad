//! Problems: everything that the API answers instead of what was asked for (RFC 9457). Their table is in
//! `problem/kind.rs`.

mod kind;

use std::borrow::Cow;
use std::sync::LazyLock;

use bytes::Bytes;
use flash_client::{CallError, DurableError};
use flash_wire::{Invalid, Refusal, TraceParent};
use hyper::StatusCode;
use hyper::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;

pub(crate) use self::kind::Kind;
use flash_payments::DebitError;
use flash_worker::now_ms;

use super::reply::{Reply, reply};
use crate::form::Breach;
use crate::identity::Doubt;
use crate::ids::PublicId;
use crate::limits::{BODY_BYTES_MAX, RETRY_AFTER_S, RETRY_AFTER_S_MAX};
use crate::postgres::PostgresError;

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A problem as it happened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    /// What is particular to this time, for people.
    pub(crate) detail: Option<Cow<'static, str>>,
    /// The fields that broke their rules.
    errors: Vec<FieldError>,
    retry_after_s: Option<u64>,
    allow: Option<String>,
    /// What the body was coded in is not taken.
    is_coded: bool,
    /// What a program reads of it besides.
    fact: Option<Fact>,
}

/// A fact that a problem has as a member of its body.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Fact {
    /// The id of the reservation that the buyer has.
    Reservation(String),
    /// When the sale opens.
    OpensAtMs(u64),
}

/// A field that broke its rule.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FieldError {
    /// Its place in the body, as a JSON pointer (RFC 6901).
    pub(crate) pointer: String,
    /// The field's name and its rule.
    pub(crate) detail: String,
}

impl FieldError {
    /// What is wrong within a field that is any JSON.
    pub(crate) fn within(field: &str, breach: Breach) -> Self {
        Self { pointer: format!("{field}{}", breach.path), detail: breach.detail }
    }
}

impl From<Kind> for Problem {
    fn from(kind: Kind) -> Self {
        let waits = kind.row().status == StatusCode::SERVICE_UNAVAILABLE;
        let retry_after_s = waits.then_some(RETRY_AFTER_S);
        Self { kind, detail: None, errors: Vec::new(), retry_after_s, allow: None, is_coded: false, fact: None }
    }
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        vec![error].into()
    }
}

impl From<Vec<FieldError>> for Problem {
    fn from(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Kind::Invalid.into() }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::SoldOut => Kind::SoldOut,
            Refusal::LimitExceeded { .. } => Kind::LimitExceeded,
            Refusal::NotStarted { opens_at_ms } => return Self::not_started(opens_at_ms, now_ms()),
            Refusal::Ended => Kind::Ended,
            Refusal::Closed => Kind::Closed,
            Refusal::Fenced => Kind::Fenced,
            Refusal::Conflict => Kind::Conflict,
            Refusal::NotWarmed => Kind::UnknownSale,
            Refusal::Unknown => Kind::UnknownReservation,
            Refusal::Expired => Kind::Expired,
            Refusal::JournalFull => Kind::JournalFull,
            // A replay is an answer where it can happen, a lease is for relays, and after a forgotten key PostgreSQL is
            // asked: here none has a meaning.
            Refusal::Replayed { .. } | Refusal::Leased { .. } | Refusal::KeyForgotten { .. } => Kind::Internal,
        };
        kind.into()
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Invalid { field, rule } => Self::new(Kind::Invalid, format!("{field} {rule}")),
            CallError::Unavailable(_) => Kind::RedisAway.into(),
            CallError::Failed { .. } => Self { detail: why_refused(&error).map(Cow::from), ..Kind::RedisAway.into() },
            CallError::Unknown(_) | CallError::Unreadable(_) => {
                Self::new(Kind::OutcomeUnknown, "repeat the request with the same Idempotency-Key to get its outcome")
            }
        }
    }
}

/// Why Redis refuses, in words of ours: what a server says of itself may repeat arguments, and is for operators.
fn why_refused(error: &CallError) -> Option<&'static str> {
    let CallError::Failed { code, .. } = error else { return None };
    match code.as_str() {
        _ if error.is_unknown_command() => Some("Redis runs without the module"),
        "LOADING" => Some("Redis is loading its data"),
        "OOM" => Some("Redis is out of memory"),
        "READONLY" => Some("this Redis is a replica, which accepts no writes"),
        "NOPERM" => Some("the gateway's Redis user lacks a permission"),
        "MISCONF" => Some("Redis cannot write to its disk"),
        "WRONGTYPE" => Some("the sale's key in Redis holds another type"),
        _ => None,
    }
}

impl From<DurableError> for Problem {
    fn from(error: DurableError) -> Self {
        match error {
            DurableError::Unavailable(lack) => Self::new(Kind::DurabilityUnavailable, lack.to_string()),
            DurableError::Short => {
                Self::new(Kind::DurabilityShort, "repeat the request with the same Idempotency-Key to wait again")
            }
            DurableError::Call(error) => error.into(),
        }
    }
}

impl From<Doubt> for Problem {
    fn from(doubt: Doubt) -> Self {
        match doubt {
            Doubt::Unproven(what) => Self::new(Kind::Unauthenticated, what),
            Doubt::TooMany(wait_s) => Self {
                retry_after_s: Some(wait_s),
                ..Self::new(Kind::RateLimited, "too many invalid keys from this address")
            },
            Doubt::Unknown(error) => Self::from(error).of_read(),
        }
    }
}

impl From<PostgresError> for Problem {
    fn from(error: PostgresError) -> Self {
        match error {
            PostgresError::Busy => Kind::Overloaded.into(),
            PostgresError::Away => Kind::PostgresAway.into(),
            PostgresError::ReadOnly => Kind::PostgresReadOnly.into(),
            PostgresError::Unknown => Self::new(Kind::OutcomeUnknown, "repeat the request to get its outcome"),
        }
    }
}

impl From<DebitError> for Problem {
    fn from(error: DebitError) -> Self {
        match error {
            DebitError::Busy => Kind::Overloaded.into(),
            DebitError::Away => Kind::PostgresAway.into(),
            DebitError::ReadOnly => Kind::PostgresReadOnly.into(),
            DebitError::Unknown => Self::new(Kind::OutcomeUnknown, "repeat the request to get its outcome"),
        }
    }
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: Some(detail.into()), ..kind.into() }
    }

    /// A field of the body by its name, where that is also its place.
    pub(crate) fn field(invalid: &Invalid) -> Self {
        FieldError { pointer: format!("/{}", invalid.field), detail: invalid.to_string() }.into()
    }

    pub(crate) fn method_not_allowed(allow: String) -> Self {
        Self { allow: Some(allow), ..Kind::MethodNotAllowed.into() }
    }

    /// The body is compressed, or coded otherwise.
    pub(crate) fn content_coding() -> Self {
        let detail = "Content-Encoding must be identity or absent";
        Self { is_coded: true, ..Self::new(Kind::UnsupportedMediaType, detail) }
    }

    /// The buyer's only reservation takes the limit.
    pub(crate) fn limit_exceeded(reservation: &PublicId) -> Self {
        Self { fact: Some(Fact::Reservation(reservation.to_string())), ..Kind::LimitExceeded.into() }
    }

    /// These policies refuse; the same request is allowed after so many seconds, if nothing else is asked for
    /// meanwhile.
    pub(crate) fn rate_limited(policies: &str, retry_after_s: u64) -> Self {
        let detail = format!("refused by {policies}: retry in {retry_after_s} s");
        Self { retry_after_s: Some(retry_after_s), ..Self::new(Kind::RateLimited, detail) }
    }

    /// This address holds as many as it may.
    pub(crate) fn too_many_of(what: &'static str) -> Self {
        Self { retry_after_s: Some(RETRY_AFTER_S), ..Self::new(Kind::RateLimited, what) }
    }

    pub(crate) fn body_too_large() -> Self {
        Self::new(Kind::BodyTooLarge, format!("the body must be at most {BODY_BYTES_MAX} bytes"))
    }

    /// The problem of a request that changes nothing, so that there is no outcome to know.
    pub(crate) fn of_read(self) -> Self {
        if self.kind == Kind::OutcomeUnknown { Kind::TimedOut.into() } else { self }
    }

    fn not_started(opens_at_ms: u64, now_ms: u64) -> Self {
        let wait_s = opens_at_ms.saturating_sub(now_ms).div_ceil(1000).clamp(1, RETRY_AFTER_S_MAX);
        let detail = format!("the sale opens at {opens_at_ms} (Unix milliseconds)");
        let fact = Some(Fact::OpensAtMs(opens_at_ms));
        Self { retry_after_s: Some(wait_s), fact, ..Self::new(Kind::NotStarted, detail) }
    }

    pub(crate) fn reply(self) -> Reply {
        /// Most answers of a flash sale are this one.
        static SOLD_OUT: LazyLock<Bytes> = LazyLock::new(|| Problem::from(Kind::SoldOut).encode());
        let body = if self == Kind::SoldOut.into() { SOLD_OUT.clone() } else { self.encode() };
        let mut reply = reply(self.kind.row().status, body);
        let headers = reply.headers_mut();
        headers.insert(CONTENT_TYPE, MEDIA_TYPE);
        if self.kind == Kind::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.is_coded {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(allow) = self.allow.and_then(|allow| allow.try_into().ok()) {
            headers.insert(ALLOW, allow);
        }
        reply
    }

    fn encode(&self) -> Bytes {
        #[derive(Serialize)]
        struct Body<'a> {
            r#type: String,
            title: &'a str,
            status: u16,
            #[serde(skip_serializing_if = "Option::is_none")]
            detail: Option<&'a str>,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            errors: &'a [FieldError],
            #[serde(flatten)]
            fact: Option<&'a Fact>,
            #[serde(skip_serializing_if = "Option::is_none")]
            retry_after_ms: Option<u64>,
        }
        let row = self.kind.row();
        let body = Body {
            r#type: self.kind.path(),
            title: row.title,
            status: row.status.as_u16(),
            detail: self.detail.as_deref(),
            errors: &self.errors,
            fact: self.fact.as_ref(),
            retry_after_ms: self.retry_after_s.map(|seconds| seconds.saturating_mul(1_000)),
        };
        // Strings and numbers into memory: nothing here can fail.
        serde_json::to_vec(&body).unwrap_or_default().into()
    }
}

/// Says in a problem which trace it belongs to, so that a complaint can be found in the log. It is said
/// where answers leave, for some problems are encoded long before anybody meets them.
pub(crate) fn of_trace(reply: Reply, trace: Option<TraceParent>) -> Reply {
    let is_problem = reply.headers().get(CONTENT_TYPE) == Some(&MEDIA_TYPE);
    let Some(trace) = trace.filter(|_| is_problem) else { return reply };
    reply.map(|body| {
        let body = body.into_inner().unwrap_or_default();
        let Some(open) = body.strip_suffix(b"}") else { return body.into() };
        // Of an id that was parsed, nothing has to be escaped.
        Bytes::from([open, b",\"trace_id\":\"", trace.trace_id().as_bytes(), b"\"}"].concat()).into()
    })
}

#[cfg(test)]
mod tests;
