//! The relay's end.

use futures_util::future::BoxFuture;

use crate::error::{Cause, Error};
use crate::outgoing::Outgoing;

/// What became of a message.
#[derive(Debug)]
pub enum Outcome {
    /// It will reach a syncer, whatever dies.
    Confirmed,
    /// It was not taken, and why.
    Rejected(Cause),
    /// It may have been taken or not, and why that is unknown.
    Unknown(Cause),
}

impl Outcome {
    /// Whether the message will reach a syncer.
    #[must_use]
    pub const fn is_confirmed(&self) -> bool {
        matches!(self, Self::Confirmed)
    }
}

/// Becomes the outcome of one message.
pub type Settling = BoxFuture<'static, Outcome>;

/// Hands messages over in order. One task alone has it.
pub trait Publisher: Send + 'static {
    /// Hands a message over after the earlier ones. If the window is full, it waits for room.
    ///
    /// # Errors
    /// When the way is lost: the outcome of this message, and of all that are not settled, is unknown.
    fn publish(&mut self, message: &Outgoing) -> impl Future<Output = Result<Settling, Error>> + Send;

    /// Whether the way is still there, as far as is known.
    fn is_connected(&self) -> bool;

    /// Whether messages that publishers before this one saw confirmed may be lost, or are so few that it costs little
    /// to send them again.
    fn begins_anew(&self) -> bool;

    /// Says good-bye.
    fn close(self) -> impl Future<Output = ()> + Send;
}
