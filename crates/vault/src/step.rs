//! An event in hand.

use flash_wire::Message;
use flash_wire::message::{MESSAGE_VERSION, MessageEvent};

/// One event, with what its message says of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<'a> {
    pub(crate) sale: &'a str,
    pub(crate) epoch: u64,
    pub(crate) published_at_ms: Option<u64>,
    pub(crate) event: &'a MessageEvent<'a>,
}

impl<'a> Step<'a> {
    /// The events of a message.
    pub(crate) fn of(message: &'a Message<'a>) -> impl Iterator<Item = Self> {
        let Message { sale, epoch, published_at_ms, events, .. } = message;
        events.iter().map(|event| Step { sale, epoch: *epoch, published_at_ms: *published_at_ms, event })
    }

    /// The message that carries this one event: how an event is kept, so that it can be read and sent again by itself.
    pub(crate) fn alone(&self) -> String {
        let Step { sale, epoch, published_at_ms, event } = *self;
        let events = vec![event.clone()];
        let message = Message { version: MESSAGE_VERSION, sale: sale.into(), epoch, published_at_ms, events };
        String::from_utf8_lossy(&message.encode()).into_owned()
    }
}
