//! What the bodies of a batch hold.

use flash_vault::Unreadable;
use flash_wire::{Barrier, Envelope, Message};

/// A batch, read.
#[derive(Debug, Default)]
pub(crate) struct Read<'a> {
    pub(crate) messages: Vec<Message<'a>>,
    pub(crate) barriers: Vec<Barrier<'a>>,
    pub(crate) unreadable: Vec<Unreadable<'a>>,
}

impl<'a> Read<'a> {
    pub(crate) fn of(bodies: &'a [Vec<u8>]) -> Self {
        let mut read = Self::default();
        for body in bodies {
            match Envelope::decode(body) {
                Ok(Envelope::Events(message)) => read.messages.push(message),
                Ok(Envelope::Barrier(barrier)) => read.barriers.push(barrier),
                Err(bad) => read.unreadable.push(Unreadable { reason: bad.to_string(), body }),
            }
        }
        read
    }
}
