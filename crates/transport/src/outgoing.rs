//! A message on its way.

use flash_wire::{Barrier, Message, TraceParent};

/// Bytes of a message's body beyond which the relay begins the next message: some 400 orders, and less than a frame of
/// AMQP. (One event alone may be longer.) With what a source fetches ahead it bounds what the syncer holds in memory.
pub const BODY_BYTES_GOAL: usize = 64 * 1024;

/// A message as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// For people who look into queues.
    pub id: String,
    /// What the syncer reads: the same bytes for the same events, however often and whenever they are published.
    pub body: Vec<u8>,
    /// When the relay gave it to the transport, Unix milliseconds.
    pub published_at_ms: Option<u64>,
    /// The trace that one of its events belongs to, if anybody knows of one.
    pub trace: Option<TraceParent>,
}

impl Outgoing {
    /// Encodes `message`; when it was published goes beside the body. Its id is `sale/epoch/first-last`, by its first
    /// and last seq.
    #[must_use]
    pub fn of(message: Message) -> Self {
        let seq = |event: Option<&flash_wire::message::MessageEvent>| event.map_or(0, |event| event.seq);
        let (first, last) = (seq(message.events.first()), seq(message.events.last()));
        let id = format!("{}/{}/{first}-{last}", message.sale, message.epoch);
        let published_at_ms = message.published_at_ms;
        let body = Message { published_at_ms: None, ..message }.encode();
        Self { id, body, published_at_ms, trace: None }
    }

    /// Encodes `barrier`.
    #[must_use]
    pub fn barrier(barrier: &Barrier) -> Self {
        let id = format!("barrier/{}", barrier.id());
        Self { id, body: barrier.encode(), published_at_ms: None, trace: None }
    }
}
