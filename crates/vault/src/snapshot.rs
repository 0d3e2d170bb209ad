//! What the tables say at one moment, while others go on writing: for a comparison with Redis.

use flash_wire::Content;
use flash_wire::message::MessageItem;
use tokio_postgres::types::Json;
use tokio_postgres::{Client, IsolationLevel, Row, Transaction};

use crate::connect::IDLE_IN_SNAPSHOT_MS_MAX;
use crate::content;
use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::recover::RECOVERY_LEASE_S;
use crate::sql;

/// One moment. It locks nothing, and nothing waits for it.
pub struct Snapshot<'a>(Transaction<'a>);

/// How far one life of a sale is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochRows {
    /// Which life of the sale.
    pub epoch: u64,
    /// Every event up to here is written.
    pub head: u64,
    /// Its last event, if it is over.
    pub sealed_at: Option<u64>,
    /// Events of it that no server had any more when it was sealed.
    pub gaps: u64,
    /// Events that wait beyond a gap.
    pub early: u64,
    /// Reservations that the constraints refused.
    pub rejected: u64,
}

/// The units of one SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkuRows {
    /// Its name.
    pub sku: String,
    /// Its counters: units on sale, and units sold; none, if the sale has no such SKU.
    pub counters: Option<(u64, u64)>,
    /// Units of held orders.
    pub held: u64,
    /// Units of confirmed orders.
    pub confirmed: u64,
}

/// What else the tables say of a sale: how many rows there are that should not be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StrayRows {
    /// Slots of a buyer that more than one active order has.
    pub shared_slots: u64,
    /// Buyers with more units than the sale's limit.
    pub buyers_over_limit: u64,
    /// Orders that lie beyond the head of their epoch: no event made them.
    pub unexplained_orders: u64,
    /// Events in the quarantine that are neither replayed nor discarded.
    pub quarantined: u64,
}

/// The items of one order: SKU names and units.
pub type OrderItems = Vec<(String, u64)>;

/// A held order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldOrder {
    /// The reservation's id.
    pub id: u64,
    /// Who reserved.
    pub buyer: String,
    /// SKU names and units.
    pub items: Vec<(String, u32)>,
}

/// What contradicts the protocol of lives: how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Events that wait in an epoch that is over: no order and no rejection will come of them.
    pub early_in_sealed: u64,
    /// Reservations that were refused, and of which the id is another buyer's order.
    pub shared_ids: u64,
    /// Payments that are not of the order's buyer.
    pub payments_of_others: u64,
    /// Orders that were written again from Redis. That is no fault by itself, but it came of one.
    pub restored: u64,
}

/// What a sale's orders cost, and what was paid for them: how many rows of it are wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    /// What the confirmed orders cost that were held before, in the currency's smallest unit.
    pub price: String,
    /// What was paid for them, and is not to be paid back.
    pub paid: String,
    /// Such orders that are not paid for.
    pub unpaid: u64,
    /// Payments of another amount or currency than their order costs.
    pub otherwise_paid: u64,
    /// Payments that are settled without a confirmed order of their buyer.
    pub orderless: u64,
    /// References, or reservations, that more than one payment has.
    pub twice: u64,
}

impl<'a> Snapshot<'a> {
    /// Begins. The moment is that of the first question.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble, as in all that follow.
    pub async fn begin(client: &'a mut Client) -> Result<Self, Error> {
        let begin = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        let transaction = begin.start().await?;
        transaction.batch_execute(&sql::idle_timeout_here(IDLE_IN_SNAPSHOT_MS_MAX)).await?;
        Ok(Self(transaction))
    }

    /// The lives of a sale, the oldest first.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble.
    pub async fn epochs(&self, sale: &str) -> Result<Vec<EpochRows>, Error> {
        let epoch = |row: &Row| EpochRows {
            epoch: from_sql(row.get(0)),
            head: from_sql(row.get(1)),
            sealed_at: row.get::<_, Option<i64>>(2).map(from_sql),
            gaps: from_sql(row.get(3)),
            early: from_sql(row.get(4)),
            rejected: from_sql(row.get(5)),
        };
        Ok(self.0.query(sql::reconcile::EPOCHS_OF_SALE, &[&sale]).await?.iter().map(epoch).collect())
    }

    /// The SKUs of a sale, and those that only its orders know.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble.
    pub async fn skus(&self, sale: &str) -> Result<Vec<SkuRows>, Error> {
        let sku = |row: &Row| SkuRows {
            sku: row.get(0),
            counters: row.get::<_, Option<i64>>(1).map(|total| (from_sql(total), from_sql(row.get(2)))),
            held: from_sql(row.get(3)),
            confirmed: from_sql(row.get(4)),
        };
        Ok(self.0.query(sql::reconcile::TAKEN_UNITS, &[&sale]).await?.iter().map(sku).collect())
    }

