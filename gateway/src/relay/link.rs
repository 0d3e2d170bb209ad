//! The way to RabbitMQ: there, or on its way back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flash_client::Backoff;
use flash_metrics::process::{PUBLISH_FAILURES, TRANSPORT_UP};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::limits::{RETRY_MS, RETRY_MS_MAX};
use super::publisher::{PublishError, Publisher};

/// Keeps a publisher, and makes a new one when it failed.
pub(crate) struct Link {
    url: String,
    name: String,
    state: State,
    backoff: Backoff,
    is_up: Arc<AtomicBool>,
    /// Whether the trouble was logged already: it is said once, not at every try.
    said: bool,
}

enum State {
    Up(Box<Publisher>),
    Down(JoinHandle<Result<Publisher, PublishError>>),
}

/// What happened on the way.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    /// There is a new connection: everything waits to be sent.
    Connected,
    /// A message arrived.
    Confirmed,
    /// There is no connection. What was in flight of these sales may not have arrived.
    Failed(Vec<String>),
}

impl Link {
    /// A link that connects in the background, and keeps `is_up` up to date.
    pub(crate) fn new(url: String, name: String, is_up: Arc<AtomicBool>) -> Self {
        let state = State::Down(connect(url.clone(), name.clone(), Duration::ZERO));
        Self { url, name, state, backoff: Backoff::new(RETRY_MS, RETRY_MS_MAX), is_up, said: false }
    }

    /// The publisher, if there is one.
    pub(crate) fn publisher(&mut self) -> Option<&mut Publisher> {
        match &mut self.state {
            State::Up(publisher) => Some(publisher),
            State::Down(_) => None,
        }
    }

    /// Says good-bye.
    pub(crate) async fn close(self) {
        if let State::Up(publisher) = self.state {
            publisher.close().await;
        }
    }

    /// Waits for what happens next. It may be dropped and asked again.
    pub(crate) async fn next(&mut self) -> Happened {
        match &mut self.state {
            State::Up(publisher) => match publisher.confirmed().await {
                Ok(()) => self.confirmed(),
                Err((sale, error)) => self.failed(&error, sale),
            },
            State::Down(connecting) => match connecting.await {
                Ok(Ok(publisher)) => self.connected(publisher),
                Ok(Err(error)) => self.failed(&error, None),
                Err(_panicked) => self.failed(&PublishError::Closed, None),
            },
        }
    }

    /// Gives the publisher up, and what it has in flight, `sale` included, and begins to make a new one.
    pub(crate) fn failed(&mut self, error: &PublishError, sale: Option<String>) -> Happened {
        if !std::mem::replace(&mut self.said, true) {
            tracing::warn!(%error, "RabbitMQ is away; selling goes on, the journals keep the events");
        }
        self.is_up.store(false, Ordering::Relaxed);
        TRANSPORT_UP.set(0);
        PUBLISH_FAILURES.add(1);
        let in_flight = self.publisher().into_iter().flat_map(|publisher| publisher.sales_in_flight());
        let lost = in_flight.map(str::to_owned).chain(sale).collect();
        self.state = State::Down(connect(self.url.clone(), self.name.clone(), self.backoff.wait()));
        Happened::Failed(lost)
    }

    fn connected(&mut self, publisher: Publisher) -> Happened {
        tracing::info!("connected to RabbitMQ");
        self.state = State::Up(Box::new(publisher));
        self.is_up.store(true, Ordering::Relaxed);
        TRANSPORT_UP.set(1);
        Happened::Connected
    }

    /// It is not the connection that ends the trouble: a RabbitMQ that is full connects, and refuses every message.
    fn confirmed(&mut self) -> Happened {
        self.backoff.reset();
        self.said = false;
        Happened::Confirmed
    }
}

fn connect(url: String, name: String, after: Duration) -> JoinHandle<Result<Publisher, PublishError>> {
    tokio::spawn(async move {
        sleep(after).await;
        Publisher::connect(&url, &name).await
    })
}
