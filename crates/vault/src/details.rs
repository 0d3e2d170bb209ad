//! What PostgreSQL alone knows of a reservation: its data, what it buys, and how it is paid for.

use tokio_postgres::Client;

use crate::catalogue::Price;
use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::sql;

/// What comes with an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDetails {
    /// What the buyer sent along: the text of its JSON.
    pub data: Option<String>,
    /// What the sale sells, and what one unit costs.
    pub product: Option<(String, Price)>,
    /// What pays for it; where nothing does, the newest payment that was to.
    pub payment: Option<OrderPayment>,
}

/// A payment, as its buyer may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPayment {
    /// `balance` or `external`.
    pub means: String,
    /// How much it is, if that is known.
    pub amount: Option<u64>,
    /// Of the amount.
    pub currency: Option<String>,
    /// What the payment service calls it.
    pub reference: Option<String>,
    /// The name of its [`PaymentState`](crate::PaymentState).
    pub state: String,
    /// Why it does not pay for the reservation, if it does not.
    pub reason: Option<String>,
    /// What the payment service calls the refund.
    pub refund_reference: Option<String>,
}

/// The details of a buyer's order, if PostgreSQL has it.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn order_details(client: &Client, sale: &str, id: u64, buyer: &str) -> Result<Option<OrderDetails>, Error> {
    let row = client.query_opt(sql::orders::DETAILS, &[&sale, &to_sql(id), &buyer]).await?;
    Ok(row.map(|row| {
        let price = |amount, currency| Price { amount: from_sql(amount), currency };
        let product = row.get::<_, Option<String>>("product");
        let payment = row.get::<_, Option<String>>("means").map(|means| OrderPayment {
            means,
            amount: row.get::<_, Option<i64>>("amount").map(from_sql),
            currency: row.get("paid_currency"),
            reference: row.get("reference"),
            state: row.get("state"),
            reason: row.get("reason"),
            refund_reference: row.get("refund_reference"),
        });
        OrderDetails {
            data: row.get("data"),
            product: product.map(|product| (product, price(row.get("price"), row.get("currency")))),
            payment,
        }
    }))
}