    /// Rows of a sale that should not be.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble.
    pub async fn stray_rows(&self, sale: &str) -> Result<StrayRows, Error> {
        let row = self.0.query_one(sql::reconcile::STRAY_ROWS, &[&sale]).await?;
        let count = |column: usize| from_sql(row.get(column));
        Ok(StrayRows {
            shared_slots: count(0),
            buyers_over_limit: count(1),
            unexplained_orders: count(2),
            quarantined: count(3),
        })
    }

    /// The content of a sale, as its epochs say. None: an older release wrote some of them, and none was sealed since.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble.
    pub async fn content(&self, sale: &str) -> Result<Option<Content>, Error> {
        let rows = self.0.query(sql::recovery::CONTENT, &[&sale]).await?;
        Ok(content::sum(rows.iter().map(|row| (row.get(0), row.get(1)))))
    }

    /// The content of a sale, as its orders say: every active one is read.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble.
    pub async fn counted_content(&self, sale: &str) -> Result<Content, Error> {
        content::count(&self.0, sale).await
    }

    /// Which of these orders are held, with what an end of theirs changes in the content.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble.
    pub async fn held_reservations(&self, sale: &str, ids: &[u64]) -> Result<Vec<HeldOrder>, Error> {
        let ids: Vec<_> = ids.iter().map(|id| to_sql(*id)).collect();
        let mut orders = Vec::with_capacity(ids.len());
        for row in self.0.query(sql::reconcile::HELD_RESERVATIONS, &[&sale, &ids]).await? {
            let Json(items): Json<Vec<MessageItem>> = row.try_get(2)?;
            let items = items.into_iter().map(|item| (item.sku.into_owned(), item.quantity)).collect();
            orders.push(HeldOrder { id: from_sql(row.get(0)), buyer: row.get(1), items });
        }
        Ok(orders)
    }

    /// The newest attempt to recover a sale, and whether it is at work; 0: there was none.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble.
    pub async fn recovery(&self, sale: &str) -> Result<(u64, bool), Error> {
        let row = self.0.query_opt(sql::reconcile::RECOVERY, &[&sale, &RECOVERY_LEASE_S]).await?;
        Ok(row.map_or((0, false), |row| (from_sql(row.get(0)), row.get(1))))
    }

    /// What contradicts the protocol of lives.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble.
    pub async fn faults(&self, sale: &str) -> Result<Faults, Error> {
        let row = self.0.query_one(sql::reconcile::FAULTS, &[&sale]).await?;
        let count = |column: usize| from_sql(row.get(column));
        Ok(Faults { early_in_sealed: count(0), shared_ids: count(1), payments_of_others: count(2), restored: count(3) })
    }

    /// What a sale's orders cost, and what was paid for them.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble.
    pub async fn books(&self, sale: &str) -> Result<Books, Error> {
        let row = self.0.query_one(sql::reconcile::BOOKS, &[&sale]).await?;
        // A sum of nothing is none.
        let sum = |column: usize| row.get::<_, Option<String>>(column).unwrap_or_else(|| "0".to_owned());
        let count = |column: usize| from_sql(row.get(column));
        Ok(Books {
            price: sum(0),
            paid: sum(1),
            unpaid: count(2),
            otherwise_paid: count(3),
            orderless: count(4),
            twice: count(5),
        })
    }

    /// Which of these orders are held, and their items.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble.
    pub async fn held_orders(&self, sale: &str, ids: &[u64]) -> Result<Vec<(u64, OrderItems)>, Error> {
        let ids: Vec<_> = ids.iter().map(|id| to_sql(*id)).collect();
        let mut orders = Vec::with_capacity(ids.len());
        for row in self.0.query(sql::reconcile::HELD_ORDERS, &[&sale, &ids]).await? {
            let Json(items): Json<Vec<MessageItem>> = row.try_get(1)?;
            let items = items.into_iter().map(|item| (item.sku.into_owned(), item.quantity.into()));
            orders.push((from_sql(row.get(0)), items.collect()));
        }
        Ok(orders)
    }
}

/// Every sale that PostgreSQL knows, at most `limit`, in the order of their ids.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn sales(client: &Client, limit: usize) -> Result<Vec<String>, Error> {
    let rows = client.query(sql::reconcile::SALES, &[&to_sql(limit as u64)]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// How many unreadable messages are in the quarantine, neither replayed nor discarded.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn unreadable_messages(client: &Client) -> Result<u64, Error> {
    Ok(from_sql(client.query_one(sql::reconcile::UNREADABLE_MESSAGES, &[]).await?.get(0)))
}

/// How many balances payments do not explain, and how many references more than one payment has.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn unexplained_accounts(client: &Client) -> Result<(u64, u64), Error> {
    let row = client.query_one(sql::reconcile::ACCOUNTS, &[]).await?;
    Ok((from_sql(row.get(0)), from_sql(row.get(1))))
}
