//! How the rest of the gateway speaks to its relay.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flash_transport::Outgoing;
use flash_wire::{Barrier, Invalid, TraceParent};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::time::timeout;

use crate::limits::{BARRIER_TIMEOUT_MS, BARRIERS_MAX};
use crate::traces::{Traced, Traces};

/// Speaks to the relay. Clones speak to the same one.
#[derive(Debug, Clone)]
pub struct RelayHandle {
    wake: Arc<Notify>,
    barriers: mpsc::Sender<BarrierWish>,
    traces: Arc<Traces>,
    is_connected: Arc<AtomicBool>,
}

/// What the relay listens to. It outlives a relay that ends by a bug.
#[derive(Debug, Clone)]
pub struct Wishes {
    pub(crate) wake: Arc<Notify>,
    pub(crate) barriers: Arc<Mutex<mpsc::Receiver<BarrierWish>>>,
    pub(crate) traces: Arc<Traces>,
    /// Whether there is a way to the syncer: the relay says so.
    pub(crate) is_connected: Arc<AtomicBool>,
}

/// A barrier to publish, and who waits for its confirm.
#[derive(Debug)]
pub(crate) struct BarrierWish {
    pub(crate) outgoing: Outgoing,
    pub(crate) confirmed: oneshot::Sender<()>,
}

/// Why a barrier is not known to come after what was published.
#[derive(Debug, thiserror::Error)]
pub enum BarrierError {
    /// The id breaks its rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Too many wait already.
    #[error("{BARRIERS_MAX} barriers wait to be published already")]
    Full,
    /// It may come or not. Another may be published.
    #[error("the barrier was not confirmed within {BARRIER_TIMEOUT_MS} ms, or the connection was lost")]
    Unknown,
}

/// A handle, and the end that the relay listens at.
#[must_use]
pub fn handle() -> (RelayHandle, Wishes) {
    let (sender, receiver) = mpsc::channel(BARRIERS_MAX);
    let wake = Arc::new(Notify::new());
    let traces = Arc::new(Traces::default());
    let is_connected = Arc::new(AtomicBool::new(false));
    let wishes = Wishes {
        wake: wake.clone(),
        barriers: Arc::new(Mutex::new(receiver)),
        traces: traces.clone(),
        is_connected: is_connected.clone(),
    };
    (RelayHandle { wake, barriers: sender, traces, is_connected }, wishes)
}

impl RelayHandle {
    /// Says that a sale has events.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Whether the relay has a connection to the transport, as far as it knows.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.is_connected.load(Ordering::Relaxed)
    }

    /// Says which trace a reservation belongs to. (Before the relay is woken, or it may be gone already.)
    pub fn trace(&self, sale: &str, id: u64, trace: TraceParent) {
        self.traces.note(sale, Traced::Made(id), trace);
    }

    /// The same of what ended its hold.
    pub fn trace_end(&self, sale: &str, id: u64, trace: TraceParent) {
        self.traces.note(sale, Traced::Ended(id), trace);
    }

    /// Publishes a barrier, after everything that this relay has published. When this returns, it is confirmed: the
    /// barrier will be in PostgreSQL, and then so is everything that was queued before it.
    ///
    /// # Errors
    /// See [`BarrierError`].
    pub async fn barrier(&self, id: &str) -> Result<(), BarrierError> {
        let (confirmed, confirm) = oneshot::channel();
        let wish = BarrierWish { outgoing: Outgoing::barrier(&Barrier::new(id)?), confirmed };
        self.barriers.try_send(wish).map_err(|_| BarrierError::Full)?;
        let confirmed = timeout(Duration::from_millis(BARRIER_TIMEOUT_MS), confirm).await;
        confirmed.ok().and_then(Result::ok).ok_or(BarrierError::Unknown)
    }
}
