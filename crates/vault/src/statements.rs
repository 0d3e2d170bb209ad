//! The statements of every batch, prepared once a connection.
//!
//! That is not for speed alone: a prepared statement is on its way as soon as its future is first polled. So those that
//! are joined, in order, are carried out in that order; others would be sent whenever their preparation is answered.

use tokio_postgres::{Client, Statement};

use crate::sql;

pub(crate) struct Statements {
    pub(crate) begin_writing: Statement,
    pub(crate) begin_epochs: Statement,
    pub(crate) lock_epochs: Statement,
    pub(crate) read_epochs: Statement,
    pub(crate) end_orders_and_count: Statement,
    pub(crate) make_orders: Statement,
    pub(crate) advance_epochs: Statement,
    pub(crate) is_anyone_to_hear: Statement,
}

impl Statements {
    pub(crate) async fn prepare(client: &Client) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            begin_writing: client.prepare(sql::events::BEGIN_WRITING).await?,
            begin_epochs: client.prepare(sql::events::BEGIN_EPOCHS).await?,
            lock_epochs: client.prepare(sql::events::LOCK_EPOCHS).await?,
            read_epochs: client.prepare(sql::events::READ_EPOCHS).await?,
            end_orders_and_count: client.prepare(sql::events::END_ORDERS_AND_COUNT).await?,
            make_orders: client.prepare(sql::events::MAKE_ORDERS).await?,
            advance_epochs: client.prepare(sql::events::ADVANCE_EPOCHS).await?,
            is_anyone_to_hear: client.prepare(sql::webhooks::IS_ANYONE_TO_HEAR).await?,
        })
    }
}
