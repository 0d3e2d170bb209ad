//! The orders of a sale become what Redis has. PostgreSQL refuses one by one what it does not take: no row keeps the
//! others from coming back.

use flash_wire::message::{MessageChange, MessageEvent, MessageItem};
use flash_wire::{RebuiltReservation, State};
use tokio_postgres::Transaction;
use tokio_postgres::types::Json;

use crate::announce::{Touched, announce};
use crate::error::Error;
use crate::hold::Hold;
use crate::number::{from_sql, to_sql};
use crate::reconcile::{Known, reconcile};
use crate::redis_state::RedisState;
use crate::refusal::{Refusal, record};
use crate::reserved::{NewOrder, make_orders};
use crate::sql;
use crate::statements::Statements;
use crate::step::Step;
use crate::waiting::Ends;

/// Makes the rows what Redis has. What has no room, or is refused by a constraint, is recorded as `not_restored`.
pub(crate) async fn take_over(
    hold: &mut Hold<'_, '_>,
    statements: &Statements,
    from: &RedisState,
    ends: &Ends,
) -> Result<(), Error> {
    let done = reconcile(&known(hold, from).await?, from, ends);
    let (sale, epoch) = (hold.sale, to_sql(from.epoch));
    // One after the other: what ends may hold the slot of an order that comes back.
    let (begins, ends): (Vec<_>, Vec<_>) = done.moved.iter().copied().partition(|(_, state)| state.is_active());
    let mut refused = Vec::new();
    for moved in [ends, begins] {
        let set = async |part: &Transaction<'_>, moved: &[(u64, State)]| {
            let (ids, states): (Vec<_>, Vec<_>) = moved.iter().map(|(id, state)| (to_sql(*id), state.name())).unzip();
            part.execute(sql::restore::SET_STATES, &[&sale, &epoch, &ids, &states]).await
        };
        let stay = by_halves(hold.transaction, &moved, set).await?;
        refused.extend(stay.iter().map(|(id, _)| *id));
    }
    let made: Vec<_> = done.made.iter().filter_map(|place| from.reservations.get(*place)).collect();
    let make = async |part: &Transaction<'_>, made: &[&RebuiltReservation<'static>]| {
        make(part, statements, (sale, from), made).await
    };
    let not_made = by_halves(hold.transaction, &made, make).await?;
    refused.extend(not_made.iter().map(|one| one.id));
    refused.extend(done.refused.iter().filter_map(|place| from.reservations.get(*place)).map(|one| one.id));
    let skus: Vec<_> = from.terms.skus.iter().map(|sku| sku.name.as_str()).collect();
    let totals: Vec<_> = from.terms.skus.iter().map(|sku| to_sql(sku.total)).collect();
    hold.transaction.execute(sql::restore::SET_SKUS, &[&sale, &skus, &totals]).await?;
    hold.transaction.execute(sql::sales::CLOSE_SALE, &[&sale, &from.is_closed]).await?;
    let changed = made.iter().map(|one| one.id).chain(done.moved.iter().map(|(id, _)| *id)).collect();
    refuse_and_announce(hold, statements, from, (changed, refused)).await
}

