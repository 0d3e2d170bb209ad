//! What can go wrong with a transport.

/// Why a publisher or a source is of no more use. What was in flight is unknown, and what was not committed comes again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Trouble that passes. Make a new one.
    #[error("{0}")]
    Away(String),
    /// Trouble that stays until someone acts: the text says how.
    #[error("{0}")]
    Misconfigured(String),
    /// The broker answers, and its queue does not: see [`Transport::heal`]. Until then a new one finds the same.
    ///
    /// [`Transport::heal`]: crate::Transport::heal
    #[error("{0}")]
    Frozen(String),
}
