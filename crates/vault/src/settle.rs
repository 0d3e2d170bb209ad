//! Writes a run of events, and finds those in it that PostgreSQL refuses.

use tokio_postgres::Transaction;

use crate::apply::apply;
use crate::content::Deltas;
use crate::error::Error;
use crate::fold::fold;
use crate::refusal::{Refusal, record};
use crate::statements::Statements;
use crate::step::Step;

/// Applies events in their order, and gives what that changed in the content. As a rule that is one fold and one
/// attempt. Where the attempt is refused it is undone, and each half tried by itself, down to the events that are
/// refused alone: those are written down as such.
pub(crate) async fn settle<'a>(
    transaction: &mut Transaction<'_>,
    statements: &Statements,
    steps: &[Step<'a>],
) -> Result<Deltas<'a>, Error> {
    let (mut parts, mut deltas) = (vec![steps], Deltas::default());
    while let Some(part) = parts.pop() {
        match (try_part(transaction, statements, part).await?, part) {
            (Ok(change), _) => deltas.extend(change),
            (Err(refusal), [step]) => record(transaction, step, refusal).await?,
            (Err(_), _) => {
                let (first, second) = part.split_at(part.len() / 2);
                parts.extend([second, first]);
            }
        }
    }
    Ok(deltas)
}

/// Applies all of `part`, or, where PostgreSQL refuses it, nothing. The epochs of the events are locked, and have what
/// was changed in the content from then on.
pub(crate) async fn attempt(
    transaction: &mut Transaction<'_>,
    statements: &Statements,
    part: &[Step<'_>],
) -> Result<Option<Refusal>, Error> {
    match try_part(transaction, statements, part).await? {
        Ok(deltas) => deltas.write(transaction, statements, 0).await?,
        Err(refusal) => return Ok(Some(refusal)),
    }
    Ok(None)
}

/// What was changed in the content, or why nothing was.
async fn try_part<'a>(
    transaction: &mut Transaction<'_>,
    statements: &Statements,
    part: &[Step<'a>],
) -> Result<Result<Deltas<'a>, Refusal>, Error> {
    if part.is_empty() {
        return Ok(Ok(Deltas::default()));
    }
    let savepoint = transaction.savepoint("part").await?;
    let refusal = match apply(&savepoint, statements, &fold(part)).await {
        Ok(Some(deltas)) => {
            savepoint.commit().await?;
            return Ok(Ok(deltas));
        }
        Ok(None) => Refusal::UNKNOWN_SKU,
        Err(error) => Refusal::of(&error).ok_or(error)?,
    };
    savepoint.rollback().await?;
    Ok(Err(refusal))
}
