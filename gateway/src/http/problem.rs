//! The one table of problems: everything that the API answers instead of what was asked for (RFC 9457).

use std::borrow::Cow;
use std::sync::LazyLock;

use bytes::Bytes;
use flash_client::{CallError, DurableError};
use flash_wire::{Invalid, Refusal};
use hyper::StatusCode;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;

use super::reply::{Reply, reply};
use crate::clock::now_ms;
use crate::form::Breach;
use crate::identity::Doubt;
use crate::limits::{BODY_BYTES_MAX, RETRY_AFTER_S, RETRY_AFTER_S_MAX};
use crate::orders::OrdersError;

/// Which problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    BadRequest,
    Malformed,
    Unauthenticated,
    Forbidden,
    NotFound,
    UnknownSale,
    UnknownReservation,
    UnknownWebhook,
    UnknownKey,
    UnknownProduct,
    UnknownBuyer,
    InsufficientBalance,
    MethodNotAllowed,
    BodyTimeout,
    SoldOut,
    LimitExceeded,
    NotStarted,
    Closed,
    Conflict,
    SaleDiffers,
    TooManyWebhooks,
    ProductDiffers,
    BuyerDiffers,
    Ended,
    Expired,
    BodyTooLarge,
    UnsupportedMediaType,
    Invalid,
    KeyReused,
    RateLimited,
    Internal,
    Overloaded,
    RedisAway,
    PostgresAway,
    Fenced,
    JournalFull,
    DurabilityUnavailable,
    TimedOut,
    OutcomeUnknown,
    DurabilityShort,
}

impl Kind {
    /// The slug, which is stable.
    pub(crate) const fn slug(self) -> &'static str {
        self.row().0
    }

    /// The table: the slug, which is stable and ends the problem's `type`; the status; the title.
    const fn row(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as Is;
        match self {
            Self::BadRequest => ("bad-request", Is::BAD_REQUEST, "The request cannot be read"),
            Self::Malformed => ("malformed", Is::BAD_REQUEST, "The body is not a JSON object"),
            Self::Unauthenticated => ("unauthenticated", Is::UNAUTHORIZED, "Who calls is not known"),
            Self::Forbidden => ("forbidden", Is::FORBIDDEN, "Whoever calls may not do this"),
            Self::NotFound => ("not-found", Is::NOT_FOUND, "There is nothing at this path"),
            Self::UnknownSale => ("unknown-sale", Is::NOT_FOUND, "There is no such sale"),
            Self::UnknownReservation => ("unknown-reservation", Is::NOT_FOUND, "There is no such reservation"),
            Self::UnknownWebhook => ("unknown-webhook", Is::NOT_FOUND, "There is no such webhook"),
            Self::UnknownKey => ("unknown-key", Is::NOT_FOUND, "There is no such API key"),
            Self::UnknownProduct => ("unknown-product", Is::NOT_FOUND, "There is no such product"),
            Self::UnknownBuyer => ("unknown-buyer", Is::NOT_FOUND, "This buyer has no account"),
            // Not a conflict: the request is in order, and the same again is right once there is money.
            Self::InsufficientBalance => {
                ("insufficient-balance", Is::PAYMENT_REQUIRED, "The buyer's balance is too low")
            }
            Self::MethodNotAllowed => ("method-not-allowed", Is::METHOD_NOT_ALLOWED, "This path has other methods"),
            Self::BodyTimeout => ("body-timeout", Is::REQUEST_TIMEOUT, "The body took too long"),
            Self::SoldOut => ("sold-out", Is::CONFLICT, "Not enough units are available"),
            Self::LimitExceeded => ("limit-exceeded", Is::CONFLICT, "The buyer would have more than the limit"),
            Self::NotStarted => ("not-started", Is::CONFLICT, "The sale has not opened yet"),
            Self::Closed => ("closed", Is::CONFLICT, "The sale is closed"),
            Self::Conflict => ("conflict", Is::CONFLICT, "This contradicts what was asked for before"),
            Self::SaleDiffers => ("sale-differs", Is::CONFLICT, "There is a sale of this id with other terms"),
            Self::TooManyWebhooks => ("too-many-webhooks", Is::CONFLICT, "There are as many webhooks as there may be"),
            Self::ProductDiffers => ("product-differs", Is::CONFLICT, "There is another product of this id"),
            Self::BuyerDiffers => ("buyer-differs", Is::CONFLICT, "The buyer has an account that was opened otherwise"),
            Self::Ended => ("ended", Is::GONE, "The sale is over"),
            Self::Expired => ("expired", Is::GONE, "The hold has expired"),
            Self::BodyTooLarge => ("body-too-large", Is::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::UnsupportedMediaType => {
                ("unsupported-media-type", Is::UNSUPPORTED_MEDIA_TYPE, "The body must be application/json")
            }
            Self::Invalid => ("invalid", Is::UNPROCESSABLE_ENTITY, "A field breaks its rule"),
            Self::KeyReused => {
                ("key-reused", Is::UNPROCESSABLE_ENTITY, "This Idempotency-Key came with another request before")
            }
            Self::RateLimited => ("rate-limited", Is::TOO_MANY_REQUESTS, "Too many requests"),
            Self::Internal => ("internal", Is::INTERNAL_SERVER_ERROR, "The gateway failed"),
            Self::Overloaded => ("overloaded", Is::SERVICE_UNAVAILABLE, "Too many requests at once"),
            Self::RedisAway => {
                ("redis-away", Is::SERVICE_UNAVAILABLE, "Redis is away, or refuses: nothing was changed")
            }
            Self::PostgresAway => ("postgres-away", Is::SERVICE_UNAVAILABLE, "PostgreSQL is away"),
            Self::Fenced => ("fenced", Is::SERVICE_UNAVAILABLE, "The sale is being checked"),
            Self::JournalFull => {
                ("journal-full", Is::SERVICE_UNAVAILABLE, "The sale waits for its orders to be written")
            }
            Self::DurabilityUnavailable => {
                ("durability-unavailable", Is::SERVICE_UNAVAILABLE, "Redis cannot give the durability that is wanted")
            }
            Self::TimedOut => ("timed-out", Is::GATEWAY_TIMEOUT, "The answer took too long"),
            Self::OutcomeUnknown => ("outcome-unknown", Is::GATEWAY_TIMEOUT, "Whether it was done is not known"),
            Self::DurabilityShort => {
                ("durability-short", Is::GATEWAY_TIMEOUT, "It may stand with less durability than is wanted")
            }
        }
    }
}

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
}

