//! Messages of an epoch that never began: of another Flash on the same queue, or made up. PostgreSQL begins each
//! epoch before Redis does, so an epoch is foreign that is later than the newest of both.
//!
//! (Where PostgreSQL was put back to an older state, Redis is in an epoch that PostgreSQL does not know: then a
//! recovery restores the sale. What both have forgotten is in the quarantine, and nothing is lost.)

use flash_metrics::process::QUARANTINED;
use tokio_postgres::{Client, Transaction};

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::write::Vault;
use crate::{sql, writing};

/// Events wait here that may be of a foreign epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaybeForeign {
    /// Of this sale.
    pub sale: String,
    /// The lowest epoch of which such events wait.
    pub epoch: u64,
}

/// Sales of which events wait of a later epoch than PostgreSQL has begun, at most `count`.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn maybe_foreign(client: &Client, count: u32) -> Result<Vec<MaybeForeign>, Error> {
    let rows = client.query(sql::foreign::MAYBE_FOREIGN, &[&i64::from(count)]).await?;
    Ok(rows.iter().map(|row| MaybeForeign { sale: row.get(0), epoch: from_sql(row.get(1)) }).collect())
}

impl Vault {
    /// Puts the events of a sale aside that wait of epochs later than `newest`, where Redis is, and than PostgreSQL has
    /// begun. Gives how many.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble. Also [`Error::Paused`]: nothing was written.
    pub async fn put_foreign_aside(&mut self, sale: &str, newest: u64) -> Result<u64, Error> {
        let transaction = self.client.transaction().await?;
        writing::begin(&transaction, &self.statements).await?;
        // The transaction that begins an epoch holds them all.
        transaction.execute(sql::recovery::LOCK_EPOCHS_OF_SALE, &[&sale]).await?;
        let begun = transaction.query_opt(sql::quarantine::NEWEST_EPOCH, &[&sale]).await?;
        let begun = begun.map_or(0, |row| from_sql(row.get(0)));
        let count = put_aside(&transaction, sale, newest.max(begun)).await?;
        transaction.commit().await?;
        Ok(count)
    }
}

/// Moves what waits of epochs later than `newest` into the quarantine. Gives how many events.
pub(crate) async fn put_aside(
    transaction: &Transaction<'_>,
    sale: &str,
    newest: u64,
) -> Result<u64, tokio_postgres::Error> {
    let count = transaction.execute(sql::foreign::PUT_ASIDE, &[&sale, &to_sql(newest)]).await?;
    if count > 0 {
        tracing::error!(
            sale,
            newest,
            events = count,
            "events of an epoch that nobody has begun went to the quarantine"
        );
        QUARANTINED.add(usize::try_from(count).unwrap_or(usize::MAX));
    }
    Ok(count)
}
