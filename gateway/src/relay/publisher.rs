//! The one task that publishes, on the one channel in confirm mode.
//!
//! lapin 4.12 mixes up the confirms of tasks that share a channel, and hangs returned messages on the wrong one. So no
//! one else publishes here, and whatever fails fails all that is in flight: the connection is dropped for a new one.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use flash_broker::{ConnectError, Outgoing, TopologyError};
use flash_metrics::process::CONFIRM_SECONDS;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Confirmation, Connection, PublisherConfirm};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::limits::{CONFIRM_TIMEOUT_MS, WINDOW_MESSAGES_MAX};

/// Why what is in flight may not have arrived.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Topology(#[from] TopologyError),
    #[error("the connection to RabbitMQ failed: {0}")]
    Lost(#[from] lapin::Error),
    #[error("the connection to RabbitMQ was closed")]
    Closed,
    #[error("RabbitMQ did not answer within {CONFIRM_TIMEOUT_MS} ms: it may be short of disk or memory")]
    Silent,
    #[error("RabbitMQ refused a message: its queue may be full")]
    Refused,
    #[error("RabbitMQ returned a message: its queue or binding is gone, and is declared again")]
    Returned,
}

/// A connection that publishes, and its confirms.
pub(crate) struct Publisher {
    connection: Connection,
    channel: Channel,
    in_flight: FuturesUnordered<InFlight>,
}

/// Who is to know what becomes of a message.
#[derive(Debug)]
pub(crate) enum Cargo {
    /// Events of this sale.
    Events(String),
    /// A barrier, and who waits for its confirm.
    Barrier(oneshot::Sender<()>),
}

/// A message that was published and not confirmed yet.
struct InFlight {
    /// None, once it is settled.
    cargo: Option<Cargo>,
    settled: BoxFuture<'static, Result<(), PublishError>>,
}

impl Future for InFlight {
    /// A failure, with the sale if it is of one.
    type Output = Result<(), (Option<String>, PublishError)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let settled = std::task::ready!(self.settled.as_mut().poll(cx));
        Poll::Ready(match (settled, self.cargo.take()) {
            (Ok(()), Some(Cargo::Barrier(confirmed))) => {
                // Whoever waited may have gone.
                let _ = confirmed.send(());
                Ok(())
            }
            (Ok(()), _) => Ok(()),
            (Err(error), Some(Cargo::Events(sale))) => Err((Some(sale), error)),
            (Err(error), _) => Err((None, error)),
        })
    }
}

impl Publisher {
    /// Connects, and declares what it publishes to.
    pub(crate) async fn connect(url: &str, name: &str) -> Result<Self, PublishError> {
        within_time(async {
            let connection = flash_broker::connect(url, name).await?;
            let channel = connection.create_channel().await?;
            flash_broker::declare(&channel).await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            Ok(Self { connection, channel, in_flight: FuturesUnordered::new() })
        })
        .await?
    }

    /// Whether another message may be published.
    pub(crate) fn has_room(&self) -> bool {
        self.in_flight.len() < WINDOW_MESSAGES_MAX
    }

    /// Whether anything is in flight.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// The sales of the messages in flight.
    pub(crate) fn sales_in_flight(&self) -> impl Iterator<Item = &str> {
        self.in_flight.iter().filter_map(|message| match &message.cargo {
            Some(Cargo::Events(sale)) => Some(sale.as_str()),
            _ => None,
        })
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connection.status().connected()
    }

    /// Publishes a message. It counts as in flight until [`Publisher::confirmed`] tells.
    pub(crate) async fn publish(&mut self, cargo: Cargo, outgoing: &Outgoing) -> Result<(), PublishError> {
        let confirm = within_time(outgoing.publish(&self.channel)).await??;
        self.in_flight.push(InFlight { cargo: Some(cargo), settled: Box::pin(settle(confirm, Instant::now())) });
        Ok(())
    }

    /// The next message in flight that is confirmed, or failed. Waits for ever when none is in flight.
    pub(crate) async fn confirmed(&mut self) -> Result<(), (Option<String>, PublishError)> {
        match self.in_flight.next().await {
            Some(result) => result,
            None => std::future::pending().await,
        }
    }

    /// Says good-bye.
    pub(crate) async fn close(self) {
        let _ = self.connection.close(200, "the gateway stops".into()).await;
    }
}

async fn settle(confirm: PublisherConfirm, published: Instant) -> Result<(), PublishError> {
    match within_time(confirm).await?? {
        Confirmation::Ack(None) => {
            CONFIRM_SECONDS.took(published.elapsed());
            Ok(())
        }
        Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)) => Err(PublishError::Returned),
        Confirmation::Nack(None) | Confirmation::NotRequested => Err(PublishError::Refused),
    }
}

async fn within_time<T>(future: impl Future<Output = T>) -> Result<T, PublishError> {
    let limit = Duration::from_millis(CONFIRM_TIMEOUT_MS);
    timeout(limit, future).await.map_err(|_| PublishError::Silent)
}
