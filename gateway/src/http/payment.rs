//! Pays for a reservation on the way to its confirm.

use std::borrow::Cow;

use flash_client::Call;
use flash_vault::{Means, PaymentState, Price};
use flash_wire::{ReservationStatus, State};

use super::app::App;
use super::fields;
use super::problem::{FieldError, Kind, Problem};
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

/// Pays, unless it was done before, or there is no hold to pay for: that the confirm behind it says best.
///
/// The order matters: the hold is looked at, then paid, then confirmed. Wherever that breaks off, the payment waits for the
/// end of the order, and follows it.
pub(crate) async fn take(app: &App, sale: &str, id: u64, wish: Wish<'_>) -> Result<(), Problem> {
    let status = app.redis.call(Call::reservation_status(sale, id)).await??;
    if !status.state.is_active() {
        return Ok(());
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
        State::Held => app.orders.pay(sale, id, &status.buyer, means).await?.ok_or(Kind::InsufficientBalance)?,
        // Sold at once, or confirmed without a payment: nothing is taken for it behind its back.
        _ => app.orders.payment(sale, id).await?.ok_or(Kind::Conflict)?,
    };
    if !payment.is_by(means) {
        return Err(Problem::new(Kind::Conflict, "it is paid for otherwise"));
    }
    if payment.state == PaymentState::GivenBack {
        return Err(Problem::new(Kind::Conflict, "the payment is given back, for the reservation had ended"));
    }
    Ok(())
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
