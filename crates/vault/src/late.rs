//! Events that come when their epoch is over: the sale went on without them, so they are refused, and written down as
//! such. Those of which a restoring has written the outcome from Redis already are passed over.

use std::collections::HashSet;

use flash_wire::message::MessageChange;
use tokio_postgres::Transaction;

use crate::epochs::Epoch;
use crate::number::{from_sql, to_sql};
use crate::refusal::{Refusal, record};
use crate::sql;
use crate::step::Step;

/// Takes the events out that a sealed epoch has no place for: those beyond its end, and those that counted as lost when
/// it was sealed.
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
    not_restored(transaction, (epoch.sale, epoch.epoch), late).await
}

/// Leaves out what a restoring has settled: a reservation that is its buyer's order, be it by the restoring of a later
/// epoch, and every event up to where Redis was that makes no reservation, since orders, totals and the closed flag are
/// what came of it.
async fn not_restored<'a>(
    transaction: &Transaction<'_>,
    (sale, epoch): (&str, u64),
    late: Vec<Step<'a>>,
) -> Result<Vec<Step<'a>>, tokio_postgres::Error> {
    if late.is_empty() {
        return Ok(late);
    }
    let restored = transaction.query_one(sql::restore::RESTORED_TO, &[&sale, &to_sql(epoch)]).await?;
    let restored_to = restored.get::<_, Option<i64>>(0).map(from_sql);
    let ids: Vec<_> = late.iter().map(|step| to_sql(step.event.seq)).collect();
    let orders = transaction.query(sql::quarantine::ORDER_STATES, &[&sale, &ids]).await?;
    let orders: HashSet<(u64, &str)> = orders.iter().map(|order| (from_sql(order.get(0)), order.get(1))).collect();
    let is_settled = |step: &Step| match &step.event.change {
        MessageChange::Reserved(reserved) => orders.contains(&(step.event.seq, &*reserved.buyer)),
        _ => restored_to.is_some_and(|last| step.event.seq <= last),
    };
    Ok(late.into_iter().filter(|step| !is_settled(step)).collect())
}

/// Writes them down. That may be repeated.
pub(crate) async fn refuse(transaction: &Transaction<'_>, late: &[Step<'_>]) -> Result<(), tokio_postgres::Error> {
    for step in late {
        record(transaction, step, Refusal::LATE).await?;
    }
    Ok(())
}
