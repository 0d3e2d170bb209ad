//! Puts right what PostgreSQL's own rows prove wrong, and writes down every repair.

use tokio_postgres::{Client, Transaction};

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::sql;

/// A counter that was not the sum of its orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterRepair {
    /// The SKU.
    pub sku: String,
    /// What the counter said.
    pub sold: u64,
    /// What active orders have.
    pub ordered: u64,
    /// Units on sale. A counter cannot say more than this: where orders have more, it stays as it is.
    pub total: u64,
}

impl CounterRepair {
    /// Whether the counter can say the truth.
    #[must_use]
    pub const fn is_possible(&self) -> bool {
        self.ordered <= self.total
    }
}

/// Counts the orders of a sale again, and sets the counters that were wrong, unless it is only a `dry_run`. What its
/// epochs say of its content is counted again when it is next needed. The transaction that writes orders of the sale
/// waits meanwhile: they change a counter before their orders can be seen.
///
/// # Errors
/// When PostgreSQL is in trouble: nothing, or all of it, was changed. It may be repeated.
pub async fn repair_counters(
    client: &mut Client,
    sale: &str,
    by: &str,
    dry_run: bool,
) -> Result<Vec<CounterRepair>, Error> {
    let transaction = client.transaction().await?;
    if !dry_run {
        // As a writer: the epochs first.
        transaction.execute(sql::reconcile::FORGET_CONTENT, &[&sale]).await?;
    }
    transaction.execute(sql::reconcile::LOCK_SKUS, &[&sale]).await?;
    let mut repairs = Vec::new();
    // A statement of its own: it sees what the one that held the lock has written.
    for row in transaction.query(sql::reconcile::TAKEN_UNITS, &[&sale]).await? {
        let Some(total) = row.get::<_, Option<i64>>(1) else { continue };
        let ordered = from_sql(row.get(3)) + from_sql(row.get(4));
        let repair = CounterRepair { sku: row.get(0), sold: from_sql(row.get(2)), ordered, total: from_sql(total) };
        if repair.sold != ordered {
            repairs.push(repair);
        }
    }
    if dry_run {
        transaction.rollback().await?;
        return Ok(repairs);
    }
    for repair in repairs.iter().filter(|repair| repair.is_possible()) {
        let CounterRepair { sku, sold, ordered, .. } = repair;
        transaction.execute(sql::reconcile::SET_SOLD, &[&sale, sku, &to_sql(*ordered)]).await?;
        log(&transaction, sale, "counter", &format!("SKU {sku}: sold was {sold}, active orders have {ordered}"), by)
            .await?;
    }
    transaction.commit().await?;
    Ok(repairs)
}

/// Writes down that a sale is about to be fenced, and why.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn log_fence(client: &mut Client, sale: &str, why: &str, by: &str) -> Result<(), Error> {
    let transaction = client.transaction().await?;
    log(&transaction, sale, "fence", why, by).await?;
    transaction.commit().await?;
    Ok(())
}

async fn log(
    transaction: &Transaction<'_>,
    sale: &str,
    kind: &str,
    detail: &str,
    by: &str,
) -> Result<(), tokio_postgres::Error> {
    transaction.execute(sql::reconcile::LOG_REPAIR, &[&sale, &kind, &detail, &by]).await?;
    Ok(())
}
