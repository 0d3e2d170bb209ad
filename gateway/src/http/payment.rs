//! Payments on the way to a confirm: what a body wishes, and who may wish it.

mod balance;
mod external;

use std::borrow::Cow;

use flash_client::{CallError, DurableError};
use flash_wire::limits::BUYER_BYTES_MAX;

pub(crate) use self::balance::{Paid, take as take_from_balance};
pub(crate) use self::external::{Taken, take as take_report, told_late};
use schemars::JsonSchema;

use super::fields::{self, Field};
use super::identity::Caller;
use super::problem::{FieldError, Kind, Problem};
use super::schema::{BuyerName, Currency};
use super::state::App;
use crate::ids::GivenId;
use crate::limits::{AMOUNT_UNITS_MAX, REFERENCE_BYTES_MAX};

/// The longest word for a means.
const MEANS_BYTES_MAX: usize = "external".len();

/// How the body wants to pay.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PaymentWish<'a> {
    /// Not at all.
    Nothing,
    /// From the buyer's balance.
    Balance,
    /// It is paid elsewhere.
    External(ReportedPayment<'a>),
}

/// The report of an external payment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReportedPayment<'a> {
    pub(crate) reference: Cow<'a, str>,
    pub(crate) amount: Option<u64>,
    pub(crate) currency: Option<String>,
    pub(crate) buyer: Option<Cow<'a, str>>,
}

impl<'a> PaymentWish<'a> {
    pub(crate) fn read(json: &'a [u8]) -> Result<Self, Problem> {
        let [payment, told @ ..] = fields::body(json, ["payment", "reference", "amount", "currency", "buyer"])?;
        let given = payment.required()?;
        match given.name(MEANS_BYTES_MAX).as_deref() {
            Ok("balance") => match told.into_iter().find(|field| field.is_given()) {
                Some(field) => Err(field.refused("is allowed only with external").into()),
                None => Ok(Self::Balance),
            },
            Ok("external") => Ok(Self::External(ReportedPayment::read(told)?)),
            _ => Err(given.refused("must be balance or external").into()),
        }
    }
}

impl<'a> ReportedPayment<'a> {
    fn read([reference, amount, currency, buyer]: [Field<'a>; 4]) -> Result<Self, FieldError> {
        Ok(Self {
            reference: reference.required()?.name(REFERENCE_BYTES_MAX)?,
            amount: amount.optional(|amount| amount.int(0, AMOUNT_UNITS_MAX))?,
            currency: currency.is_given().then(|| fields::currency(currency)).transpose()?,
            buyer: buyer.optional(|buyer| buyer.name(BUYER_BYTES_MAX))?,
        })
    }
}

/// Whether this caller may wish to pay so. The buyers' listener accepts no statement that something is paid: buyers
/// pay from their balance, and what is paid elsewhere a payment service reports on the operators' listener. What has a
/// price is never confirmed without a payment.
///
/// # Errors
/// Names what must be said instead. Nothing was changed.
pub(crate) async fn check(app: &App, sale: &str, wish: &PaymentWish<'_>) -> Result<(), Problem> {
    let is_buyers = !app.surface.is_operators();
    match wish {
        PaymentWish::Balance => Ok(()),
        PaymentWish::External(_) if is_buyers => Err(Problem::new(
            Kind::Forbidden,
            "payment must be balance here: what is paid elsewhere is reported by the payment service, on the \
             operators' listener",
        )),
        PaymentWish::External(_) => Ok(()),
        PaymentWish::Nothing if !has_price(app, sale).await? => Ok(()),
        PaymentWish::Nothing => {
            let how =
                if is_buyers { "it is balance" } else { "external with the reference of the payment, or balance" };
            let detail = format!("payment is required, because the sale has a price: {how}");
            Err(FieldError { pointer: "/payment".to_owned(), detail }.into())
        }
    }
}

/// Whether PostgreSQL has a price of the sale's units. What Redis says is not asked: who may write there sets no
/// prices.
async fn has_price(app: &App, sale: &str) -> Result<bool, Problem> {
    let price = of_read(app.catalogue.price(&app.redis, &app.postgres, sale).await)?;
    Ok(price.is_some_and(|price| price.amount > 0))
}

/// A look has no outcome to know.
fn of_read<T, E: Into<Problem>>(looked: Result<T, E>) -> Result<T, Problem> {
    looked.map_err(|error| error.into().of_read())
}

/// The same for a look at what Redis can promise.
fn not_durable(error: DurableError) -> Problem {
    match error {
        DurableError::Short | DurableError::Call(CallError::Unknown(_)) => {
            Problem::new(Kind::DurabilityUnavailable, "Redis did not confirm it in time for a recent request")
        }
        error => Problem::from(error).of_read(),
    }
}

/// What a failed confirm means when the payment is there: it stays pending, and follows its order. None: the hold has
/// ended otherwise, as Redis says.
pub(crate) fn unless_ended(problem: Problem) -> Option<Problem> {
    match problem.kind {
        // It is done, or may be.
        Kind::OutcomeUnknown | Kind::DurabilityShort => Some(problem),
        Kind::Expired | Kind::Conflict | Kind::UnknownReservation => None,
        _ => Some(Problem::new(
            Kind::OutcomeUnknown,
            "the payment is recorded as pending, and the reservation is not confirmed yet: send the request again; if \
             the hold ends otherwise, the payment is given back",
        )),
    }
}

/// Whether the caller may know of this buyer's reservation by the id that was given.
fn is_theirs(app: &App, caller: &Caller, sale: &str, given: GivenId, buyer: &str) -> bool {
    match caller {
        Caller::Operator(_) if given.mac.is_none() => true,
        Caller::Anyone | Caller::Buyer(_) | Caller::Operator(_) => app.ids.made(sale, given, buyer),
    }
}

/// How a reservation is paid for. With `external`, `reference` is required; with `balance`, no other field may be
/// given.
#[derive(JsonSchema)]
#[schemars(
    rename = "Confirmation", deny_unknown_fields,
    extend(
        "examples" = [
            { "payment": "balance" }, { "payment": "external", "reference": "pi_3OqX" },
            { "payment": "external", "reference": "pi_3OqY", "amount": 1999, "currency": "EUR", "buyer": "ada" },
        ],
    ),
)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct PaymentWanted {
    /// From the buyer's balance, or elsewhere. What is paid elsewhere only a payment service may report.
    #[schemars(extend("enum" = ["balance", "external"]))]
    payment: String,
    /// What the payment service calls the payment: with `external`, and only there. One reference is one payment.
    #[schemars(length(min = 1, max = REFERENCE_BYTES_MAX))]
    reference: Option<String>,
    /// How much was paid, in the currency's smallest unit; by default the price. Another amount is to be paid
    /// back.
    #[schemars(range(max = AMOUNT_UNITS_MAX))]
    amount: Option<u64>,
    /// Of the amount; by default the price's.
    currency: Option<Currency>,
    /// Who paid; by default whose reservation it is.
    buyer: Option<BuyerName>,
}

#[cfg(test)]
mod tests;
