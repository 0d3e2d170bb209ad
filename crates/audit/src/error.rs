//! Why an audit cannot say anything.

use flash_client::CallError;

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Redis cannot be asked.
    #[error(transparent)]
    Redis(#[from] CallError),
    /// PostgreSQL cannot be asked.
    #[error(transparent)]
    Postgres(#[from] flash_vault::Error),
    /// Redis does not want to be asked.
    #[error("Redis refuses to show the sale: {0}")]
    Refused(&'static str),
    /// The journal is of another release.
    #[error("the journal cannot be read: {0}")]
    Journal(String),
}

impl AuditError {
    /// Whether other sales can be asked about.
    #[must_use]
    pub const fn is_of_one_sale(&self) -> bool {
        !matches!(self, Self::Postgres(_) | Self::Redis(CallError::Unavailable(_) | CallError::Unknown(_)))
    }
}
