//! The seam between relay and syncer: what either may rely on, whatever carries the messages.
//!
//! A [`Publisher`] takes messages in order and says of each what became of it. A [`Source`] gives them in order and is
//! told how far they are committed. There is no "no" to a single message: what cannot be written, the vault puts aside.
//! So a log with offsets fits as well as a queue with acknowledgements.
//!
//! [`Direct`] is the transport within one process. RabbitMQ's is in the package `broker`.

#![forbid(unsafe_code)]

mod batches;
mod broker;
mod direct;
mod error;
mod finding;
mod outgoing;
mod publisher;
mod source;
pub mod spans;
mod window;

use std::sync::Arc;

pub use batches::{BATCH_BYTES_MAX, BATCH_MESSAGES_MAX, Batch, Batches, GATHER_MS};
pub use broker::{Broker, Checks, Depth, Queue};
pub use direct::{DIRECT_MESSAGES_MAX, Direct, DirectPublisher, DirectSource};
pub use error::{Cause, Error, Fault};
pub use finding::{Finding, Level};
pub use flash_wire::{TraceParent, limits::TIME_MS_MAX};
pub use outgoing::{BODY_BYTES_GOAL, Outgoing};
pub use publisher::{Outcome, Publisher, Settling};
pub use source::{Received, Source, Token};
pub use window::{CONFIRM_TIMEOUT_MS, WINDOW_BYTES_MAX, WINDOW_MESSAGES_MAX, Window};

/// A way from the relays to the syncers.
pub trait Transport: Clone + Send + Sync + 'static {
    /// Its end at the relay.
    type Publisher: Publisher;
    /// Its end at the syncer.
    type Source: Source;

    /// A new publisher. `name` is for people who look at the transport.
    fn publisher(&self, name: &str) -> impl Future<Output = Result<Self::Publisher, Error>> + Send;

    /// A new source. It continues after what any source has committed.
    fn source(&self, name: &str) -> impl Future<Output = Result<Self::Source, Error>> + Send;

    /// Makes anew what an [`Error::Frozen`] spoke of. What it held is lost, so it happens only if `may_delete`, which
    /// is asked at the last moment, has no reason against it. A transport that never freezes has nothing to do.
    ///
    /// # Errors
    /// When it stays as it is, and why.
    fn heal(
        &self,
        name: &str,
        may_delete: impl Future<Output = Result<(), Cause>> + Send,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (name, may_delete);
        async { Ok(()) }
    }

    /// The server that it goes through, for those who ask how it is. None: there is none.
    fn broker(&self) -> Option<Arc<dyn Broker>> {
        None
    }
}
