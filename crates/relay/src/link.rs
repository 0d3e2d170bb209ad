//! The way to the syncer: there, or on its way back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flash_client::Backoff;
use flash_metrics::process::{
    CONFIRM_SECONDS, PUBLISH_FAILURES, PUBLISHES_REJECTED, PUBLISHES_UNKNOWN, TRANSPORT_UP, UNCONFIRMED,
};
use flash_transport::{
    CONFIRM_TIMEOUT_MS, Error, Fault, Outcome, Outgoing, Publisher, TraceParent, Transport, Window, spans,
};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::limits::{RETRY_MS, RETRY_MS_MAX};

/// Keeps a window of published messages, and makes a new one when something in it failed.
pub(crate) struct Link<T: Transport> {
    transport: T,
    name: String,
    state: State<T::Publisher>,
    backoff: Backoff,
    is_connected: Arc<AtomicBool>,
    /// Whether the trouble was logged already: it is said once, not at every try.
    said: bool,
}

enum State<P> {
    Up(Box<Window<P, Sent>>),
    Down(JoinHandle<Result<P, Error>>),
}

/// A message in flight, and since when.
pub(crate) struct Sent {
    cargo: Cargo,
    at: Instant,
    trace: Option<TraceParent>,
}

/// Whose message it is.
#[derive(Debug)]
pub(crate) enum Cargo {
    /// Events of this sale.
    Events(String),
    /// A barrier, and who waits for its confirm.
    Barrier(oneshot::Sender<()>),
}

/// What happened on the way.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    /// There is a new connection: everything waits to be sent.
    Connected,
    /// There is a new connection, and what was confirmed on an earlier one may be lost.
    Began,
    /// A message arrived.
    Confirmed,
    /// There is no connection. What was in flight of these sales may not have arrived.
    Failed(Vec<String>),
}

impl<T: Transport> Link<T> {
    /// A link that connects in the background, and keeps `is_connected` up to date.
    pub(crate) fn new(transport: T, name: String, is_connected: Arc<AtomicBool>) -> Self {
        TRANSPORT_UP.set(0);
        let state = State::Down(connect(transport.clone(), name.clone(), Duration::ZERO));
        Self { transport, name, state, backoff: Backoff::new(RETRY_MS, RETRY_MS_MAX), is_connected, said: false }
    }

    /// The window, if there is one.
    pub(crate) const fn window(&self) -> Option<&Window<T::Publisher, Sent>> {
        match &self.state {
            State::Up(window) => Some(window),
            State::Down(_) => None,
        }
    }

    /// Publishes a message. It is in flight until [`Link::next`] tells.
    ///
    /// # Errors
    /// As [`Window::publish`].
    pub(crate) async fn publish(&mut self, cargo: Cargo, message: &Outgoing) -> Result<(), Error> {
        let State::Up(window) = &mut self.state else { return Err(Fault::NotConnected.into()) };
        UNCONFIRMED.start();
        let published = window.publish(Sent { cargo, at: Instant::now(), trace: message.trace }, message).await;
        PUBLISHES_UNKNOWN.add(usize::from(published.is_err()));
        published
    }

    /// Says good-bye.
    pub(crate) async fn close(self) {
        if let State::Up(window) = self.state {
            window.close().await;
        }
    }

    /// Waits for what happens next. It may be dropped and asked again.
    pub(crate) async fn next(&mut self) -> Happened {
        match &mut self.state {
            State::Up(window) => match window.settled().await {
                (sent, Outcome::Confirmed) => self.confirmed(sent),
                (sent, Outcome::Rejected(why)) => {
                    PUBLISHES_REJECTED.add(1);
                    self.failed(&why.to_string(), sent)
                }
                (sent, Outcome::Unknown(why)) => {
                    PUBLISHES_UNKNOWN.add(1);
                    self.failed(&why.to_string(), sent)
                }
            },
            State::Down(connecting) => match connecting.await {
                Ok(Ok(publisher)) => self.connected(publisher),
                Ok(Err(Error::Misconfigured(why))) => {
                    let why = why.to_string();
                    tracing::error!(why, "nothing is relayed until that is put right; selling goes on");
                    self.failed(&why, None)
                }
                Ok(Err(error)) => self.failed(&error.to_string(), None),
                Err(panicked) => self.failed(&panicked.to_string(), None),
            },
        }
    }

    /// Gives everything in flight up, and begins to make a new connection. `settled` was in flight until now.
    pub(crate) fn failed(&mut self, why: &str, settled: Option<Sent>) -> Happened {
        if !std::mem::replace(&mut self.said, true) {
            tracing::warn!(why, "the relay sends nothing; selling goes on, the journals keep the events");
        }
        self.is_connected.store(false, Ordering::Relaxed);
        TRANSPORT_UP.set(0);
        PUBLISH_FAILURES.add(1);
        UNCONFIRMED.stop();
        let connecting = connect(self.transport.clone(), self.name.clone(), self.backoff.wait());
        let in_flight = match std::mem::replace(&mut self.state, State::Down(connecting)) {
            State::Up(window) => window.give_up(),
            State::Down(_) => Vec::new(),
        };
        PUBLISHES_UNKNOWN.add(in_flight.len());
        let sale = |sent: Sent| match sent.cargo {
            Cargo::Events(sale) => Some(sale),
            Cargo::Barrier(_) => None,
        };
        Happened::Failed(in_flight.into_iter().chain(settled).filter_map(sale).collect())
    }

    fn connected(&mut self, publisher: T::Publisher) -> Happened {
        tracing::info!("the relay is connected");
        let happened = if publisher.begins_anew() { Happened::Began } else { Happened::Connected };
        self.state = State::Up(Box::new(Window::new(publisher)));
        self.is_connected.store(true, Ordering::Relaxed);
        TRANSPORT_UP.set(1);
        happened
    }

    /// It is not the connection that ends the trouble: a broker that is full connects, and refuses every message.
    fn confirmed(&mut self, sent: Option<Sent>) -> Happened {
        self.backoff.reset();
        self.said = false;
        if self.window().is_some_and(Window::is_idle) {
            UNCONFIRMED.stop();
        } else {
            UNCONFIRMED.restart();
        }
        let Some(Sent { cargo, at, trace }) = sent else { return Happened::Confirmed };
        CONFIRM_SECONDS.took(at.elapsed());
        spans::done("publish", trace, at);
        if let Cargo::Barrier(confirmed) = cargo {
            // The waiting caller may have gone.
            let _ = confirmed.send(());
        }
        Happened::Confirmed
    }
}

fn connect<T: Transport>(transport: T, name: String, after: Duration) -> JoinHandle<Result<T::Publisher, Error>> {
    tokio::spawn(async move {
        sleep(after).await;
        let connected = timeout(Duration::from_millis(CONFIRM_TIMEOUT_MS), transport.publisher(&name)).await;
        connected.unwrap_or_else(|_| Err(Fault::ConnectTimeout(CONFIRM_TIMEOUT_MS).into()))
    })
}
