//! What comes of a request for a unit.

use anyhow::{Result, bail};
use hyper::StatusCode;
use serde::{Deserialize, Serialize};

/// How it was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The buyer has a unit.
    Reserved,
    /// The buyer has one since an earlier request.
    Replayed,
    /// There are none left.
    SoldOut,
    /// The buyer, or somebody, asks too often.
    RateLimited,
    /// Nothing was done: too much at once, or a server is away.
    Unavailable,
    /// The outcome is unknown.
    Unknown,
    /// Anything else, and no answer at all.
    Error,
}

impl Outcome {
    pub(crate) const ALL: [Self; 7] = [
        Self::Reserved,
        Self::Replayed,
        Self::SoldOut,
        Self::RateLimited,
        Self::Unavailable,
        Self::Unknown,
        Self::Error,
    ];

    /// As people read it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Reserved => "201 reserved",
            Self::Replayed => "200 replayed",
            Self::SoldOut => "409 sold out",
            Self::RateLimited => "429 rate limited",
            Self::Unavailable => "503 unavailable",
            Self::Unknown => "504 unknown",
            Self::Error => "errors",
        }
    }

    /// That of an answer.
    ///
    /// # Errors
    /// When no buyer should get such an answer.
    pub(super) fn of(status: StatusCode, body: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Problem<'a> {
            #[serde(rename = "type", borrow)]
            kind: &'a str,
        }
        let problem = serde_json::from_slice::<Problem>(body).map_or("", |problem| problem.kind);
        Ok(match status {
            StatusCode::CREATED => Self::Reserved,
            StatusCode::OK => Self::Replayed,
            StatusCode::CONFLICT if problem.ends_with("/sold-out") => Self::SoldOut,
            StatusCode::TOO_MANY_REQUESTS => Self::RateLimited,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            StatusCode::GATEWAY_TIMEOUT => Self::Unknown,
            _ => bail!("{status} {problem}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, want: Result<Outcome, &str>) {
        let got = Outcome::of(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        assert_eq!(got.map_err(|error| error.to_string()), want.map_err(str::to_owned), "{status} {body}");
    }

    #[test]
    fn an_answer_is_known_by_its_status_and_its_problem() {
        check(201, "{\"id\":\"1\"}", Ok(Outcome::Reserved));
        check(200, "", Ok(Outcome::Replayed));
        check(409, "{\"type\":\"/problems/sold-out\"}", Ok(Outcome::SoldOut));
        check(429, "{\"type\":\"/problems/rate-limited\"}", Ok(Outcome::RateLimited));
        check(503, "<html>", Ok(Outcome::Unavailable));
        check(504, "", Ok(Outcome::Unknown));
        check(409, "{\"type\":\"/problems/closed\"}", Err("409 Conflict /problems/closed"));
        check(409, "\"", Err("409 Conflict "));
        check(500, "{\"type\":7}", Err("500 Internal Server Error "));
    }
}
