//! Pays for a reservation on the way to its confirm.

use std::borrow::Cow;

use flash_client::{Call, CallError, Durability, DurableError};
use flash_vault::{Means, PaymentState, Price};
use flash_wire::{ReservationStatus, State};

use super::app::App;
use super::identity::Caller;
use super::problem::{FieldError, Kind, Problem};
use super::{fields, sale_status};
use crate::limits::REFERENCE_BYTES_MAX;

/// The longest word for a means.
const MEANS_BYTES_MAX: usize = "external".len();

/// How the body wants to pay.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish<'a> {
    /// From the buyer's balance.
    Balance,
    /// It is paid elsewhere, under this reference.
    External(Cow<'a, str>),
}

impl<'a> Wish<'a> {
    pub(crate) fn read(json: &'a [u8]) -> Result<Self, Problem> {
        let [payment, reference] = fields::body(json, ["payment", "reference"])?;
        let given = payment.required()?;
        match given.name(MEANS_BYTES_MAX).as_deref() {
            Ok("balance") if reference.is_given() => Err(reference.refused("must stand beside external").into()),
            Ok("balance") => Ok(Self::Balance),
            Ok("external") => Ok(Self::External(reference.required()?.name(REFERENCE_BYTES_MAX)?)),
            _ => Err(given.refused("must be balance or external").into()),
        }
    }
}

/// Whether there is a payment for the reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paid {
    /// It is made, now or before: it follows the order from now on.
    Yes,
    /// There is no hold to pay for: why, the confirm after it says best.
    No,
}

/// Pays, unless it was done before. A problem means that nothing was taken, unless it says that it is not known.
///
/// The order matters: everything that would refuse the confirm is looked at, then the hold is paid, then confirmed.
/// Wherever that breaks off, the payment waits for the end of the order, and follows it.
pub(crate) async fn take(
    app: &App,
    caller: &Caller,
    (sale, id): (&str, u64),
    durability: Durability,
    wish: Wish<'_>,
) -> Result<Paid, Problem> {
    let status = look(app, sale, id, durability).await?;
    // An id is its buyer's. Another buyer's reservation of the same number is none of the caller's.
    if caller.buyer().is_some_and(|buyer| buyer != status.buyer) {
        return Err(Kind::UnknownReservation.into());
    }
    if !status.state.is_active() {
        return Ok(Paid::No);
    }
    let due;
    let means = match &wish {
        Wish::Balance => {
            due = price(app, sale, &status).await?;
            Means::Balance(&due)
        }
        Wish::External(reference) => Means::External(reference),
    };
    let payment = match status.state {
        State::Held => match app.debits.pay(sale, id, &status.buyer, means).await? {
            Some(payment) => payment,
            None => return Err(unpaid(app, sale, id, &status.buyer).await),
        },
        // Sold at once, or confirmed without a payment: nothing is taken for it without the buyer's knowledge.
        _ => of_read(app.orders.payment(sale, id, &status.buyer).await)?.ok_or(Kind::Conflict)?,
    };
    if !payment.is_by(means) {
        return Err(Problem::new(Kind::Conflict, "it is paid for otherwise"));
    }
    if payment.state == PaymentState::GivenBack {
        return Err(Problem::new(Kind::Conflict, "the payment is given back, for the reservation had ended"));
    }
    Ok(Paid::Yes)
}

/// Looks whether a confirm can be made at all, and with this durability. Nothing is changed.
async fn look(app: &App, sale: &str, id: u64, durability: Durability) -> Result<ReservationStatus<'static>, Problem> {
    if !durability.is_memory() {
        app.durable.check(durability).await.map_err(not_durable)?;
    }
    let (of_id, of_sale) = tokio::join!(app.redis.call(Call::reservation_status(sale, id)), sale_status::of(app, sale));
    let of_sale = of_read(of_sale)??;
    if of_sale.phase == FENCED {
        return Err(Kind::Fenced.into());
    }
    Ok(of_read(of_id)??)
}

/// What STATUS calls the phase of a sale that is in doubt.
const FENCED: &str = "fenced";

/// A look has no outcome to know.
fn of_read<T, E: Into<Problem>>(looked: Result<T, E>) -> Result<T, Problem> {
    looked.map_err(|error| error.into().of_read())
}

/// The same for a look at what Redis can promise.
fn not_durable(error: DurableError) -> Problem {
    match error {
        DurableError::Short | DurableError::Call(CallError::Unknown(_)) => {
            Problem::new(Kind::DurabilityUnavailable, "Redis did not give it in time just now")
        }
        error => Problem::from(error).of_read(),
    }
}

/// Why nothing was debited for a hold.
async fn unpaid(app: &App, sale: &str, id: u64, buyer: &str) -> Problem {
    let ended = async {
        if app.orders.rejection(sale, id).await?.is_some_and(|rejection| rejection.buyer == buyer) {
            return Ok(true);
        }
        let order = app.orders.order(sale, id).await?;
        Ok(order.is_some_and(|order| order.buyer == buyer && order.state != State::Held))
    };
    match of_read::<_, crate::orders::OrdersError>(ended.await) {
        Ok(true) => Problem::new(Kind::Conflict, "PostgreSQL has another end of the reservation: look at it"),
        Ok(false) => Kind::InsufficientBalance.into(),
        Err(problem) => problem,
    }
}

/// What a failed confirm means when there is a payment: the payment stays, and follows the order.
pub(crate) fn after(problem: Problem) -> Problem {
    match problem.kind {
        // It is done, or may be.
        Kind::OutcomeUnknown | Kind::DurabilityShort => problem,
        Kind::Expired | Kind::Conflict | Kind::UnknownReservation => {
            Problem::new(problem.kind, "the hold has ended otherwise: what was paid for it is given back")
        }
        _ => Problem::new(
            Kind::OutcomeUnknown,
            "it is paid for, and not confirmed yet: send the request again; if the hold ends otherwise, the payment is given back",
        ),
    }
}

/// What a reservation costs.
async fn price(app: &App, sale: &str, status: &ReservationStatus<'_>) -> Result<Price, Problem> {
    let facts = app.catalogue.facts(&app.redis, &app.orders, sale).await.map_err(|_| Kind::PostgresAway)?;
    let refuse = |detail: &str| {
        Problem::from(FieldError { pointer: "/payment".to_owned(), detail: format!("payment by balance {detail}") })
    };
    let price = facts.price.as_ref().ok_or_else(|| refuse("needs a sale of a product, which has a price"))?;
    let units = status.items.iter().map(|(_, units)| *units).sum::<u64>();
    let amount = price.amount.checked_mul(units).ok_or_else(|| refuse("is for less than that costs"))?;
    Ok(Price { amount, currency: price.currency.clone() })
}
