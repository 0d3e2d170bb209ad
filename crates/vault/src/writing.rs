//! How every transaction begins that writes orders, and in which order it takes its locks.
//!
//! The order is: the row of `syncer_control` (shared); a sale's row of `recoveries` (shared), where a recovery writes;
//! rows of `epochs`, by sale and epoch; rows of `sales`; rows of `orders`; rows of `skus`, by sale and SKU. A replay
//! locks its row of the quarantine before all of them. Two that write the same sale meet at an epoch: whoever changes
//! orders holds the epoch of the event that does it, and a recovery holds every epoch of its sale.

use tokio_postgres::{Row, Transaction};

use crate::error::Error;
use crate::statements::Statements;

/// Asks for it. On its way as soon as it is polled.
pub(crate) async fn ask(transaction: &Transaction<'_>, statements: &Statements) -> Result<Row, tokio_postgres::Error> {
    transaction.query_one(&statements.begin_writing, &[]).await
}

/// Whether the transaction may write.
pub(crate) fn allowed(row: &Row) -> Result<(), Error> {
    if row.get::<_, Option<bool>>(0).unwrap_or(false) { Err(Error::Paused) } else { Ok(()) }
}

/// Begins a transaction that writes orders.
///
/// # Errors
/// [`Error::Paused`], where the operator wants nothing to be written.
pub(crate) async fn begin(transaction: &Transaction<'_>, statements: &Statements) -> Result<(), Error> {
    allowed(&ask(transaction, statements).await?)
}
