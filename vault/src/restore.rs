//! Writes a sale again from Redis, where PostgreSQL has lost what was acknowledged: an older backup, a standby that was
//! not up to date.

use flash_wire::message::{MessageChange, MessageEvent, MessageItem, MessageReserved};
use flash_wire::{RebuiltReservation, State, Terms};
use tokio_postgres::Client;
use tokio_postgres::types::{Json, ToSql};

use crate::announce::{Touched, announce};
use crate::connect::IDLE_IN_TRANSACTION_MS_MAX;
use crate::content;
use crate::error::Error;
use crate::hold::{Held, Hold};
use crate::number::{from_sql, to_sql};
use crate::reconcile::{Known, Reconciled, reconcile};
use crate::refusal::{Refusal, record};
use crate::sale::Extras;
use crate::seal::{Sealed, finish};
use crate::sql;
use crate::statements::Statements;
use crate::step::Step;
use crate::waiting::{self, Ends};
use crate::write::Vault;

/// A sale as Redis has it, fenced: nothing of it changes while it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct RedisState {
    /// Which life of the sale.
    pub epoch: u64,
    /// Its newest event.
    pub seq: u64,
    /// Its newest event that was acknowledged.
    pub acked: u64,
    /// Its terms, with the totals of now.
    pub terms: Terms,
    /// An operator has stopped it.
    pub is_closed: bool,
    /// Its active reservations, by ascending ids.
    pub reservations: Vec<RebuiltReservation<'static>>,
    /// What it still knows of how others ended.
    pub ended: Vec<(u64, State)>,
}

/// The ids after `after` of reservations that may have ended in Redis: of held orders, and of events that wait, which
/// may be reservations. Ascending, at most `count`.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn possible_holds(client: &Client, sale: &str, after: u64, count: u32) -> Result<Vec<u64>, Error> {
    let values: [&(dyn ToSql + Sync); 3] = [&sale, &to_sql(after), &i64::from(count)];
    let rows = client.query(sql::restore::POSSIBLE_HOLDS, &values).await?;
    Ok(rows.iter().map(|row| from_sql(row.get(0))).collect())
}

impl Vault {
    /// Makes the orders of a sale what Redis has, seals the epoch that Redis is in, and begins the next one.
    /// Reservations without an order become orders, states, totals and the closed flag are set, and holds that Redis
    /// does not have any more end: as the events say that wait here, or Redis, else as released. So do reservations
    /// that only these events know; what came with a reservation is known from them alone. A confirmed order is never
    /// taken back. Each change is in the table `restored`, each reservation that has no room in `rejections`, as
    /// `not_restored`. Events up to Redis' newest count as lost; those after it that wait here are applied.
    ///
    /// [`Sealed::NotYet`]: PostgreSQL has what Redis was told that it has, or is in a later epoch.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble, or [`Error::Paused`]. Open a new vault then, and ask again where the sale is.
    pub async fn restore(&mut self, sale: &str, term: u64, from: &RedisState) -> Result<Sealed, Error> {
        let mut transaction = self.client.transaction().await?;
        let idle_ms = IDLE_IN_TRANSACTION_MS_MAX;
        let held = Hold::take(&mut transaction, &self.statements, sale, term, from.epoch, idle_ms).await?;
        let restored = restore(held, &self.statements, from).await?;
        let restored = finish(transaction, restored).await?;
        if let Sealed::Next { .. } = restored {
            let RedisState { epoch, seq, .. } = from;
            tracing::error!(sale, epoch, seq, "PostgreSQL had lost orders: they were written from Redis");
        }
        Ok(restored)
    }
}

