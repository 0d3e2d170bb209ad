//! The catalogue: products, and the buyers who pay for them.

use tokio_postgres::{GenericClient, Row};

use crate::creation::Creation;
use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::sql;

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// In the currency's smallest unit.
    pub amount: u64,
    /// Its code: three capital letters.
    pub currency: String,
}

/// A product. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub product: String,
    /// What people call it.
    pub name: String,
    /// What one unit costs.
    pub price: Price,
    /// What it comes as.
    pub skus: Vec<String>,
}

/// A buyer's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    /// The name, as in reservations.
    pub buyer: String,
    /// With what the account was opened.
    pub opening_balance: u64,
    /// What is left of it.
    pub balance: u64,
    /// Of both.
    pub currency: String,
}

/// Creates a product.
///
/// # Errors
/// When PostgreSQL is in trouble: whether it was created is unknown, and the call may be repeated.
pub async fn create_product(client: &impl GenericClient, wanted: &Product) -> Result<Creation, Error> {
    let Product { product: id, name, price, skus } = wanted;
    let created = client
        .execute(sql::catalogue::CREATE_PRODUCT, &[id, name, &to_sql(price.amount), &price.currency, skus])
        .await?;
    if created > 0 {
        return Ok(Creation::Created);
    }
    let same = product(client, id).await?.as_ref() == Some(wanted);
    Ok(if same { Creation::Exists } else { Creation::Differs })
}

/// One product, if there is one of this id.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn product(client: &impl GenericClient, id: &str) -> Result<Option<Product>, Error> {
    let row = client.query_opt(sql::catalogue::PRODUCT, &[&id]).await?;
    Ok(row.map(|row| read(id.to_owned(), &row)))
}

/// The products after the id `after`, by id, at most `limit`.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn product_page(client: &impl GenericClient, after: &str, limit: u64) -> Result<Vec<Product>, Error> {
    let rows = client.query(sql::catalogue::PRODUCTS, &[&after, &to_sql(limit)]).await?;
    Ok(rows.iter().map(|row| read(row.get(4), row)).collect())
}

fn read(product: String, row: &Row) -> Product {
    let price = Price { amount: from_sql(row.get(1)), currency: row.get(2) };
    Product { product, name: row.get(0), price, skus: row.get(3) }
}

/// Opens a buyer's account with a balance. The same again leaves the balance as it is.
///
/// # Errors
/// When PostgreSQL is in trouble: whether it was opened is unknown, and the call may be repeated.
pub async fn create_buyer(client: &impl GenericClient, name: &str, opening: &Price) -> Result<Creation, Error> {
    let Price { amount, currency } = opening;
    let opened = client.execute(sql::catalogue::CREATE_BUYER, &[&name, &to_sql(*amount), currency]).await?;
    if opened > 0 {
        return Ok(Creation::Created);
    }
    let is_same = |known: Buyer| known.opening_balance == *amount && known.currency == *currency;
    Ok(if buyer(client, name).await?.is_some_and(is_same) { Creation::Exists } else { Creation::Differs })
}

/// One buyer's account, if there is one.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn buyer(client: &impl GenericClient, name: &str) -> Result<Option<Buyer>, Error> {
    let row = client.query_opt(sql::catalogue::BUYER, &[&name]).await?;
    Ok(row.as_ref().map(account))
}

/// The accounts after the buyer `after`, by buyer, at most `limit`.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn buyer_page(client: &impl GenericClient, after: &str, limit: u64) -> Result<Vec<Buyer>, Error> {
    let rows = client.query(sql::catalogue::BUYERS, &[&after, &to_sql(limit)]).await?;
    Ok(rows.iter().map(account).collect())
}

fn account(row: &Row) -> Buyer {
    Buyer {
        buyer: row.get(0),
        opening_balance: from_sql(row.get(1)),
        balance: from_sql(row.get(2)),
        currency: row.get(3),
    }
}
