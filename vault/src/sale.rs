//! A sale's own rows: its terms.

use flash_wire::{SkuTerms, Terms};
use tokio_postgres::{Client, GenericClient};

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::sql;

/// What became of the wish to create a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaleCreated {
    /// The sale is new.
    Created,
    /// It was there, under the same terms.
    Exists,
    /// It was there, under other terms. Nothing was changed.
    Differs,
}

/// Creates a sale that is about to be warmed in this epoch.
///
/// # Errors
/// When PostgreSQL is in trouble: whether the sale was created is unknown, and the call may be repeated.
pub async fn create_sale(client: &Client, sale: &str, wanted: &Terms, epoch: u64) -> Result<SaleCreated, Error> {
    if insert(client, sale, wanted, epoch).await? {
        return Ok(SaleCreated::Created);
    }
    let same = terms(client, sale).await?.as_ref() == Some(wanted);
    Ok(if same { SaleCreated::Exists } else { SaleCreated::Differs })
}

/// The terms of a sale, if there is one.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn terms(client: &Client, sale: &str) -> Result<Option<Terms>, Error> {
    let Some(row) = client.query_opt(sql::sales::TERMS, &[&sale]).await? else { return Ok(None) };
    let skus = client.query(sql::sales::TERMS_SKUS, &[&sale]).await?;
    let optional = |column: usize| row.get::<_, Option<i64>>(column).map(from_sql);
    Ok(Some(Terms {
        skus: skus.iter().map(|sku| SkuTerms { name: sku.get(0), total: from_sql(sku.get(1)) }).collect(),
        limit: u32::try_from(row.get::<_, i64>(0)).unwrap_or(0),
        hold_ms: optional(1),
        opens_at_ms: optional(2),
        closes_at_ms: optional(3),
        journal_events_max: optional(4),
    }))
}

/// Whether the sale is new.
pub(crate) async fn insert(
    client: &impl GenericClient,
    sale: &str,
    terms: &Terms,
    epoch: u64,
) -> Result<bool, tokio_postgres::Error> {
    let names: Vec<_> = terms.skus.iter().map(|sku| sku.name.as_str()).collect();
    let totals: Vec<_> = terms.skus.iter().map(|sku| to_sql(sku.total)).collect();
    let created = client
        .execute(
            sql::sales::CREATE_SALE,
            &[
                &sale,
                &to_sql(epoch),
                &i64::from(terms.limit),
                &terms.hold_ms.map(to_sql),
                &terms.opens_at_ms.map(to_sql),
                &terms.closes_at_ms.map(to_sql),
                &terms.journal_events_max.map(to_sql),
                &names,
                &totals,
            ],
        )
        .await?;
    Ok(created > 0)
}
