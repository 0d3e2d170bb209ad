//! RabbitMQ's errors, as the transport's.

use flash_transport::Error;

use crate::connect::ConnectError;
use crate::topology::TopologyError;

/// A connection that was lost, or a channel that RabbitMQ closed.
pub(crate) fn lost(error: lapin::Error) -> Error {
    Error::Away(format!("the connection to RabbitMQ failed: {error}"))
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Url => Self::Misconfigured(error.to_string()),
            ConnectError::Trust(_) | ConnectError::Timeout { .. } | ConnectError::Refused { .. } => {
                Self::Away(error.to_string())
            }
        }
    }
}

impl From<TopologyError> for Error {
    fn from(error: TopologyError) -> Self {
        match error {
            TopologyError::Differs { .. } => Self::Misconfigured(error.to_string()),
            TopologyError::Failed { .. } => Self::Away(error.to_string()),
        }
    }
}
