//! A reservation as it was made, and the columns of an order that have it.

use std::borrow::Cow;

use flash_wire::State;
use flash_wire::message::{MessageItem, MessageReserved};
use serde_json::value::RawValue;
use tokio_postgres::types::{Json, ToSql};
use tokio_postgres::{Row, Transaction};

use crate::number::{from_sql, to_sql};
use crate::statements::Statements;

/// An order to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewOrder<'a> {
    pub(crate) sale: &'a str,
    pub(crate) epoch: u64,
    pub(crate) id: u64,
    pub(crate) made: &'a MessageReserved<'a>,
    pub(crate) state: State,
    pub(crate) reserved_at_ms: u64,
    pub(crate) ended_at_ms: Option<u64>,
    pub(crate) published_at_ms: Option<u64>,
}

/// Makes orders, all or none.
pub(crate) async fn make_orders(
    transaction: &Transaction<'_>,
    statements: &Statements,
    orders: &[NewOrder<'_>],
) -> Result<u64, tokio_postgres::Error> {
    let sales = column(orders, |order| order.sale);
    let epochs = column(orders, |order| to_sql(order.epoch));
    let ids = column(orders, |order| to_sql(order.id));
    let states = column(orders, |order| order.state.name());
    let reserved_at = column(orders, |order| to_sql(order.reserved_at_ms));
    let ended_at = column(orders, |order| order.ended_at_ms.map(to_sql));
    let published_at = column(orders, |order| order.published_at_ms.map(to_sql));
    let buyers = column(orders, |order| order.made.buyer.as_ref());
    let slots = column(orders, |order| i16::from(order.made.slot));
    let items = column(orders, |order| Json(&order.made.items));
    let expires_at = column(orders, |order| order.made.expires_at_ms.map(to_sql));
    let requests = column(orders, |order| order.made.request.as_deref());
    let data = column(orders, |order| order.made.data.as_deref().map(Json::<&RawValue>));
    let own: [&(dyn ToSql + Sync); 7] = [&sales, &epochs, &ids, &states, &reserved_at, &ended_at, &published_at];
    let reserved: [&(dyn ToSql + Sync); 6] = [&buyers, &slots, &items, &expires_at, &requests, &data];
    transaction.execute(&statements.make_orders, &[&own[..], &reserved].concat()).await
}

fn column<'r, T>(orders: &'r [NewOrder<'_>], value: impl Fn(&'r NewOrder<'_>) -> T) -> Vec<T> {
    orders.iter().map(value).collect()
}

/// The reservation that a row has, with its data where that was asked for. A rejection has little more than its buyer.
pub(crate) fn reserved(row: &Row) -> Result<MessageReserved<'static>, tokio_postgres::Error> {
    let items: Option<Json<Vec<MessageItem>>> = row.try_get("items")?;
    let data = row.try_get("data").ok().flatten().and_then(|data| serde_json::from_str::<&RawValue>(data).ok());
    let reserved = MessageReserved {
        buyer: row.try_get::<_, Option<&str>>("buyer")?.unwrap_or_default().into(),
        slot: row.try_get::<_, Option<i16>>("slot")?.map_or(0, |slot| u8::try_from(slot).unwrap_or(u8::MAX)),
        items: items.map(|Json(items)| items).unwrap_or_default(),
        expires_at_ms: row.try_get::<_, Option<i64>>("expires_at_ms")?.map(from_sql),
        request: row.try_get::<_, Option<&str>>("request")?.map(Into::into),
        data: data.map(Cow::Borrowed),
    };
    Ok(reserved.into_owned())
}
