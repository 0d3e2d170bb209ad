//! Events that come when their epoch is over: the sale went on without them, so they are refused, and written down as such.

use tokio_postgres::Transaction;

use crate::epochs::Epoch;
use crate::number::{from_sql, to_sql};
use crate::refusal::{Refusal, record};
use crate::sql;
use crate::step::Step;

/// Takes the events out that a sealed epoch has no place for: those beyond its end, and those that counted as lost when it
/// was sealed.
pub(crate) async fn take<'a>(
    transaction: &Transaction<'_>,
    epoch: &mut Epoch<'a>,
) -> Result<Vec<Step<'a>>, tokio_postgres::Error> {
    let Some(sealed_at) = epoch.sealed_at else { return Ok(Vec::new()) };
    let gaps = transaction.query(sql::events::GAPS, &[&epoch.sale, &to_sql(epoch.epoch)]).await?;
    let gaps: Vec<_> = gaps.iter().map(|row| from_sql(row.get(0))..=from_sql(row.get(1))).collect();
    let is_lost = |seq| seq > sealed_at || gaps.iter().any(|gap| gap.contains(&seq));
    let (late, rest) = epoch.steps.drain(..).partition(|step| is_lost(step.event.seq));
    epoch.steps = rest;
    Ok(late)
}

/// Writes them down. That may be repeated.
pub(crate) async fn refuse(transaction: &Transaction<'_>, late: &[Step<'_>]) -> Result<(), tokio_postgres::Error> {
    for step in late {
        record(transaction, step, Refusal::LATE).await?;
    }
    Ok(())
}
