//! A buyer's program: one connection, made anew where it broke.

use std::sync::Arc;

use anyhow::{Context, Result};
use hyper::Method;
use serde::Deserialize;

use super::api::{Api, Response, Shown};
use super::endpoint::Endpoint;
use super::outcome::Outcome;
use super::unheard::{self, Leaves};
use super::wish::Wish;

/// Sends one buyer after another.
pub(crate) struct Buyer {
    endpoint: Endpoint,
    wish: Arc<Wish>,
    api: Option<Api>,
}

/// An answer, and the reservation that it names.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) outcome: Outcome,
    pub(super) reservation: Option<String>,
    /// When to ask again, if it says so.
    pub(super) retry_after_s: Option<u64>,
}

impl Answered {
    /// # Errors
    /// When no buyer should get such an answer.
    pub(super) fn read(response: &Response) -> Result<Self> {
        #[derive(Deserialize)]
        struct Reservation {
            id: String,
        }
        let Response { status, retry_after_s, body } = response;
        let outcome = Outcome::of(*status, body)?;
        let reservation = match outcome {
            Outcome::Reserved | Outcome::Replayed => {
                Some(serde_json::from_slice::<Reservation>(body).context("the reservation has no id")?.id)
            }
            _ => None,
        };
        Ok(Self { outcome, reservation, retry_after_s: *retry_after_s })
    }

    /// Whether asking again would not change it.
    pub(super) const fn is_final(&self) -> bool {
        matches!(self.outcome, Outcome::Reserved | Outcome::Replayed | Outcome::SoldOut)
    }
}

impl Buyer {
    pub(super) async fn connect(endpoint: Endpoint, wish: Arc<Wish>) -> Result<Self> {
        let api = Some(Api::connect(&endpoint).await?);
        Ok(Self { endpoint, wish, api })
    }

    /// Connected if the gateway is there, and otherwise with the first request.
    pub(super) async fn connect_if_there(endpoint: Endpoint, wish: Arc<Wish>) -> Self {
        let api = Api::connect(&endpoint).await.ok();
        Self { endpoint, wish, api }
    }

    /// The same with a connection of its own, made when it asks.
    pub(super) fn twin(&self) -> Self {
        Self { endpoint: self.endpoint.clone(), wish: self.wish.clone(), api: None }
    }

    /// A key for one wish, whose repeats have the same; none: a repeat is known without.
    pub(super) fn new_key(&self) -> Option<String> {
        self.wish.is_keyed.then(|| format!("{:032x}", rand::random::<u128>()))
    }

    /// Asks for a unit for the buyer of this number.
    ///
    /// # Errors
    /// When there is no answer.
    pub(super) async fn ask(&mut self, buyer: u64, idempotency_key: Option<&str>) -> Result<Response> {
        let body = self.wish.body(buyer)?;
        // Taken, and given back with a whole answer: what is dropped halfway is not for the next buyer to read.
        let mut api = match self.api.take().filter(Api::is_open) {
            Some(api) => api,
            None => Api::connect(&self.endpoint).await?,
        };
        let shown = Shown { token: self.wish.token(buyer), idempotency_key };
        let answer = api.send(Method::POST, &self.wish.path, shown, body).await?;
        self.api = Some(api);
        Ok(answer)
    }

    /// Asks the same on another connection, and goes away without an answer.
    ///
    /// # Errors
    /// When it may not have been sent.
    pub(super) async fn ask_unheard(&self, buyer: u64, leaves: Leaves) -> Result<()> {
        unheard::send(&self.endpoint, &self.wish.path, &self.wish.body(buyer)?, leaves).await
    }
}