/// Writes all of `rows` at once; where PostgreSQL refuses that for one of them, each half by itself. Gives those that
/// it refuses alone.
async fn by_halves<T: Copy>(
    transaction: &mut Transaction<'_>,
    rows: &[T],
    write: impl AsyncFn(&Transaction<'_>, &[T]) -> Result<u64, tokio_postgres::Error>,
) -> Result<Vec<T>, Error> {
    let (mut parts, mut refused) = (vec![rows], Vec::new());
    while let Some(part) = parts.pop().filter(|part| !part.is_empty()) {
        let savepoint = transaction.savepoint("part").await?;
        let Err(error) = write(&savepoint, part).await else {
            savepoint.commit().await?;
            continue;
        };
        if Refusal::of(&error).is_none() {
            return Err(error.into());
        }
        savepoint.rollback().await?;
        if let [one] = part {
            // The message names the row, and so the buyer: the code says enough.
            let code = error.code().map_or("", tokio_postgres::error::SqlState::code);
            tracing::error!(code, "an order does not come back as Redis has it");
            refused.push(*one);
        } else {
            let (first, second) = part.split_at(part.len() / 2);
            parts.extend([second, first]);
        }
    }
    Ok(refused)
}

/// The active orders, and those that have the ids of Redis' reservations.
async fn known(hold: &Hold<'_, '_>, from: &RedisState) -> Result<Vec<Known>, Error> {
    let ids: Vec<_> = from.reservations.iter().map(|reservation| to_sql(reservation.id)).collect();
    let mut known = Vec::new();
    for row in hold.transaction.query(sql::restore::KNOWN_ORDERS, &[&hold.sale, &ids]).await? {
        let Json(items): Json<Vec<MessageItem>> = row.try_get(4)?;
        known.push(Known {
            id: from_sql(row.get(0)),
            buyer: row.get(1),
            slot: u8::try_from(row.get::<_, i16>(2)).unwrap_or(u8::MAX),
            state: State::from_name(row.get(3)).unwrap_or(State::Held),
            items: items.into_iter().map(|item| (item.sku.into_owned(), item.quantity)).collect(),
        });
    }
    Ok(known)
}

/// A hold was made its pay window before its end; when anything else was, is not known any more: it is now.
async fn make(
    transaction: &Transaction<'_>,
    statements: &Statements,
    (sale, from): (&str, &RedisState),
    made: &[&RebuiltReservation<'static>],
) -> Result<u64, tokio_postgres::Error> {
    let now_ms = from_sql(transaction.query_one(sql::restore::NOW, &[]).await?.get(0));
    let orders = made.iter().map(|one| {
        let state = one.state().unwrap_or(State::Held);
        let expires_at_ms = one.made.expires_at_ms;
        let reserved_at_ms = expires_at_ms.zip(from.terms.hold_ms).map(|(end, hold)| end.saturating_sub(hold));
        NewOrder {
            sale,
            epoch: from.epoch,
            id: one.id,
            made: &one.made,
            state,
            reserved_at_ms: reserved_at_ms.unwrap_or(now_ms),
            ended_at_ms: expires_at_ms.filter(|_| state == State::Confirmed).map(|_| now_ms),
            published_at_ms: None,
        }
    });
    make_orders(transaction, statements, &orders.collect::<Vec<_>>()).await?;
    let ids: Vec<_> = made.iter().map(|one| to_sql(one.id)).collect();
    transaction.execute(sql::restore::MARK_MADE, &[&sale, &to_sql(from.epoch), &ids]).await
}

/// Records the reservations `refused` that are no active orders, and announces these and the orders `changed`.
async fn refuse_and_announce(
    hold: &Hold<'_, '_>,
    statements: &Statements,
    from: &RedisState,
    (changed, refused): (Vec<u64>, Vec<u64>),
) -> Result<(), Error> {
    let ids: Vec<_> = refused.iter().copied().map(to_sql).collect();
    let orders = hold.transaction.query(sql::quarantine::ORDER_STATES, &[&hold.sale, &ids]).await?;
    let is_order = |one: &&RebuiltReservation<'_>| {
        let is_same = |order: &tokio_postgres::Row| {
            let is_active = State::from_name(order.get(2)).is_some_and(State::is_active);
            from_sql(order.get(0)) == one.id && order.get::<_, &str>(1) == one.made.buyer && is_active
        };
        orders.iter().any(is_same)
    };
    let refused = from.reservations.iter().filter(|one| refused.contains(&one.id)).filter(|one| !is_order(one));
    let refused: Vec<_> = refused.map(reserved).collect();
    let changed = changed.into_iter();
    let changed: Vec<_> =
        changed.map(|id| MessageEvent { seq: id, at_ms: 0, change: MessageChange::Released { id } }).collect();
    let step = |event| Step { sale: hold.sale, epoch: from.epoch, published_at_ms: None, event };
    let mut touched = Touched::default();
    changed.iter().map(step).for_each(|step| touched.add(&step));
    for step in refused.iter().map(step) {
        record(hold.transaction, &step, Refusal::NOT_RESTORED).await?;
        touched.add(&step);
    }
    announce(hold.transaction, statements, &touched).await?;
    Ok(())
}

/// The event that made a reservation, as far as Redis still knows it.
fn reserved(reservation: &RebuiltReservation<'static>) -> MessageEvent<'static> {
    MessageEvent { seq: reservation.id, at_ms: 0, change: MessageChange::Reserved(reservation.made.clone()) }
}
