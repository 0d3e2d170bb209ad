//! What the constraints refuse, and what cannot be written.

use flash_metrics::process::{QUARANTINED, REJECTIONS};
use flash_wire::message::MessageChange;
use tokio_postgres::Transaction;
use tokio_postgres::types::ToSql;

use crate::number::to_sql;
use crate::sql;
use crate::step::Step;

/// Why PostgreSQL will never take an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A constraint guards against it; the reason is a code.
    Rejected(&'static str),
    /// Its values are not such as PostgreSQL can hold, or contradict its rows.
    Unwritable(String),
}

impl Refusal {
    /// The SKU is not one of the sale's.
    pub(crate) const UNKNOWN_SKU: Self = Self::Rejected("unknown_sku");

    /// The id is another buyer's.
    pub(crate) const ID_TAKEN: Self = Self::Rejected("id_taken");

    /// What PostgreSQL lost, it has no room for any more.
    pub(crate) const NOT_RESTORED: Self = Self::Rejected("not_restored");

    /// The sale has gone on in a later epoch.
    pub(crate) const LATE: Self = Self::Rejected("late");

    /// An operator decided that it is not to be written.
    pub(crate) const DISCARDED: Self = Self::Rejected("discarded");

    /// A refusal, if the error is about what was to be written, and would be the same the next time.
    pub(crate) fn of(error: &tokio_postgres::Error) -> Option<Self> {
        let error = error.as_db_error()?;
        let reason = match error.constraint() {
            Some("skus_sold_within_total") => Some("oversold"),
            Some("orders_one_active_per_slot") => Some("second_order"),
            Some("orders_pkey") => Some("id_taken"),
            _ => None,
        };
        if let Some(reason) = reason {
            return Some(Self::Rejected(reason));
        }
        // By the class of the SQLSTATE: data, integrity constraint, program limit.
        let lasting = ["22", "23", "54"].iter().any(|class| error.code().code().starts_with(class));
        lasting.then(|| Self::Unwritable(error.to_string()))
    }
}

/// Writes down an event instead of what it wanted: a reservation that was rejected, or anything else.
pub(crate) async fn record(
    transaction: &Transaction<'_>,
    step: &Step<'_>,
    refusal: Refusal,
) -> Result<(), tokio_postgres::Error> {
    let (epoch, seq) = (to_sql(step.epoch), to_sql(step.event.seq));
    let body = step.alone();
    let reason = match (&step.event.change, refusal) {
        (MessageChange::Reserved(reserved), Refusal::Rejected(reason)) => {
            tracing::error!(sale = step.sale, epoch, id = seq, reason, "a reservation was rejected by the vault");
            let values: [&(dyn ToSql + Sync); 6] = [&step.sale, &epoch, &seq, &reserved.buyer, &reason, &body];
            REJECTIONS.add(usize::from(transaction.execute(sql::events::REJECT, &values).await? > 0));
            return Ok(());
        }
        (_, Refusal::Rejected(reason)) => reason.to_owned(),
        (_, Refusal::Unwritable(reason)) => reason,
    };
    put_aside(transaction, (step.sale, step.epoch, step.event.seq), &reason, body.as_bytes()).await
}

/// Puts an event into the quarantine: its sale, epoch and seq, and the message that carries it.
pub(crate) async fn put_aside(
    transaction: &Transaction<'_>,
    (sale, epoch, seq): (&str, u64, u64),
    reason: &str,
    body: &[u8],
) -> Result<(), tokio_postgres::Error> {
    // What PostgreSQL adds on further lines holds the row, and so the buyer: that is for the table, not for logs.
    let said = reason.lines().next().unwrap_or_default();
    tracing::error!(sale, epoch, seq, reason = said, "an event that cannot be written went to the quarantine");
    let values: [&(dyn ToSql + Sync); 5] = [&sale, &to_sql(epoch), &to_sql(seq), &reason, &body];
    QUARANTINED.add(usize::from(transaction.execute(sql::quarantine::QUARANTINE, &values).await? > 0));
    Ok(())
}
