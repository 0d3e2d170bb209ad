//! Messages that cannot be read, or that no authorised process published: they go to the quarantine.

use flash_metrics::process::{QUARANTINED, UNSIGNED_DROPPED};
use tokio_postgres::Transaction;

use crate::number::to_sql;
use crate::sql;

/// Unsigned messages that the quarantine keeps at a time, as evidence for an operator. Anyone who can publish can send
/// any number of them, so the rest is only counted. Nothing is lost with it: the journals have every event.
pub const UNSIGNED_KEPT_MAX: u64 = 1_000;

/// An unreadable message.
#[derive(Debug, Clone)]
pub struct Unreadable<'a> {
    /// What is wrong with it.
    pub reason: String,
    /// All of it.
    pub body: &'a [u8],
    /// Not: its publisher is not authorised. It is never replayed, and to discard it rejects no reservation: what Redis
    /// has decided comes from the journal.
    pub is_authentic: bool,
}

/// Writes them down, each body once.
pub(crate) async fn put_aside(
    transaction: &Transaction<'_>,
    unreadable: &[Unreadable<'_>],
) -> Result<(), tokio_postgres::Error> {
    for Unreadable { reason, body, .. } in unreadable.iter().filter(|one| one.is_authentic) {
        let added = transaction.execute(sql::quarantine::QUARANTINE_BODY, &[reason, body, &true]).await?;
        QUARANTINED.add(usize::from(added > 0));
    }
    let unsigned = unreadable.iter().filter(|one| !one.is_authentic);
    put_unsigned_aside(transaction, unsigned.collect()).await
}

/// As many as there is room for. Several syncers at once may keep one batch each beyond the limit.
async fn put_unsigned_aside(
    transaction: &Transaction<'_>,
    unsigned: Vec<&Unreadable<'_>>,
) -> Result<(), tokio_postgres::Error> {
    if unsigned.is_empty() {
        return Ok(());
    }
    let row = transaction.query_one(sql::quarantine::UNSIGNED_WAITING, &[&to_sql(UNSIGNED_KEPT_MAX)]).await?;
    let waiting = usize::try_from(row.get::<_, i64>(0)).unwrap_or(usize::MAX);
    let room = usize::try_from(UNSIGNED_KEPT_MAX).unwrap_or(usize::MAX).saturating_sub(waiting);
    let (kept, dropped) = unsigned.split_at(room.min(unsigned.len()));
    for Unreadable { reason, body, .. } in kept {
        let added = transaction.execute(sql::quarantine::QUARANTINE_BODY, &[reason, body, &false]).await?;
        QUARANTINED.add(usize::from(added > 0));
    }
    UNSIGNED_DROPPED.add(dropped.len());
    Ok(())
}
