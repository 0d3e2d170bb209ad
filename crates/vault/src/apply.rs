//! Applies folded changes: a few statements, whatever their number, sent together.

use flash_wire::State;
use flash_wire::message::{MessageItem, MessageTerms};
use tokio_postgres::types::Json;
use tokio_postgres::{Row, Transaction};

use crate::content::{Deltas, order_element};
use crate::fold::{Changes, Ended, MadeOrder};
use crate::number::to_sql;
use crate::reserved::{NewOrder, make_orders};
use crate::sale::Extras;
use crate::sql;
use crate::statements::Statements;

/// Writes the changes, and gives what they changed in the content. None: an order is for a SKU that its sale does not
/// have.
///
/// The statements are on their way before the first is answered; PostgreSQL carries them out in this order, and none
/// after one that fails.
pub(crate) async fn apply<'a>(
    transaction: &Transaction<'_>,
    statements: &Statements,
    changes: &Changes<'a>,
) -> Result<Option<Deltas<'a>>, tokio_postgres::Error> {
    for (sale, epoch, terms) in &changes.opened {
        open(transaction, sale, *epoch, terms).await?;
    }
    for (sale, closed) in &changes.closed {
        transaction.execute(sql::sales::CLOSE_SALE, &[sale, closed]).await?;
    }
    let ending = end_and_count(transaction, statements, changes);
    let (ended, ()) = tokio::try_join!(biased; ending, make(transaction, statements, &changes.made))?;
    let mut deltas = Deltas::default();
    for MadeOrder { step, reserved, state, .. } in changes.made.iter().filter(|made| made.state.is_active()) {
        let element = order_element(step.event.seq, &reserved.buyer, &reserved.items, *state);
        deltas.made((step.sale, step.epoch), element);
    }
    for row in &ended {
        let Some(place) = row.get::<_, Option<i64>>(0) else { return Ok(None) };
        let Some(ended) = usize::try_from(place - 1).ok().and_then(|place| changes.ended.get(place)) else { continue };
        let Json(items): Json<Vec<MessageItem>> = row.try_get(2)?;
        let (epoch, buyer) = ((ended.step.sale, ended.step.epoch), row.get(1));
        deltas.ended(epoch, order_element(ended.id, buyer, &items, State::Held));
        if ended.state.is_active() {
            deltas.made(epoch, order_element(ended.id, buyer, &items, ended.state));
        }
    }
    Ok(Some(deltas))
}

/// A sale that was warmed without the gateway gets its rows now. Terms that are there stay as they are.
async fn open(
    transaction: &Transaction<'_>,
    sale: &str,
    epoch: u64,
    terms: &MessageTerms,
) -> Result<(), tokio_postgres::Error> {
    crate::sale::insert(transaction, sale, &terms.into(), Extras::default(), epoch).await?;
    transaction.execute(sql::sales::RAISE_EPOCH, &[&sale, &to_sql(epoch)]).await?;
    Ok(())
}

async fn end_and_count(
    transaction: &Transaction<'_>,
    statements: &Statements,
    changes: &Changes<'_>,
) -> Result<Vec<Row>, tokio_postgres::Error> {
    if changes.ended.is_empty() && changes.skus.is_empty() {
        return Ok(Vec::new());
    }
    let ended = &changes.ended;
    let sales = column(ended, |ended| ended.step.sale);
    let epochs = column(ended, |ended| to_sql(ended.step.epoch));
    let ids = column(ended, |ended| to_sql(ended.id));
    let states = column(ended, |ended| ended.state.name());
    let ended_at = column(ended, |ended: &Ended| to_sql(ended.step.event.at_ms));
    let sku_sales = changes.skus.keys().map(|key| key.0).collect::<Vec<_>>();
    let skus = changes.skus.keys().map(|key| key.1).collect::<Vec<_>>();
    let units = changes.skus.values().map(|sku| sku.units).collect::<Vec<_>>();
    let totals = changes.skus.values().map(|sku| sku.total.map(to_sql)).collect::<Vec<_>>();
    transaction
        .query(
            &statements.end_orders_and_count,
            &[&sales, &epochs, &ids, &states, &ended_at, &sku_sales, &skus, &units, &totals],
        )
        .await
}

async fn make<'a>(
    transaction: &Transaction<'_>,
    statements: &Statements,
    made: &[MadeOrder<'a>],
) -> Result<(), tokio_postgres::Error> {
    if made.is_empty() {
        return Ok(());
    }
    let order = |made: &MadeOrder<'a>| NewOrder {
        sale: made.step.sale,
        epoch: made.step.epoch,
        id: made.step.event.seq,
        made: made.reserved,
        state: made.state,
        reserved_at_ms: made.step.event.at_ms,
        ended_at_ms: made.ended_at_ms,
        published_at_ms: made.step.published_at_ms,
    };
    make_orders(transaction, statements, &made.iter().map(order).collect::<Vec<_>>()).await?;
    Ok(())
}

fn column<'r, R, T>(rows: &'r [R], value: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
