//! What the bodies of a batch hold.

use flash_transport::Batch;
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
    pub(crate) fn of(batch: &'a Batch) -> Self {
        let mut read = Self::default();
        for ((body, published_at_ms), is_authentic) in
            batch.bodies.iter().zip(&batch.published_at_ms).zip(&batch.are_authentic)
        {
            if !is_authentic {
                let reason = "it is not signed with a message key of ours".to_owned();
                read.unreadable.push(Unreadable { reason, body, is_authentic: false });
                continue;
            }
            match Envelope::decode(body) {
                Ok(Envelope::Events(message)) => read.messages.push(match published_at_ms {
                    Some(at_ms) => message.published(*at_ms),
                    None => message,
                }),
                Ok(Envelope::Barrier(barrier)) => read.barriers.push(barrier),
                Err(bad) => read.unreadable.push(Unreadable { reason: bad.to_string(), body, is_authentic: true }),
            }
        }
        read
    }
}