async fn restore(held: Held<'_, '_>, statements: &Statements, from: &RedisState) -> Result<Sealed, Error> {
    let Held::Yes(mut hold) = held else { return Ok(Sealed::Superseded) };
    let is_behind = match hold.newest {
        Some(newest) if newest == from.epoch => hold.head(newest) < from.acked && !hold.is_sealed(newest),
        newest => newest.is_none_or(|newest| newest < from.epoch),
    };
    if !is_behind {
        return Ok(Sealed::NotYet);
    }
    crate::sale::insert(hold.transaction, hold.sale, &from.terms, Extras::default(), from.epoch).await?;
    let mut skipped = Vec::new();
    for epoch in hold.open_epochs().filter(|epoch| *epoch < from.epoch).collect::<Vec<_>>() {
        skipped.push((epoch, hold.highest_known(epoch).await?));
    }
    skipped.push((from.epoch, from.seq));
    let mut ends = Ends::default();
    for (epoch, last) in &skipped {
        ends.read(&hold, *epoch, *last).await?;
    }
    ends.add_known(&from.ended);
    write(&hold, statements, from, &ends).await?;
    for (epoch, last) in skipped {
        waiting::write(&mut hold, statements, epoch, last, &ends).await?;
        hold.skip_to(epoch, last).await?;
    }
    let restored_to: [&(dyn ToSql + Sync); 3] = [&hold.sale, &to_sql(from.epoch), &to_sql(from.seq)];
    hold.transaction.execute(sql::restore::SET_RESTORED_TO, &restored_to).await?;
    content::recount(hold.transaction, hold.sale, from.epoch).await?;
    hold.end(from.epoch, from.seq).await
}

/// Makes the rows what Redis has.
async fn write(hold: &Hold<'_, '_>, statements: &Statements, from: &RedisState, ends: &Ends) -> Result<(), Error> {
    let Hold { transaction, sale, .. } = hold;
    let epoch = to_sql(from.epoch);
    let done = reconcile(&known(hold, from).await?, from, ends);
    // One after the other: what ends may hold the slot of an order that comes back.
    for is_active in [false, true] {
        let moved = done.moved.iter().filter(|(_, state)| state.is_active() == is_active);
        let (ids, states): (Vec<_>, Vec<_>) = moved.map(|(id, state)| (to_sql(*id), state.name())).unzip();
        transaction.execute(sql::restore::SET_STATES, &[sale, &epoch, &ids, &states]).await?;
    }
    make(hold, from, &done).await?;
    let skus: Vec<_> = from.terms.skus.iter().map(|sku| sku.name.as_str()).collect();
    let totals: Vec<_> = from.terms.skus.iter().map(|sku| to_sql(sku.total)).collect();
    let taken: Vec<_> = skus.iter().map(|sku| to_sql(done.taken.get(*sku).copied().unwrap_or(0))).collect();
    transaction.execute(sql::restore::SET_SKUS, &[sale, &skus, &totals, &taken]).await?;
    transaction.execute(sql::sales::CLOSE_SALE, &[sale, &from.is_closed]).await?;
    refuse_and_announce(hold, statements, from, &done).await
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

async fn make(hold: &Hold<'_, '_>, from: &RedisState, done: &Reconciled) -> Result<(), Error> {
    let made: Vec<_> = done.made.iter().filter_map(|place| from.reservations.get(*place)).collect();
    let ids: Vec<_> = made.iter().map(|one| to_sql(one.id)).collect();
    let buyers: Vec<_> = made.iter().map(|one| &*one.buyer).collect();
    let slots: Vec<_> = made.iter().map(|one| i16::from(one.slot)).collect();
    let states: Vec<_> = made.iter().map(|one| &*one.state).collect();
    let items: Vec<_> = made.iter().map(|one| Json(&one.items)).collect();
    let requests: Vec<_> = made.iter().map(|one| one.request.as_deref()).collect();
    let expires: Vec<_> = made.iter().map(|one| one.expires_at_ms.map(to_sql)).collect();
    let (epoch, hold_ms) = (to_sql(from.epoch), from.terms.hold_ms.map(to_sql));
    let values: [&(dyn ToSql + Sync); 10] =
        [&hold.sale, &epoch, &ids, &buyers, &slots, &states, &items, &requests, &expires, &hold_ms];
    hold.transaction.execute(sql::restore::MAKE_ORDERS, &values).await?;
    Ok(())
}

async fn refuse_and_announce(
    hold: &Hold<'_, '_>,
    statements: &Statements,
    from: &RedisState,
    done: &Reconciled,
) -> Result<(), Error> {
    let refused = done.refused.iter().filter_map(|place| from.reservations.get(*place)).map(reserved);
    let refused: Vec<_> = refused.collect();
    let (made, moved) = (done.made.iter().filter_map(|place| from.reservations.get(*place)), &done.moved);
    let changed = made.map(|one| one.id).chain(moved.iter().map(|(id, _)| *id));
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
    let RebuiltReservation { id, buyer, slot, items, expires_at_ms, request, .. } = reservation.clone();
    let change = MessageReserved { buyer, slot, items, expires_at_ms, request, data: None };
    MessageEvent { seq: id, at_ms: 0, change: MessageChange::Reserved(change) }
}
