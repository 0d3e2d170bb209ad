//! Orders as a stream, of any number, in the memory of a few.

use std::io;
use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_postgres::Client;

use crate::error::Error;
use crate::sql;

/// How long an export may take, in milliseconds: an hour.
pub const EXPORT_MS_MAX: u64 = 60 * 60 * 1_000;

/// How orders are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Comma-separated values with a header, lines ended by LF. No cell begins as a formula does.
    Csv,
    /// One JSON object on each line.
    JsonLines,
}

/// Which orders, and how.
#[derive(Debug, Clone, Copy)]
pub struct OrderExport<'a> {
    /// Orders of this sale.
    pub sale: &'a str,
    /// Only those that were reserved, or that ended, at this time or later, Unix milliseconds; 0: all.
    pub since_ms: u64,
    /// How they are written.
    pub format: ExportFormat,
}

/// What became of an export.
#[derive(Debug)]
pub enum Exported {
    /// Every order was written.
    All,
    /// PostgreSQL knows no such sale. Nothing was written.
    UnknownSale,
    /// `write` failed, so orders are missing.
    NotWritten(io::Error),
}

/// Passes the orders to `write` by id, in pieces of a few rows at most, as PostgreSQL had them at one moment.
///
/// # Errors
/// When PostgreSQL is in trouble: then orders are missing.
pub async fn export_orders(
    client: &mut Client,
    export: OrderExport<'_>,
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<Exported, Error> {
    let transaction = client.build_transaction().read_only(true).start().await?;
    let (since_ms, timeout) = (export.since_ms.to_string(), format!("{EXPORT_MS_MAX}ms"));
    if transaction.query_opt(sql::export::CHOOSE, &[&export.sale, &since_ms, &timeout]).await?.is_none() {
        return Ok(Exported::UnknownSale);
    }
    let copy = match export.format {
        ExportFormat::Csv => sql::export::AS_CSV,
        ExportFormat::JsonLines => sql::export::AS_JSON_LINES,
    };
    let mut pieces = pin!(transaction.copy_out(copy).await?);
    while let Some(piece) = pieces.try_next().await? {
        if let Err(error) = write(&piece) {
            return Ok(Exported::NotWritten(error));
        }
    }
    Ok(Exported::All)
}
