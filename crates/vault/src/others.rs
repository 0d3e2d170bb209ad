//! One number, two buyers: a number that an epoch gave twice, because Redis forgot the first time. The second is no
//! repeat.

use std::collections::HashMap;

use flash_wire::Message;
use flash_wire::message::MessageChange;
use tokio_postgres::Transaction;

use crate::epochs::Epoch;
use crate::error::Error;
use crate::number::to_sql;
use crate::plan::Plan;
use crate::refusal::{Refusal, record};
use crate::sql;
use crate::step::Step;

/// Finds the reservations among events that were passed over of which the number is another buyer's, and writes them
/// down as refused. It asks nothing where no reservation was passed over.
pub(crate) async fn refuse<'a>(transaction: &Transaction<'_>, plans: &[Plan<'a>]) -> Result<Vec<Step<'a>>, Error> {
    let passed = || plans.iter().flat_map(|plan| plan.passed.iter().map(move |step| (plan, step)));
    let again: Vec<_> = passed().filter_map(|(plan, step)| Some((plan, *step, buyer(step)?))).collect();
    if again.is_empty() {
        return Ok(Vec::new());
    }
    let (waiting, written): (Vec<_>, Vec<_>) =
        again.into_iter().partition(|(plan, step, _)| step.event.seq > plan.head);
    let mut others = beside_orders(transaction, &written).await?;
    for (plan, step, name) in waiting {
        let early = plan.early.iter().find(|early| early.event.seq == step.event.seq);
        if early.and_then(buyer).is_some_and(|kept| kept != name) {
            others.push(step);
        }
    }
    for step in &others {
        record(transaction, step, Refusal::ID_TAKEN).await?;
    }
    Ok(others)
}

/// Those of reservations that are another buyer's order.
async fn beside_orders<'a>(
    transaction: &Transaction<'_>,
    again: &[(&Plan<'a>, Step<'a>, &'a str)],
) -> Result<Vec<Step<'a>>, tokio_postgres::Error> {
    let sales: Vec<_> = again.iter().map(|(_, step, _)| step.sale).collect();
    let epochs: Vec<_> = again.iter().map(|(_, step, _)| to_sql(step.epoch)).collect();
    let ids: Vec<_> = again.iter().map(|(_, step, _)| to_sql(step.event.seq)).collect();
    let buyers: Vec<_> = again.iter().map(|(.., buyer)| *buyer).collect();
    let rows = transaction.query(sql::events::OTHERS_ORDERS, &[&sales, &epochs, &ids, &buyers]).await?;
    let places = rows.iter().filter_map(|row| usize::try_from(row.get::<_, i64>(0) - 1).ok());
    Ok(places.filter_map(|place| again.get(place)).map(|(_, step, _)| *step).collect())
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
    let kept = messages.iter().flat_map(Step::of).filter_map(|step| Some((step.event.seq, buyer(&step)?.to_owned())));
    let kept: HashMap<_, _> = kept.collect();
    for step in &plan.early {
        let other = kept.get(&step.event.seq);
        if other.zip(buyer(step)).is_some_and(|(kept, buyer)| kept != buyer) {
            record(transaction, step, Refusal::ID_TAKEN).await?;
        }
    }
    Ok(())
}

fn buyer<'a>(step: &Step<'a>) -> Option<&'a str> {
    match &step.event.change {
        MessageChange::Reserved(reserved) => Some(&reserved.buyer),
        _ => None,
    }
}
