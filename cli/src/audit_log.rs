//! The audit log also records what an operator changes by this program.

use anyhow::Result;
use flash_vault::{Client, LoggedChange};

/// What the log says of what was done.
pub(crate) const DONE: &str = "done";

/// Writes a change down, makes it, and writes down what became of it.
pub(crate) async fn logged<T, E>(
    vault: &Client,
    change: LoggedChange<'_>,
    doing: impl Future<Output = Result<T, E>>,
) -> Result<T>
where
    E: Into<anyhow::Error>,
{
    let row = flash_vault::log_change(vault, change).await?;
    let result = doing.await;
    // If this fails, the row says "unknown"; the change itself remains.
    let _ = flash_vault::end_logged(vault, row, if result.is_ok() { DONE } else { "failed" }).await;
    result.map_err(Into::into)
}
