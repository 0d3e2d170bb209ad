//! A buyer's program: one connection, made anew where it broke.

use std::sync::Arc;

use anyhow::Result;
use flash_sim::Till;
use hyper::Method;

use super::api::Api;
use super::endpoint::Endpoint;
use super::outcome::Outcome;
use super::wish::Wish;

/// Sends one buyer after another.
pub(super) struct Buyer {
    endpoint: Endpoint,
    wish: Arc<Wish>,
    api: Option<Api>,
}

impl Buyer {
    pub(super) async fn connect(endpoint: Endpoint, wish: Arc<Wish>) -> Result<Self> {
        let api = Some(Api::connect(&endpoint).await?);
        Ok(Self { endpoint, wish, api })
    }
}

impl Till for Buyer {
    type Answer = Outcome;

    async fn sell(&mut self, buyer: u64) -> Result<Outcome> {
        let body = self.wish.body(buyer)?;
        // Taken, and given back with a whole answer: what is dropped halfway is not for the next buyer to read.
        let mut api = match self.api.take().filter(Api::is_open) {
            Some(api) => api,
            None => Api::connect(&self.endpoint).await?,
        };
        let (status, answer) = api.send(Method::POST, &self.wish.path, self.wish.token(buyer), body).await?;
        self.api = Some(api);
        Outcome::of(status, &answer)
    }
}
