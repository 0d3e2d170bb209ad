//! Writes a run of events, and finds those in it that PostgreSQL refuses.

use tokio_postgres::Transaction;

use crate::apply::apply;
use crate::error::Error;
use crate::fold::fold;
use crate::refusal::{Refusal, record};
use crate::statements::Statements;
use crate::step::Step;

/// Applies events in their order. As a rule that is one fold and one attempt. Where the attempt is refused it is undone,
/// and each half tried by itself, down to the events that are refused alone: those are written down as such.
pub(crate) async fn settle(
    transaction: &mut Transaction<'_>,
    statements: &Statements,
    steps: &[Step<'_>],
) -> Result<(), Error> {
    let mut parts = vec![steps];
    while let Some(part) = parts.pop() {
        match (attempt(transaction, statements, part).await?, part) {
            (None, _) => {}
            (Some(refusal), [step]) => record(transaction, step, refusal).await?,
            (Some(_), _) => {
                let (first, second) = part.split_at(part.len() / 2);
                parts.extend([second, first]);
            }
        }
    }
    Ok(())
}

/// Applies all of `part`, or, where PostgreSQL refuses it, nothing.
pub(crate) async fn attempt(
    transaction: &mut Transaction<'_>,
    statements: &Statements,
    part: &[Step<'_>],
) -> Result<Option<Refusal>, Error> {
    if part.is_empty() {
        return Ok(None);
    }
    let savepoint = transaction.savepoint("part").await?;
    let refusal = match apply(&savepoint, statements, &fold(part)).await {
        Ok(true) => {
            savepoint.commit().await?;
            return Ok(None);
        }
        Ok(false) => Refusal::UNKNOWN_SKU,
        Err(error) => Refusal::of(&error).ok_or(error)?,
    };
    savepoint.rollback().await?;
    Ok(Some(refusal))
}
