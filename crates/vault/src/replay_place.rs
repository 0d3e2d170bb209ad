//! Where an event belongs that is written late, once nothing else can be written in its sale.

use tokio_postgres::Transaction;

use crate::epochs::{self, Batch};
use crate::error::Error;
use crate::late;
use crate::number::from_sql;
use crate::sql;
use crate::statements::Statements;
use crate::step::Step;

/// Where an event belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Its epoch goes on, and is written beyond it.
    Open,
    /// Its epoch is over, and is written beyond it.
    Sealed,
    /// Its epoch is over, and it counted as lost, or came from beyond the end.
    Lost,
    /// That is unknown now, and why.
    Unknown(&'static str),
}

/// Locks the event's epoch and the sale's newest one, in order: whatever ends the reservation is an event of one of the
/// two.
pub(crate) async fn place(
    transaction: &Transaction<'_>,
    statements: &Statements,
    step: Step<'_>,
) -> Result<Place, Error> {
    let newest = newest(transaction, step.sale).await?;
    let mut batch = Batch::from([((step.sale, step.epoch), vec![step])]);
    if let Some(newest) = newest {
        batch.entry((step.sale, newest)).or_default();
    }
    let mut locked = epochs::lock(transaction, statements, &batch).await?;
    if self::newest(transaction, step.sale).await? != newest {
        return Ok(Place::Unknown("the sale began its next epoch meanwhile: try again"));
    }
    let Some(epoch) = locked.iter_mut().find(|epoch| epoch.epoch == step.epoch) else {
        return Ok(Place::Unknown("its epoch is not known"));
    };
    if !late::take(transaction, epoch).await?.is_empty() {
        return Ok(Place::Lost);
    }
    if epoch.head < step.event.seq {
        return Ok(Place::Unknown("its turn has not come"));
    }
    Ok(if epoch.sealed_at.is_some() { Place::Sealed } else { Place::Open })
}

async fn newest(transaction: &Transaction<'_>, sale: &str) -> Result<Option<u64>, tokio_postgres::Error> {
    let row = transaction.query_opt(sql::quarantine::NEWEST_EPOCH, &[&sale]).await?;
    Ok(row.map(|row| from_sql(row.get(0))))
}
