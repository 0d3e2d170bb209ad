//! What can go wrong with a transport.

/// The cause of an [`Error`], in the type of the code that met it: a [`Fault`], or an error of the broker's client.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a publisher or a source is of no more use. What was in flight is unknown, and what was not committed comes
/// again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Trouble that passes. Make a new one.
    #[error("{0}")]
    Away(Cause),
    /// Trouble that stays until someone acts: the text says how.
    #[error("{0}")]
    Misconfigured(Cause),
    /// The broker answers, and its queue does not: see [`Transport::heal`]. Until then a new one finds the same.
    ///
    /// [`Transport::heal`]: crate::Transport::heal
    #[error("{0}")]
    Frozen(Cause),
}

/// Trouble that any transport may have. All of it passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No one has connected.
    #[error("there is no connection")]
    NotConnected,
    /// The connection was there.
    #[error("the connection was closed")]
    Closed,
    /// The other end took longer than this, in milliseconds, to take a connection.
    #[error("no connection within {0} ms")]
    ConnectTimeout(u64),
    /// The other end took longer than this, in milliseconds, to answer.
    #[error("no answer within {0} ms")]
    Silent(u64),
    /// A token of a source that was paused or opened anew since.
    #[error("what was given back cannot be committed")]
    GivenBack,
    /// The other end of a transport within one process is not there.
    #[error("the syncer of this process is away")]
    NoSyncer,
    /// The source of a transport within one process was opened anew before a message was committed.
    #[error("the syncer began anew before it was committed")]
    SyncerBeganAnew,
    /// A source gave nothing to commit.
    #[error("a batch without a message")]
    EmptyBatch,
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Away(fault.into())
    }
}
