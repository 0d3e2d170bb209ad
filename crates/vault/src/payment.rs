//! Payments: one pays for a reservation, and every other one is to be paid back. Each that was made or reported has a
//! row, whatever became of its reservation.
//!
//! What becomes of a payment is read off the end of its order ([`follow_orders`](crate::follow_orders)): a timeout, a
//! crash or a lost answer leaves it pending.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Row};

use crate::catalogue::Price;
use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::sql;

/// Bytes of what a payment service calls a payment or a refund.
pub const REFERENCE_BYTES_MAX: usize = 256;

/// The state of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentState {
    /// Its order has not ended, as far as PostgreSQL knows.
    Pending,
    /// Its order is confirmed.
    Settled,
    /// It does not pay for an order: the payment service is to pay it back. (Of a debit: the balance has it soon.)
    RefundDue,
    /// It was paid back.
    Refunded,
}

impl PaymentState {
    /// All of them, by their names.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("pending", Self::Pending),
        ("settled", Self::Settled),
        ("refund_due", Self::RefundDue),
        ("refunded", Self::Refunded),
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Settled => "settled",
            Self::RefundDue => "refund_due",
            Self::Refunded => "refunded",
        }
    }

    /// Whether it pays for its reservation.
    #[must_use]
    pub const fn pays(self) -> bool {
        matches!(self, Self::Pending | Self::Settled)
    }
}

/// A payment's current state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its number, by which a refund is reported.
    pub payment: u64,
    /// The sale.
    pub sale: String,
    /// The reservation.
    pub id: u64,
    /// Who paid, or whose reservation it is for; none: unknown.
    pub buyer: Option<String>,
    /// `balance` or `external`.
    pub means: String,
    /// How much, in the currency's smallest unit; none: it was not said, and the sale has no price.
    pub amount: Option<u64>,
    /// Of what.
    pub currency: Option<String>,
    /// What the payment service calls it; none: it is a debit of the buyer's balance.
    pub reference: Option<String>,
    /// Its state.
    pub state: PaymentState,
    /// Why it does not pay for its reservation: a word.
    pub reason: Option<String>,
    /// What the payment service calls the refund.
    pub refund_reference: Option<String>,
    /// Who reported that.
    pub refunded_by: Option<String>,
    /// When it was made or reported, as text.
    pub at: String,
}

impl Payment {
    pub(crate) fn of(row: &Row) -> Self {
        let state: &str = row.get(8);
        let named = |(name, _): &(&str, PaymentState)| *name == state;
        Self {
            payment: from_sql(row.get(0)),
            sale: row.get(1),
            id: from_sql(row.get(2)),
            buyer: row.get(3),
            means: row.get(4),
            amount: row.get::<_, Option<i64>>(5).map(from_sql),
            currency: row.get(6),
            reference: row.get(7),
            // The table's constraint knows the same four.
            state: PaymentState::NAMES.iter().find(|state| named(state)).map_or(PaymentState::Pending, |state| state.1),
            reason: row.get(9),
            refund_reference: row.get(10),
            refunded_by: row.get(11),
            at: row.get(12),
        }
    }
}

/// What became of a wish to pay from a balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Debit {
    /// There is a payment for the reservation: this one, or one that was there before, by whatever means.
    Paid(Payment),
    /// The sale has no product, so it has no price.
    NoPrice,
    /// The buyer has no account.
    NoAccount,
    /// The account is in the first currency, the price in the second.
    OtherCurrency(String, String),
    /// The balance is the first amount, the price the second.
    TooLow(Price, Price),
    /// The reservation has ended or was refused, as PostgreSQL knows.
    Ended,
}

/// Pays for the `units` of a buyer's reservation from the balance, unless it is paid for. A repeat pays once. The price
/// is the one in PostgreSQL, read in the statement that debits.
///
/// The client should have a statement timeout ([`limit_statements`]): without one a debit that waits for a lock may be
/// made long after its caller gave up.
///
/// # Errors
/// When PostgreSQL is in trouble: whether it was paid is unknown, and the call may be repeated.
pub async fn debit(client: &Client, sale: &str, id: u64, buyer: &str, units: u64) -> Result<Debit, Error> {
    let (id_sql, units) = (to_sql(id), to_sql(units));
    match client.execute(sql::payments::DEBIT, &[&sale, &id_sql, &buyer, &units]).await {
        // Somebody paid at the same time.
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {}
        debited => {
            debited?;
        }
    }
    if let Some(payment) = payment(client, sale, id, buyer).await? {
        return Ok(Debit::Paid(payment));
    }
    let row = client.query_one(sql::payments::NOT_DEBITED, &[&sale, &id_sql, &buyer, &units]).await?;
    let (due, has) = (price(&row, 1), price(&row, 3));
    Ok(match (row.get(0), due, has) {
        (true, ..) => Debit::Ended,
        (false, None, _) => Debit::NoPrice,
        (false, Some(_), None) => Debit::NoAccount,
        (false, Some(due), Some(has)) if has.currency != due.currency => {
            Debit::OtherCurrency(has.currency, due.currency)
        }
        (false, Some(due), Some(has)) => Debit::TooLow(has, due),
    })
}

fn price(row: &Row, at: usize) -> Option<Price> {
    let (amount, currency) = row.get::<_, Option<i64>>(at).zip(row.get(at + 1))?;
    Some(Price { amount: from_sql(amount), currency })
}

/// From now on a statement of this connection ends after `limit_ms`, its wait for locks included.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn limit_statements(client: &Client, limit_ms: u64) -> Result<(), Error> {
    client.query_one(sql::STATEMENT_LIMIT, &[&format!("{limit_ms}ms")]).await?;
    Ok(())
}

/// The payment that pays for a buyer's reservation, or the debit that did and is given back.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn payment(client: &Client, sale: &str, id: u64, buyer: &str) -> Result<Option<Payment>, Error> {
    let row = client.query_opt(sql::payments::PAYING, &[&sale, &to_sql(id), &buyer]).await?;
    Ok(row.as_ref().map(Payment::of))
}