/// A field that broke its rule.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FieldError {
    /// Where it stands in the body, as a JSON pointer (RFC 6901).
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
        let waits = kind.row().1 == StatusCode::SERVICE_UNAVAILABLE;
        Self { kind, detail: None, errors: Vec::new(), retry_after_s: waits.then_some(RETRY_AFTER_S), allow: None }
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
            Refusal::LimitExceeded => Kind::LimitExceeded,
            Refusal::NotStarted { opens_at_ms } => return Self::not_started(opens_at_ms, now_ms()),
            Refusal::Ended => Kind::Ended,
            Refusal::Closed => Kind::Closed,
            Refusal::Fenced => Kind::Fenced,
            Refusal::Conflict => Kind::Conflict,
            Refusal::NotWarmed => Kind::UnknownSale,
            Refusal::Unknown => Kind::UnknownReservation,
            Refusal::Expired => Kind::Expired,
            Refusal::JournalFull => Kind::JournalFull,
            // A replay is an answer where it can happen, and a lease is for relays: here neither has a meaning.
            Refusal::Replayed { .. } | Refusal::Leased { .. } => Kind::Internal,
        };
        kind.into()
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Invalid { field, rule } => Self::new(Kind::Invalid, format!("{field} {rule}")),
            CallError::Unavailable(_) => Kind::RedisAway.into(),
            // The rest of the error may repeat arguments.
            CallError::Failed { code, .. } => Self::new(Kind::RedisAway, format!("Redis refused the command: {code}")),
            CallError::Unknown(_) | CallError::Unreadable(_) => {
                Self::new(Kind::OutcomeUnknown, "ask again with the same Idempotency-Key to learn it")
            }
        }
    }
}

impl From<DurableError> for Problem {
    fn from(error: DurableError) -> Self {
        match error {
            DurableError::Unavailable(why) => Self::new(Kind::DurabilityUnavailable, why),
            DurableError::Short => {
                Self::new(Kind::DurabilityShort, "ask again with the same Idempotency-Key to wait for it again")
            }
            DurableError::Call(error) => error.into(),
        }
    }
}

impl From<Doubt> for Problem {
    fn from(doubt: Doubt) -> Self {
        match doubt {
            Doubt::Unproven(what) => Self::new(Kind::Unauthenticated, what),
            Doubt::Unknown(error) => Self::from(error).of_read(),
        }
    }
}

impl From<OrdersError> for Problem {
    fn from(error: OrdersError) -> Self {
        match error {
            OrdersError::Busy => Kind::Overloaded.into(),
            OrdersError::Away => Kind::PostgresAway.into(),
            OrdersError::Unknown => Self::new(Kind::OutcomeUnknown, "ask again to learn it"),
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

    /// These policies refuse; the same request is allowed after so many seconds, if nothing else is asked for meanwhile.
    pub(crate) fn rate_limited(policies: &str, retry_after_s: u64) -> Self {
        let detail = format!("refused by {policies}: ask again in {retry_after_s} s");
        Self { retry_after_s: Some(retry_after_s), ..Self::new(Kind::RateLimited, detail) }
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
        Self { retry_after_s: Some(wait_s), ..Self::new(Kind::NotStarted, detail) }
    }

    pub(crate) fn reply(self) -> Reply {
        /// Most answers of a flash sale are this one.
        static SOLD_OUT: LazyLock<Bytes> = LazyLock::new(|| Problem::from(Kind::SoldOut).encode());
        let body = if self == Kind::SoldOut.into() { SOLD_OUT.clone() } else { self.encode() };
        let mut reply = reply(self.kind.row().1, body);
        let headers = reply.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.kind == Kind::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
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
        }
        let (slug, status, title) = self.kind.row();
        let body = Body {
            r#type: format!("/problems/{slug}"),
            title,
            status: status.as_u16(),
            detail: self.detail.as_deref(),
            errors: &self.errors,
        };
        // Strings and numbers into memory: nothing here can fail.
        serde_json::to_vec(&body).unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests;
