//! Payments: made once for a reservation, and settled or given back by what became of its order.
//!
//! Nobody decides that a payment is to be given back: a timeout, a crash or a lost answer leaves it pending, and
//! [`follow_orders`] reads off the order's end what is to become of it.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::catalogue::Price;
use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::sql;

/// How a reservation is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means<'a> {
    /// From the buyer's balance.
    Balance(&'a Price),
    /// To somebody else, who calls the payment that.
    External(&'a str),
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentState {
    /// Its order has not ended, as far as PostgreSQL knows.
    Pending,
    /// Its order is confirmed.
    Settled,
    /// Its order was not confirmed: the buyer's balance has it back, or whoever took it is to give it back.
    GivenBack,
}

/// A payment as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// What was debited; none: it was paid to somebody else.
    pub debited: Option<Price>,
    /// What somebody else calls it.
    pub reference: Option<String>,
    /// Where it stands.
    pub state: PaymentState,
}

impl Payment {
    /// Whether it was made by these means.
    #[must_use]
    pub fn is_by(&self, means: Means<'_>) -> bool {
        match means {
            Means::Balance(price) => self.debited.as_ref() == Some(price),
            Means::External(reference) => self.reference.as_deref() == Some(reference),
        }
    }
}

/// Pays for a reservation, unless that was done before, and gives the payment as it stands; none: the buyer's balance is
/// too low, or of another currency, or there is none. Whoever repeats it pays once.
///
/// # Errors
/// When PostgreSQL is in trouble: whether it was paid is unknown, and the call may be repeated.
pub async fn pay(
    client: &Client,
    sale: &str,
    id: u64,
    buyer: &str,
    means: Means<'_>,
) -> Result<Option<Payment>, Error> {
    let id_sql = to_sql(id);
    let paid = match means {
        Means::Balance(Price { amount, currency }) => {
            client.execute(sql::payments::DEBIT, &[&sale, &id_sql, &buyer, &to_sql(*amount), currency]).await
        }
        Means::External(reference) => client.execute(sql::payments::REFER, &[&sale, &id_sql, &buyer, &reference]).await,
    };
    match paid {
        // Somebody paid at the same time.
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {}
        paid => {
            paid?;
        }
    }
    payment(client, sale, id).await
}

/// The payment for a reservation, if there is one.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn payment(client: &Client, sale: &str, id: u64) -> Result<Option<Payment>, Error> {
    let row = client.query_opt(sql::payments::PAYMENT, &[&sale, &to_sql(id)]).await?;
    Ok(row.map(|row| {
        let debited = row.get::<_, Option<i64>>(1).zip(row.get(2));
        Payment {
            debited: debited.map(|(amount, currency)| Price { amount: from_sql(amount), currency }),
            reference: row.get(3),
            state: match row.get(4) {
                "pending" => PaymentState::Pending,
                "settled" => PaymentState::Settled,
                _ => PaymentState::GivenBack,
            },
        }
    }))
}

/// How many payments followed their orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Followed {
    /// Their orders are confirmed.
    pub settled: u64,
    /// Their buyers' balances have them back.
    pub refunded: u64,
    /// Whoever took them is to give them back.
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
