//! A buyer of a simulation.

use std::sync::Arc;

use anyhow::{Result, bail};
use flash_sim::{Answer, Sell};
use hyper::StatusCode;
use serde::Deserialize;

use super::api::Response;
use super::buyer::Buyer;
use super::endpoint::Endpoint;
use super::outcome::Outcome;
use super::stubborn::{Street, Stubborn};
use super::wish::Wish;

/// Sends one buyer after another.
pub(crate) enum Visitor {
    /// Each asks once: a repeat could buy twice.
    Once(Buyer),
    /// Each asks until answered.
    Stubborn(Stubborn),
}

impl Visitor {
    /// One who asks once.
    pub(crate) async fn once(endpoint: Endpoint, wish: Arc<Wish>) -> Result<Self> {
        Ok(Self::Once(Buyer::connect(endpoint, wish).await?))
    }

    /// A buyer who asks until answered.
    pub(crate) async fn stubborn(endpoint: Endpoint, wish: Arc<Wish>, street: Street) -> Self {
        Self::Stubborn(Stubborn::connect(endpoint, wish, street).await)
    }
}

impl Sell for Visitor {
    type Answer = (Answer, u64);

    async fn sell(&mut self, buyer: u64) -> Result<(Answer, u64)> {
        match self {
            Self::Once(once) => {
                let Response { status, body, .. } = once.ask(buyer, None).await?;
                Ok((answer(status, &body)?, 0))
            }
            Self::Stubborn(stubborn) => stubborn.sell(buyer).await,
        }
    }
}

/// # Errors
/// When it does not say how it ended.
fn answer(status: StatusCode, body: &[u8]) -> Result<Answer> {
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
    }
    match (Outcome::of(status, body), serde_json::from_slice::<Problem>(body)) {
        (Ok(Outcome::Reserved), _) => Ok(Answer::Sold),
        (Ok(Outcome::Replayed), _) => Ok(Answer::Again),
        (Ok(Outcome::SoldOut), _) => Ok(Answer::SoldOut),
        (_, Ok(problem)) => bail!("{}", problem.detail),
        (Ok(outcome), _) => bail!("{}", outcome.name()),
        (Err(error), _) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, want: Result<Answer, &str>) {
        let got = answer(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        assert_eq!(got.map_err(|error| error.to_string()), want.map_err(str::to_owned), "{status} {body}");
    }

    #[test]
    fn an_answer_says_how_it_ended_and_a_problem_why_it_did_not() {
        check(201, "{\"id\":\"1\"}", Ok(Answer::Sold));
        check(200, "{\"id\":\"1\"}", Ok(Answer::Again));
        check(409, "{\"type\":\"/problems/sold-out\",\"detail\":\"\"}", Ok(Answer::SoldOut));
        check(500, "{\"type\":\"/problems/internal\",\"detail\":\"deadlock detected\"}", Err("deadlock detected"));
        check(503, "{\"detail\":\"gave up\"}", Err("gave up"));
        check(429, "", Err("429 rate limited"));
        check(500, "<html>", Err("500 Internal Server Error "));
    }
}
