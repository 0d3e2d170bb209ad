//! Events that came before their turn: kept until the gap before them closes.

use tokio_postgres::Transaction;

use crate::epochs::Epoch;
use crate::number::to_sql;
use crate::others;
use crate::plan::Plan;
use crate::sql;
use crate::step::Step;

/// Kept events of one epoch that one transaction takes up again.
pub const EARLY_EVENTS_MAX: usize = 10_000;

/// The kept events whose turn comes with the events at hand, each with its epoch's place in `epochs`.
pub(crate) async fn read(
    transaction: &Transaction<'_>,
    epochs: &[Epoch<'_>],
) -> Result<Vec<(usize, String)>, tokio_postgres::Error> {
    let mut kept = Vec::new();
    for (place, epoch) in epochs.iter().enumerate() {
        let Some(first) = epoch.early_from else { continue };
        if !epoch.is_begun || first > epoch.plan().head + 1 {
            continue;
        }
        let (number, head, limit) = (to_sql(epoch.epoch), to_sql(epoch.head), to_sql(EARLY_EVENTS_MAX as u64));
        let rows = transaction.query(sql::events::READ_EARLY, &[&epoch.sale, &number, &head, &limit]).await?;
        kept.extend(rows.iter().map(|row| (place, row.get(0))));
    }
    Ok(kept)
}

/// Keeps what a plan leaves for later, and forgets what it has taken up.
pub(crate) async fn update(
    transaction: &Transaction<'_>,
    epoch: &Epoch<'_>,
    plan: &Plan<'_>,
) -> Result<(), tokio_postgres::Error> {
    let number = to_sql(epoch.epoch);
    if !plan.early.is_empty() {
        let seqs: Vec<_> = plan.early.iter().map(|step| to_sql(step.event.seq)).collect();
        let events: Vec<_> = plan.early.iter().map(Step::alone).collect();
        let kept = transaction.query(sql::events::KEEP_EARLY, &[&epoch.sale, &number, &seqs, &events]).await?;
        if kept.len() < seqs.len() {
            others::refuse_beside_kept(transaction, epoch, plan).await?;
        }
    }
    if epoch.early_from.is_some_and(|first| first <= plan.head) {
        transaction.execute(sql::events::FORGET_EARLY, &[&epoch.sale, &number, &to_sql(plan.head)]).await?;
    }
    Ok(())
}
