//! Payments from a buyer's balance.

use flash_client::{Call, Durability};
use flash_vault::Debit;
use flash_wire::{ReservationStatus, State};

use super::super::identity::Caller;
use super::super::problem::{FieldError, Kind, Problem};
use super::super::sale_status;
use super::super::state::App;
use super::{not_durable, of_read};

/// Whether there is a payment for the reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paid {
    /// It is made, now or before: it follows the order from now on.
    Yes,
    /// There is no hold to pay for: why, the confirm after it says best.
    No,
}

/// Debits, unless it was done before. A problem means that nothing was taken, unless it says that it is not known.
///
/// The order matters: everything that would refuse the confirm is looked at, then the hold is paid, then confirmed.
/// Wherever that breaks off, the payment waits for the end of the order, and follows it.
pub(crate) async fn take(
    app: &App,
    caller: &Caller,
    (sale, id): (&str, u64),
    durability: Durability,
) -> Result<Paid, Problem> {
    let status = look(app, sale, id, durability).await?;
    // An id is its buyer's. Another buyer's reservation of the same number is none of the caller's.
    if caller.buyer().is_some_and(|buyer| buyer != status.made.buyer) {
        return Err(Kind::UnknownReservation.into());
    }
    let units = status.made.units();
    let payment = match status.state {
        State::Held => paid(app.debits.debit(sale, id, &status.made.buyer, units).await?)?,
        // Sold at once, or confirmed without a payment: nothing is taken for it without the buyer's knowledge.
        State::Confirmed => of_read(
            app.postgres
                .look(async |client: &_| flash_vault::payment(client, sale, id, &status.made.buyer).await)
                .await,
        )?
        .ok_or(Kind::Conflict)?,
        State::Released | State::Expired => return Ok(Paid::No),
    };
    if payment.reference.is_some() {
        return Err(Problem::new(Kind::Conflict, "the reservation is paid for by other means"));
    }
    if !payment.state.pays() {
        return Err(Problem::new(Kind::Conflict, "the payment was returned, because the reservation had ended"));
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
    if of_sale.is_fenced() {
        return Err(Kind::Fenced.into());
    }
    Ok(of_read(of_id)??)
}

/// The payment, or by its own name what keeps the balance from paying.
fn paid(debit: Debit) -> Result<flash_vault::Payment, Problem> {
    Err(match debit {
        Debit::Paid(payment) => return Ok(payment),
        Debit::NoPrice => {
            let detail = "payment by balance needs a sale with a priced product".to_owned();
            FieldError { pointer: "/payment".to_owned(), detail }.into()
        }
        Debit::NoAccount => Kind::NoAccount.into(),
        Debit::OtherCurrency(has, due) => {
            Problem::new(Kind::OtherCurrency, format!("the balance is in {has}, and the price is in {due}"))
        }
        Debit::TooLow(has, due) => Problem::new(
            Kind::InsufficientBalance,
            format!("the balance is {} {}, and the reservation costs {}", has.amount, has.currency, due.amount),
        ),
        Debit::Ended => Problem::new(
            Kind::Conflict,
            "PostgreSQL recorded another end of the reservation: read the \
                                                      reservation",
        ),
    })
}
