//! The syncer's end.

use flash_wire::TraceParent;

use crate::error::Error;

/// How far a source was read. To commit one commits all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Which opening of the source gave it: a source that was paused gives what was not committed again.
    pub opening: u64,
    /// Grows from message to message.
    pub place: u64,
}

/// A message as it came.
#[derive(Debug)]
pub struct Received {
    /// Its body.
    pub body: Vec<u8>,
    /// When it was published, as came with it, Unix milliseconds. From outside, what is beyond [`TIME_MS_MAX`] is none.
    ///
    /// [`TIME_MS_MAX`]: crate::TIME_MS_MAX
    pub published_at_ms: Option<u64>,
    /// It comes from a process that may publish, or no proof is required.
    pub is_authentic: bool,
    /// The trace that came with it.
    pub trace: Option<TraceParent>,
    /// Commits it, and all before it.
    pub token: Token,
}

/// Gives messages in order. What is not committed when it goes away comes again, or its outcome is unknown to the one
/// that published it.
pub trait Source: Send + 'static {
    /// The next message; waits for ever while there is none, or while it is paused. It may be dropped and asked again.
    ///
    /// # Errors
    /// When the way is lost.
    fn receive(&mut self) -> impl Future<Output = Result<Received, Error>> + Send;

    /// Everything up to `token` is on disk, and need not come again.
    ///
    /// # Errors
    /// When the way is lost: then it may come again.
    fn commit(&mut self, token: Token) -> impl Future<Output = Result<(), Error>> + Send;

    /// Takes no more messages, and gives back what it has.
    ///
    /// # Errors
    /// When the way is lost.
    fn pause(&mut self) -> impl Future<Output = Result<(), Error>> + Send;

    /// Continues after what was committed.
    ///
    /// # Errors
    /// When the way is lost.
    fn resume(&mut self) -> impl Future<Output = Result<(), Error>> + Send;

    /// Messages that wait, those aside that were fetched ahead.
    ///
    /// # Errors
    /// When the way is lost.
    fn queued(&mut self) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Says good-bye.
    fn close(self) -> impl Future<Output = ()> + Send;
}
