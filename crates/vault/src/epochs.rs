//! How far each epoch of a sale is written: a row that the writer holds locked.

use std::collections::{BTreeMap, HashMap};

use tokio_postgres::Transaction;
use tokio_postgres::types::ToSql;

use crate::content::Deltas;
use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::plan::{Plan, plan};
use crate::statements::Statements;
use crate::step::Step;
use crate::writing;

/// The events at hand for each sale and epoch.
pub(crate) type Batch<'a> = BTreeMap<(&'a str, u64), Vec<Step<'a>>>;

/// One epoch, locked.
#[derive(Debug)]
pub(crate) struct Epoch<'a> {
    pub(crate) sale: &'a str,
    pub(crate) epoch: u64,
    /// Every event up to here is written.
    pub(crate) head: u64,
    /// The first event that is kept because it came before its turn.
    pub(crate) early_from: Option<u64>,
    /// Its last event, if it is over.
    pub(crate) sealed_at: Option<u64>,
    /// Not, where a message names a later epoch than PostgreSQL has begun. It is of another Flash, or PostgreSQL has
    /// forgotten the epoch. Its events wait until a recovery, or a look at Redis, tells which.
    pub(crate) is_begun: bool,
    pub(crate) steps: Vec<Step<'a>>,
}

impl<'a> Epoch<'a> {
    /// What to do with the events at hand.
    pub(crate) fn plan(&self) -> Plan<'a> {
        let plan = plan(self.head, self.steps.clone());
        if self.is_begun {
            return plan;
        }
        let early = plan.run.into_iter().chain(plan.early).collect();
        Plan { head: self.head, run: Vec::new(), early, passed: plan.passed }
    }
}

/// Begins to write, and locks every epoch of the batch, always in the same order.
///
/// # Errors
/// Also [`Error::Paused`].
pub(crate) async fn lock<'a>(
    transaction: &Transaction<'_>,
    statements: &Statements,
    batch: &Batch<'a>,
) -> Result<Vec<Epoch<'a>>, Error> {
    let sales: Vec<_> = batch.keys().map(|key| key.0).collect();
    let numbers: Vec<_> = batch.keys().map(|key| to_sql(key.1)).collect();
    let touched: [&(dyn ToSql + Sync); 2] = [&sales, &numbers];
    // On their way together, carried out in this order.
    let (may_write, _, _, rows) = tokio::try_join!(
        biased;
        writing::ask(transaction, statements),
        transaction.execute(&statements.begin_epochs, &touched),
        transaction.execute(&statements.lock_epochs, &touched),
        transaction.query(&statements.read_epochs, &touched),
    )?;
    writing::allowed(&may_write)?;
    let mut locked = HashMap::with_capacity(rows.len());
    for row in &rows {
        let key = (row.get::<_, &str>(0), from_sql(row.get(1)));
        let optional = |column: usize| row.get::<_, Option<i64>>(column).map(from_sql);
        locked.insert(key, (from_sql(row.get(2)), optional(3), optional(4), row.get(5)));
    }
    let epoch = |(&(sale, epoch), steps): (&(&'a str, u64), &Vec<Step<'a>>)| {
        let &(head, early_from, sealed_at, is_begun) = locked.get(&(sale, epoch))?;
        Some(Epoch { sale, epoch, head, early_from, sealed_at, is_begun, steps: steps.clone() })
    };
    Ok(batch.iter().filter_map(epoch).collect())
}

/// Moves the heads to where the plans end, and the content with them.
pub(crate) async fn advance(
    transaction: &Transaction<'_>,
    statements: &Statements,
    epochs: &[Epoch<'_>],
    plans: &[Plan<'_>],
    deltas: &Deltas<'_>,
) -> Result<(), tokio_postgres::Error> {
    let moved = || epochs.iter().zip(plans).filter(|(epoch, plan)| plan.head > epoch.head);
    if moved().next().is_none() {
        return Ok(());
    }
    let sales: Vec<_> = moved().map(|(epoch, _)| epoch.sale).collect();
    let numbers: Vec<_> = moved().map(|(epoch, _)| to_sql(epoch.epoch)).collect();
    let heads: Vec<_> = moved().map(|(_, plan)| to_sql(plan.head)).collect();
    let changes: Vec<_> = moved().map(|(epoch, _)| deltas.of(epoch.sale, epoch.epoch)).collect();
    let changed: Vec<_> = changes.iter().map(|change| to_sql(change.digest)).collect();
    let added: Vec<_> = changes.iter().map(|change| change.reservations).collect();
    transaction.execute(&statements.advance_epochs, &[&sales, &numbers, &heads, &changed, &added]).await?;
    Ok(())
}
