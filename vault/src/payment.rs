//! Payments: made once for a reservation, and settled or given back by what became of its order.
//!
//! Nobody decides that a payment is to be given back: a timeout, a crash or a lost answer leaves it pending, and
//! [`follow_orders`] reads off the order's end what is to become of it.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Row};

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
    /// Its order was not confirmed: the buyer's balance has it back or gets it now, or whoever took it is to give it
    /// back.
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

/// Pays for a buyer's reservation, unless that was done before, and gives the payment as it is; none: the buyer's
/// balance is too low, or of another currency, or there is none, or the reservation has ended or was refused in
/// PostgreSQL. A repeat pays once.
///
/// The client should have a statement timeout ([`limit_statements`]): without one a debit that waits for a lock may be
/// made long after its caller gave up.
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
    payment(client, sale, id, buyer).await
}

/// From now on a statement of this connection ends after `limit_ms`, its wait for locks included.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn limit_statements(client: &Client, limit_ms: u64) -> Result<(), Error> {
    client.query_one(sql::STATEMENT_LIMIT, &[&format!("{limit_ms}ms")]).await?;
    Ok(())
}

/// The payment for a buyer's reservation, if there is one.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn payment(client: &Client, sale: &str, id: u64, buyer: &str) -> Result<Option<Payment>, Error> {
    let row = client.query_opt(sql::payments::PAYMENT, &[&sale, &to_sql(id), &buyer]).await?;
    Ok(row.map(|row| Payment {
        debited: price(&row, 1, 2),
        reference: row.get(3),
        state: match row.get(4) {
            PENDING => PaymentState::Pending,
            SETTLED => PaymentState::Settled,
            _ => PaymentState::GivenBack,
        },
    }))
}

fn price(row: &Row, amount: usize, currency: usize) -> Option<Price> {
    let (amount, currency) = row.get::<_, Option<i64>>(amount).zip(row.get(currency))?;
    Some(Price { amount: from_sql(amount), currency })
}

const PENDING: &str = "pending";
const SETTLED: &str = "settled";
/// All states that a payment has in the table.
pub const PAYMENT_STATES: [&str; 4] = [PENDING, SETTLED, "refunded", "refund_due"];

/// A payment as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// The sale.
    pub sale: String,
    /// The reservation.
    pub id: u64,
    /// Who paid.
    pub buyer: String,
    /// What was debited; none: it was paid to somebody else.
    pub debited: Option<Price>,
    /// What somebody else calls it.
    pub reference: Option<String>,
    /// When it was made, as text.
    pub at: String,
}

/// At most `count` payments in a state (one of [`PAYMENT_STATES`]), by sale and reservation, after the one given.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn payment_page(
    client: &Client,
    state: &str,
    (sale, id): (&str, u64),
    count: u64,
) -> Result<Vec<PaymentRow>, Error> {
    let rows = client.query(sql::payments::PAGE, &[&state, &sale, &to_sql(id), &to_sql(count)]).await?;
    let payment = |row: &Row| PaymentRow {
        sale: row.get(0),
        id: from_sql(row.get(1)),
        buyer: row.get(2),
        debited: price(row, 3, 4),
        reference: row.get(5),
        at: row.get(6),
    };
    Ok(rows.iter().map(payment).collect())
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
