//! The payments of all sales: what operators see of them, what is to be paid back, and how they follow their orders.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::payment::{Payment, PaymentState};
use crate::report::one;
use crate::sql;

/// Which payments a page has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PaymentFilter<'a> {
    /// In this state.
    pub state: Option<PaymentState>,
    /// Of this sale.
    pub sale: Option<&'a str>,
    /// With a higher number than this.
    pub after: u64,
}

/// At most `count` payments that the filter lets through, by number.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn payment_page(client: &Client, filter: &PaymentFilter<'_>, count: u64) -> Result<Vec<Payment>, Error> {
    let PaymentFilter { state, sale, after } = filter;
    let state = state.map(PaymentState::name);
    let rows = client.query(sql::payments::PAGE, &[&state, sale, &to_sql(*after), &to_sql(count)]).await?;
    Ok(rows.iter().map(Payment::of).collect())
}

/// What payment services are to pay back, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its code; `unknown`: no report named it, and the sale has no price.
    pub currency: String,
    /// How many payments.
    pub payments: u64,
    /// How much of those of which it is known, in the currency's smallest unit.
    pub amount: u64,
}

/// What is to be paid back, in at most `currencies` currencies.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn due_payments(client: &Client, currencies: u64) -> Result<Vec<Due>, Error> {
    let rows = client.query(sql::payments::DUE, &[&to_sql(currencies)]).await?;
    let due = |row: &tokio_postgres::Row| Due {
        currency: row.get(0),
        payments: from_sql(row.get(1)),
        amount: from_sql(row.get(2)),
    };
    Ok(rows.iter().map(due).collect())
}

/// Rows of a sale's totals: four states, in a hundred currencies each.
pub const PAYMENT_TOTALS_MAX: u64 = 400;

/// The payments of a sale in one state and currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentTotal {
    /// The name of their [`PaymentState`].
    pub state: String,
    /// Its code; `unknown`: no report named it, and the sale has no price.
    pub currency: String,
    /// How many payments.
    pub payments: u64,
    /// How much of those of which it is known, in the currency's smallest unit.
    pub amount: u64,
}

/// What was paid for a sale, by state and currency: at most [`PAYMENT_TOTALS_MAX`] rows.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn payment_totals(client: &Client, sale: &str) -> Result<Vec<PaymentTotal>, Error> {
    let rows = client.query(sql::payments::TOTALS, &[&sale, &to_sql(PAYMENT_TOTALS_MAX)]).await?;
    let total = |row: &tokio_postgres::Row| PaymentTotal {
        state: row.get(0),
        currency: row.get(1),
        payments: from_sql(row.get(2)),
        amount: from_sql(row.get(3)),
    };
    Ok(rows.iter().map(total).collect())
}

/// What became of a report that a payment was paid back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refund {
    /// It was, now or before, under this reference.
    Done(Payment),
    /// There is no such payment.
    Unknown,
    /// It is not to be paid back, or was paid back otherwise.
    NotDue(Payment),
    /// Another payment, of this number, was paid back under this reference.
    Clash(u64),
}

/// A payment was paid back under a reference, says somebody. A repeat changes nothing.
///
/// # Errors
/// When PostgreSQL is in trouble: whether it is written is unknown, and the report may be repeated.
pub async fn refund_payment(client: &Client, payment: u64, reference: &str, by: &str) -> Result<Refund, Error> {
    match client.execute(sql::payments::REFUND, &[&to_sql(payment), &reference, &by]).await {
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
            let row = client.query_one(sql::payments::OF_REFUND, &[&reference]).await?;
            return Ok(Refund::Clash(from_sql(row.get(0))));
        }
        refunded => refunded?,
    };
    Ok(match one(client, payment).await? {
        None => Refund::Unknown,
        Some(payment) if payment.refund_reference.as_deref() == Some(reference) => Refund::Done(payment),
        Some(payment) => Refund::NotDue(payment),
    })
}

/// How many payments followed their orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Followed {
    /// Their orders are confirmed.
    pub settled: u64,
    /// Their buyers' balances have them back.
    pub refunded: u64,
    /// Payment services are to pay them back.
    pub refund_due: u64,
}

/// Lets at most `count` payments follow their orders. Any number of processes may do so at once.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn follow_orders(client: &Client, count: u32) -> Result<Followed, Error> {
    let row = client.query_one(sql::payments::FOLLOW_ORDERS, &[&i64::from(count)]).await?;
    let [settled, refunded, refund_due] = [0, 1, 2].map(|column| from_sql(row.get(column)));
    Ok(Followed { settled, refunded, refund_due })
}
