//! One number, two contents: a number that an epoch gave twice, because Redis forgot the first time, or that somebody
//! made up. The second is no repeat. A reservation of another buyer is refused, for that buyer may have been answered.
//! Anything else goes to the quarantine, where it is never replayed.

use std::collections::HashMap;

use flash_metrics::process::QUARANTINED;
use flash_wire::Message;
use flash_wire::message::{MessageChange, MessageReserved};
use tokio_postgres::Transaction;
use tokio_postgres::types::{Json, ToSql};

use crate::epochs::Epoch;
use crate::error::Error;
use crate::number::to_sql;
use crate::plan::Plan;
use crate::refusal::{Refusal, record};
use crate::sql;
use crate::step::Step;

/// How an event differs from the first one of its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unlike {
    /// Both are reservations, of different buyers.
    Buyer,
    /// In anything else.
    Content,
}

/// Finds the events among those that were passed over that are no repeats. Gives the reservations that are refused.
pub(crate) async fn refuse<'a>(transaction: &Transaction<'_>, plans: &[Plan<'a>]) -> Result<Vec<Step<'a>>, Error> {
    let passed: Vec<_> = plans.iter().flat_map(|plan| plan.passed.iter().map(move |step| (plan, *step))).collect();
    if passed.is_empty() {
        return Ok(Vec::new());
    }
    let (waiting, written): (Vec<_>, Vec<_>) = passed.into_iter().partition(|(plan, step)| step.event.seq > plan.head);
    let written: Vec<_> = written.into_iter().map(|(_, step)| step).collect();
    let mut others = beside_orders(transaction, &written).await?;
    for (plan, step) in waiting {
        let early = plan.early.iter().find(|early| early.event.seq == step.event.seq);
        let differs = early.and_then(|early| unlike(&early.event.change, &step.event.change));
        others.extend(differs.map(|unlike| (unlike, step)));
    }
    put_aside(transaction, &others).await?;
    Ok(others.into_iter().filter(|(unlike, _)| *unlike == Unlike::Buyer).map(|(_, step)| step).collect())
}

/// Those of written events that are not what made the order of their number.
async fn beside_orders<'a>(
    transaction: &Transaction<'_>,
    again: &[Step<'a>],
) -> Result<Vec<(Unlike, Step<'a>)>, tokio_postgres::Error> {
    let sales: Vec<_> = again.iter().map(|step| step.sale).collect();
    let epochs: Vec<_> = again.iter().map(|step| to_sql(step.epoch)).collect();
    let ids: Vec<_> = again.iter().map(|step| to_sql(step.event.seq)).collect();
    let reserved: Vec<_> = again.iter().map(|step| reservation(&step.event.change)).collect();
    let buyers: Vec<_> = reserved.iter().map(|reserved| reserved.map(|reserved| &*reserved.buyer)).collect();
    let slots: Vec<_> = reserved.iter().map(|reserved| reserved.map(|reserved| i16::from(reserved.slot))).collect();
    let items: Vec<_> = reserved.iter().map(|reserved| reserved.map(|reserved| Json(&reserved.items))).collect();
    let values: [&(dyn ToSql + Sync); 6] = [&sales, &epochs, &ids, &buyers, &slots, &items];
    let rows = transaction.query(sql::events::UNLIKE_ORDERS, &values).await?;
    let other = |row: &tokio_postgres::Row| {
        let step = usize::try_from(row.get::<_, i64>(0) - 1).ok().and_then(|place| again.get(place))?;
        Some((if row.get(1) { Unlike::Buyer } else { Unlike::Content }, *step))
    };
    Ok(rows.iter().filter_map(other).collect())
}

/// As [`refuse`], where an event was not kept for one with its number was kept before.
pub(crate) async fn refuse_beside_kept(
    transaction: &Transaction<'_>,
    epoch: &Epoch<'_>,
    plan: &Plan<'_>,
) -> Result<(), tokio_postgres::Error> {
    let seqs: Vec<_> = plan.early.iter().map(|step| to_sql(step.event.seq)).collect();
    let rows = transaction.query(sql::events::KEPT_EVENTS, &[&epoch.sale, &to_sql(epoch.epoch), &seqs]).await?;
    let messages: Vec<_> =
        rows.iter().filter_map(|row| Message::decode(row.get::<_, &str>(0).as_bytes()).ok()).collect();
    let kept = messages.iter().flat_map(|message| &message.events).map(|event| (event.seq, &event.change));
    let kept: HashMap<_, _> = kept.collect();
    let differs = |step: &Step| kept.get(&step.event.seq).and_then(|first| unlike(first, &step.event.change));
    let others: Vec<_> = plan.early.iter().filter_map(|step| Some((differs(step)?, *step))).collect();
    put_aside(transaction, &others).await
}

/// Writes them down: that may be repeated.
async fn put_aside(transaction: &Transaction<'_>, others: &[(Unlike, Step<'_>)]) -> Result<(), tokio_postgres::Error> {
    for (unlike, step) in others {
        match unlike {
            Unlike::Buyer => record(transaction, step, Refusal::ID_TAKEN).await?,
            Unlike::Content => contradicts(transaction, step).await?,
        }
    }
    Ok(())
}

async fn contradicts(transaction: &Transaction<'_>, step: &Step<'_>) -> Result<(), tokio_postgres::Error> {
    let Step { sale, epoch, .. } = *step;
    let seq = step.event.seq;
    tracing::error!(sale, epoch, seq, "an event has the number of another one, and went to the quarantine");
    let reason = format!("event {seq} of epoch {epoch} of the sale {sale} is known with other content");
    let values: [&(dyn ToSql + Sync); 3] = [&reason, &step.alone().into_bytes(), &false];
    QUARANTINED.add(usize::from(transaction.execute(sql::quarantine::QUARANTINE_BODY, &values).await? > 0));
    Ok(())
}

fn unlike(first: &MessageChange<'_>, again: &MessageChange<'_>) -> Option<Unlike> {
    match (reservation(first), reservation(again)) {
        (Some(first), Some(again)) if first.buyer != again.buyer => Some(Unlike::Buyer),
        _ => (first != again).then_some(Unlike::Content),
    }
}

const fn reservation<'e, 'a>(change: &'e MessageChange<'a>) -> Option<&'e MessageReserved<'a>> {
    match change {
        MessageChange::Reserved(reserved) => Some(reserved),
        _ => None,
    }
}
