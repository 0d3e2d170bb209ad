//! A sale's own rows: its terms, and what it has besides.

use flash_wire::{SkuTerms, Terms};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio_postgres::GenericClient;
use tokio_postgres::types::Json;

use crate::catalogue::Price;
use crate::creation::Creation;
use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::recover::OVER_MS_MAX;
use crate::sql;

/// What a sale has besides its terms. None of it ever changes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extras<'a> {
    /// Which product it sells. It must be there.
    pub product: Option<&'a str>,
    /// A JSON Schema for the data of its orders.
    pub form: Option<&'a RawValue>,
}

/// What PostgreSQL says of a sale besides its terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleFacts {
    /// Which product it sells.
    pub product: Option<String>,
    /// What one unit of the product costs.
    pub price: Option<Price>,
    /// A JSON Schema for the data of its orders, as it was given.
    pub form: Option<String>,
    /// Its window ended more than [`OVER_MS_MAX`] ago, and its last hold did.
    pub is_over: bool,
}

/// Creates a sale that is about to be warmed in this epoch.
///
/// # Errors
/// When PostgreSQL is in trouble: whether the sale was created is unknown, and the call may be repeated.
pub async fn create_sale(
    client: &impl GenericClient,
    sale: &str,
    wanted: &Terms,
    extras: Extras<'_>,
    epoch: u64,
) -> Result<Creation, Error> {
    if insert(client, sale, wanted, extras, epoch).await? {
        return Ok(Creation::Created);
    }
    let same = terms(client, sale).await?.as_ref() == Some(wanted)
        && sale_facts(client, sale).await?.is_some_and(|facts| facts.has(extras));
    Ok(if same { Creation::Exists } else { Creation::Differs })
}

impl SaleFacts {
    /// The same schema may be written in many ways.
    fn has(&self, extras: Extras<'_>) -> bool {
        let read = |form: &str| serde_json::from_str::<Value>(form).ok();
        let form = extras.form.map(RawValue::get);
        let same_form = match (self.form.as_deref(), form) {
            (Some(known), Some(given)) => known == given || read(known) == read(given),
            (known, given) => known == given,
        };
        same_form && self.product.as_deref() == extras.product
    }
}

/// What PostgreSQL says of a sale besides its terms; none: there is no such sale.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn sale_facts(client: &impl GenericClient, sale: &str) -> Result<Option<SaleFacts>, Error> {
    let row = client.query_opt(sql::sales::FACTS, &[&sale, &to_sql(OVER_MS_MAX)]).await?;
    Ok(row.map(|row| {
        let price = row.get::<_, Option<i64>>(2).zip(row.get(3));
        SaleFacts {
            product: row.get(0),
            form: row.get(1),
            price: price.map(|(amount, currency)| Price { amount: from_sql(amount), currency }),
            is_over: row.get(4),
        }
    }))
}

/// The terms of a sale, if there is one.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn terms(client: &impl GenericClient, sale: &str) -> Result<Option<Terms>, Error> {
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
    extras: Extras<'_>,
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
                &extras.product,
                &extras.form.map(Json),
            ],
        )
        .await?;
    Ok(created > 0)
}
