//! Redis's own commands, where gateways tell each other what is no sale's state.

use std::time::Duration;

use flash_wire::Unreadable;
use redis::{Cmd, Value};

use crate::client::Client;
use crate::error::CallError;

impl Client {
    /// Sends commands in one round trip. An error reply to one of them is an error of all.
    pub(crate) async fn send<const N: usize>(&self, commands: [Cmd; N]) -> Result<[Value; N], CallError> {
        let values = self.replies(commands.into()).await?;
        let refused = values.iter().find_map(|value| match value {
            Value::ServerError(error) => Some(CallError::of_reply(error)),
            _ => None,
        });
        match refused {
            Some(error) => Err(error),
            None => values.try_into().map_err(|_| Unreadable { what: "number of replies" }.into()),
        }
    }

    /// The same; the replies are as they come, errors too.
    pub(crate) async fn replies(&self, commands: Vec<Cmd>) -> Result<Vec<Value>, CallError> {
        let _permit = self.permit()?;
        let limit = self.limit(None)?;
        self.connection()?.send_all(commands, limit).await
    }
}

/// As `PX` takes it.
pub(crate) fn millis(life: Duration) -> u64 {
    u64::try_from(life.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn text(value: Value) -> Result<Option<String>, Unreadable> {
    match value {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| Unreadable { what: "text" }),
        _ => Err(Unreadable { what: "type" }),
    }
}
