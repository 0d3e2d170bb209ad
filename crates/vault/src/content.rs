//! The content of a sale: its active orders, as their number and a digest. Each epoch's row has what its events
//! changed.

use std::collections::HashMap;

use flash_wire::digest::{element, sku_hash};
use flash_wire::message::MessageItem;
use flash_wire::{Content, State};
use tokio_postgres::types::{Json, ToSql};
use tokio_postgres::{GenericClient, Transaction};

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::sql;
use crate::statements::Statements;

/// Orders that one question counts.
const COUNTED_ORDERS: u64 = 10_000;

/// What a transaction changes in the content, by the sale and the epoch of the events that did it: an epoch that it has
/// locked.
#[derive(Debug, Default)]
pub(crate) struct Deltas<'a>(HashMap<(&'a str, u64), Delta>);

/// What changes in one epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Delta {
    pub(crate) reservations: i64,
    pub(crate) digest: u64,
}

impl<'a> Deltas<'a> {
    /// An active order is there from now on.
    pub(crate) fn made(&mut self, epoch: (&'a str, u64), element: u64) {
        self.add(epoch, Delta { reservations: 1, digest: element });
    }

    /// An active order is none any more.
    pub(crate) fn ended(&mut self, epoch: (&'a str, u64), element: u64) {
        self.add(epoch, Delta { reservations: -1, digest: element });
    }

    /// Both, one after the other.
    pub(crate) fn extend(&mut self, other: Self) {
        other.0.into_iter().for_each(|(epoch, delta)| self.add(epoch, delta));
    }

    /// What changes in an epoch.
    pub(crate) fn of(&self, sale: &str, epoch: u64) -> Delta {
        self.0.get(&(sale, epoch)).copied().unwrap_or_default()
    }

    /// Adds them to their epochs. The heads move to `head`, but never back.
    pub(crate) async fn write(
        &self,
        transaction: &Transaction<'_>,
        statements: &Statements,
        head: u64,
    ) -> Result<(), tokio_postgres::Error> {
        for ((sale, epoch), delta) in &self.0 {
            let values: [&(dyn ToSql + Sync); 5] = [
                &vec![*sale],
                &vec![to_sql(*epoch)],
                &vec![to_sql(head)],
                &vec![to_sql(delta.digest)],
                &vec![delta.reservations],
            ];
            transaction.execute(&statements.advance_epochs, &values).await?;
        }
        Ok(())
    }

    pub(crate) fn add(&mut self, epoch: (&'a str, u64), delta: Delta) {
        let sum = self.0.entry(epoch).or_default();
        sum.reservations += delta.reservations;
        sum.digest ^= delta.digest;
    }
}

/// The element of an order.
pub(crate) fn order_element(id: u64, buyer: &str, items: &[MessageItem<'_>], state: State) -> u64 {
    element(id, buyer, items.iter().map(|item| (sku_hash(&item.sku), item.quantity)), state)
}

/// The sum of what a sale's epochs changed. None: of one of them that was not written down.
pub(crate) fn sum(rows: impl IntoIterator<Item = (Option<i64>, Option<i64>)>) -> Option<Content> {
    let (mut digest, mut reservations) = (0, 0);
    for (changed, added) in rows {
        digest ^= changed?;
        reservations += added?;
    }
    Some(Content { reservations: from_sql(reservations), digest: from_sql(digest) })
}

/// Counts the active orders of a sale. Where no other transaction may write meanwhile, that is exact.
pub(crate) async fn count(client: &impl GenericClient, sale: &str) -> Result<Content, Error> {
    let (mut content, mut last) = (Content::default(), 0i64);
    loop {
        let values: [&(dyn ToSql + Sync); 3] = [&sale, &last, &to_sql(COUNTED_ORDERS)];
        let rows = client.query(sql::recovery::ACTIVE_ELEMENTS, &values).await?;
        let Some(newest) = rows.last() else { return Ok(content) };
        last = newest.get(0);
        for row in &rows {
            let Json(items): Json<Vec<MessageItem>> = row.try_get(2)?;
            let state = State::from_name(row.get(3)).unwrap_or(State::Held);
            content.digest ^= order_element(from_sql(row.get(0)), row.get(1), &items, state);
            content.reservations += 1;
        }
    }
}

/// The content of a sale of which every epoch is locked. What no epoch says yet is counted, once.
pub(crate) async fn known(transaction: &Transaction<'_>, sale: &str, epoch: u64) -> Result<Content, Error> {
    let rows = transaction.query(sql::recovery::CONTENT, &[&sale]).await?;
    match sum(rows.iter().map(|row| (row.get(0), row.get(1)))) {
        Some(content) => Ok(content),
        None => recount(transaction, sale, epoch).await,
    }
}

/// Counts the content of a sale of which every epoch is locked, and writes it down as the change of one of them.
pub(crate) async fn recount(transaction: &Transaction<'_>, sale: &str, epoch: u64) -> Result<Content, Error> {
    let content = count(transaction, sale).await?;
    let (digest, reservations) = (to_sql(content.digest), to_sql(content.reservations));
    transaction.execute(sql::recovery::SET_CONTENT, &[&sale, &to_sql(epoch), &digest, &reservations]).await?;
    Ok(content)
}
