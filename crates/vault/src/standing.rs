//! The state of a sale in PostgreSQL.

use flash_wire::{Content, Expected, ExpectedSku};
use tokio_postgres::{Client, Row, Transaction};

use crate::content;
use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::read::SkuSold;
use crate::sql;

/// The newest life of a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// The newest epoch that is known here.
    pub epoch: u64,
    /// How far that is written; none: nothing of it is.
    pub head: Option<u64>,
    /// Where the epoch that was asked for was sealed.
    pub sealed_at: Option<u64>,
    /// An operator has stopped the sale.
    pub is_closed: bool,
    /// How long ago the sale was created.
    pub age_s: u64,
    /// The term of its newest recovery; 0: there was none.
    pub term: u64,
    /// Events of the newest epoch that wait beyond a gap.
    pub early: u64,
    /// Reservations of the newest epoch that were refused, and that Redis may count.
    pub unsettled: u64,
    /// Whether events of the newest epoch wait in the quarantine.
    pub has_quarantined: bool,
    /// The active orders.
    pub content: Content,
}

/// A sale at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleStanding {
    /// Its newest life.
    pub life: Life,
    /// Its SKUs, in the order of its terms.
    pub sold: Vec<SkuSold>,
}

/// The state of a sale, and where its `epoch` was sealed; none: there is no such sale. All of it is of one moment. (The
/// content of a sale that was begun by an older release is counted a moment later, until the sale is sealed once.)
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn standing(client: &Client, sale: &str, epoch: u64) -> Result<Option<SaleStanding>, Error> {
    let Some(row) = client.query_opt(sql::recovery::STANDING, &[&sale, &to_sql(epoch)]).await? else { return Ok(None) };
    let content = match stored_content(&row) {
        Some(content) => content,
        None => content::count(client, sale).await?,
    };
    Ok(Some(read(&row, content)))
}

/// What Redis is to have when the sale goes on. Every epoch of the sale is locked, and `epoch` is one of them.
pub(crate) async fn expected(transaction: &Transaction<'_>, sale: &str, epoch: u64) -> Result<Expected, Error> {
    let content = content::known(transaction, sale, epoch).await?;
    let row = transaction.query_one(sql::recovery::STANDING, &[&sale, &to_sql(epoch)]).await?;
    let SaleStanding { life, sold } = read(&row, content);
    let sku = |SkuSold { sku, total, sold }| ExpectedSku { name: sku, total, taken: sold };
    Ok(Expected { content, is_closed: life.is_closed, skus: sold.into_iter().map(sku).collect() })
}

fn stored_content(row: &Row) -> Option<Content> {
    let column = |index: usize| row.get::<_, Option<Vec<Option<i64>>>>(index).unwrap_or_default();
    content::sum(column(8).into_iter().zip(column(9)))
}

fn read(row: &Row, content: Content) -> SaleStanding {
    let optional = |column: usize| row.get::<_, Option<i64>>(column).map(from_sql);
    let life = Life {
        epoch: from_sql(row.get(0)),
        head: optional(1),
        sealed_at: optional(2),
        is_closed: row.get(3),
        age_s: from_sql(row.get(4)),
        term: from_sql(row.get(5)),
        early: from_sql(row.get(6)),
        unsettled: from_sql(row.get(7)),
        has_quarantined: row.get(13),
        content,
    };
    let numbers = |column: usize| row.get::<_, Option<Vec<i64>>>(column).unwrap_or_default().into_iter().map(from_sql);
    let skus = row.get::<_, Option<Vec<String>>>(10).unwrap_or_default().into_iter();
    let sold = skus.zip(numbers(11)).zip(numbers(12)).map(|((sku, total), sold)| SkuSold { sku, total, sold });
    SaleStanding { life, sold: sold.collect() }
}
