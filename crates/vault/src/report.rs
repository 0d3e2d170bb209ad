//! Payments elsewhere, as a payment service reports them. Each report leaves a row, or finds the one that an earlier
//! report of the same reference left.

use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::payment::{Payment, PaymentState};
use crate::sql;

/// How often a report is tried again that another one came between.
const ATTEMPTS_MAX: usize = 3;

/// What is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentReport<'a> {
    /// The sale.
    pub sale: &'a str,
    /// The reservation.
    pub id: u64,
    /// What the payment service calls the payment.
    pub reference: &'a str,
    /// How much it was, in the currency's smallest unit; none: it is not said, and taken for the price.
    pub amount: Option<u64>,
    /// Of what; none: of the price's currency.
    pub currency: Option<&'a str>,
    /// Who paid; none: whose reservation it is.
    pub buyer: Option<&'a str>,
}

impl PaymentReport<'_> {
    /// What an earlier report of the same reference said otherwise: the field, and what it was then. None: they agree.
    /// What the earlier one left open contradicts nothing.
    #[must_use]
    pub fn differs(&self, known: &Payment) -> Option<(&'static str, String)> {
        if known.sale != self.sale || known.id != self.id {
            return Some(("reservation", format!("{} of the sale {}", known.id, known.sale)));
        }
        if let Some(amount) = other(self.amount, known.amount) {
            return Some(("amount", amount.to_string()));
        }
        if let Some(currency) = other(self.currency, known.currency.as_deref()) {
            return Some(("currency", currency.to_owned()));
        }
        other(self.buyer, known.buyer.as_deref()).map(|buyer| ("buyer", buyer.to_owned()))
    }

    /// Whether it says what no earlier report of the same reference said.
    fn adds_to(&self, known: &Payment) -> bool {
        self.amount.is_some() && known.amount.is_none()
            || self.currency.is_some() && known.currency.is_none()
            || self.buyer.is_some() && known.buyer.is_none()
    }
}

/// What is known, if it is not what is said now.
fn other<T: PartialEq>(said: Option<T>, known: Option<T>) -> Option<T> {
    let said = said?;
    known.filter(|known| *known != said)
}

/// What is known of the reservation that a report names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reserved<'a> {
    /// Who reserved.
    pub buyer: Option<&'a str>,
    /// How many units.
    pub units: Option<u64>,
    /// Why it cannot be paid for.
    pub over: Option<Over>,
}

impl Reserved<'_> {
    const fn is_known(&self) -> bool {
        self.buyer.is_some() || self.over.is_some()
    }
}

/// Why a reservation cannot be paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// It was released, has expired, or was refused.
    Late,
    /// There is none of this id.
    Unknown,
}

impl Over {
    const fn name(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Unknown => "unknown",
        }
    }
}

/// Writes a payment down, unless it was reported before, and gives its state. It pays for the reservation, or is
/// to be paid back: because it came late, is the second one, or is not what the reservation costs.
///
/// # Errors
/// When PostgreSQL is in trouble: whether it was written is unknown, and the report may be repeated.
pub async fn report_payment(
    client: &Client,
    report: &PaymentReport<'_>,
    reserved: &Reserved<'_>,
) -> Result<Payment, Error> {
    for _ in 0..ATTEMPTS_MAX {
        let is_new = write(client, sql::payments::REPORT, report, reserved).await?;
        // None: another payment for the reservation was written in the same moment. The next attempt sees it.
        let Some(known) = of_reference(client, report.reference).await? else { continue };
        let is_judged = known.state != PaymentState::Pending || !reserved.is_known();
        if is_new || report.differs(&known).is_some() || is_judged && !report.adds_to(&known) {
            return Ok(known);
        }
        // It may have been reported while it was unknown what it is for, or without all that is said now.
        if known.state == PaymentState::Pending {
            let all = PaymentReport {
                amount: report.amount.or(known.amount),
                currency: report.currency.or(known.currency.as_deref()),
                buyer: report.buyer.or(known.buyer.as_deref()),
                ..*report
            };
            write(client, sql::payments::REPORT_AGAIN, &all, reserved).await?;
        } else {
            let amount = report.amount.map(to_sql);
            client
                .execute(sql::payments::FILL_IN, &[&report.reference, &amount, &report.currency, &report.buyer])
                .await?;
        }
        let Some(known) = of_reference(client, report.reference).await? else { continue };
        // It has the reservation's buyer unless another payment came between.
        if known.buyer.is_some() || reserved.buyer.is_none() || !known.state.pays() {
            return Ok(known);
        }
    }
    Err(Error::Contended)
}

/// Whether a row was written. Not where it would be a second one of its reference, or a second one that pays.
async fn write(
    client: &Client,
    statement: &str,
    report: &PaymentReport<'_>,
    reserved: &Reserved<'_>,
) -> Result<bool, Error> {
    let PaymentReport { sale, id, reference, amount, currency, buyer } = report;
    let (id, amount, units) = (to_sql(*id), amount.map(to_sql), reserved.units.map(to_sql));
    let over = reserved.over.map(Over::name);
    let values: [&(dyn ToSql + Sync); 9] =
        [sale, &id, &reserved.buyer, &units, reference, &amount, currency, buyer, &over];
    match client.execute(statement, &values).await {
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(false),
        written => Ok(written? > 0),
    }
}

async fn of_reference(client: &Client, reference: &str) -> Result<Option<Payment>, Error> {
    let row = client.query_opt(sql::payments::OF_REFERENCE, &[&reference]).await?;
    Ok(row.as_ref().map(Payment::of))
}

/// A payment elsewhere that waits is to be paid back, because Redis says that the hold has ended or that there is no
/// such reservation. Gives its state; none: there is no such payment.
///
/// # Errors
/// When PostgreSQL is in trouble: the payment stays as it is, and follows its order.
pub async fn owe_payment(client: &Client, payment: u64, over: Over) -> Result<Option<Payment>, Error> {
    client.execute(sql::payments::OWE, &[&to_sql(payment), &over.name()]).await?;
    one(client, payment).await
}

/// A payment elsewhere that waits for an order, and PostgreSQL has not come as far as its reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AheadPayment {
    /// Its number.
    pub payment: u64,
    /// The sale.
    pub sale: String,
    /// The reservation that the report named.
    pub id: u64,
}

/// At most `count` payments elsewhere that were reported `age_s` seconds ago or earlier, for reservations after the
/// last event of their sales that PostgreSQL has. Nothing ends such a payment if the reservation was never made.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn payments_ahead(client: &Client, age_s: u32, count: u32) -> Result<Vec<AheadPayment>, Error> {
    let rows = client.query(sql::payments::AHEAD, &[&f64::from(age_s), &i64::from(count)]).await?;
    let ahead = |row: &Row| AheadPayment { payment: from_sql(row.get(0)), sale: row.get(1), id: from_sql(row.get(2)) };
    Ok(rows.iter().map(ahead).collect())
}

pub(crate) async fn one(client: &Client, payment: u64) -> Result<Option<Payment>, Error> {
    let row = client.query_opt(sql::payments::OF_NUMBER, &[&to_sql(payment)]).await?;
    Ok(row.as_ref().map(Payment::of))
}
