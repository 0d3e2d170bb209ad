//! Payments elsewhere, as a payment service reports them. What is reported is recorded, whatever became of the
//! reservation: first in PostgreSQL, then Redis confirms. Where that breaks off, the same report goes on, or the
//! payment follows its order.

use flash_client::Call;
use flash_vault::{Over, Payment, PaymentReport, PaymentState, Reserved};
use flash_wire::{Refusal, ReservationStatus, State};

use super::super::identity::Caller;
use super::super::problem::{Kind, Problem};
use super::super::sale_status;
use super::super::state::App;
use super::{ReportedPayment, is_theirs, of_read};
use crate::catalogue::sale_facts;
use crate::ids::GivenId;

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The payment of this number is recorded, and its reservation is to be confirmed.
    Pending(u64),
    /// PostgreSQL has the confirmed order: nothing is left to do.
    Confirmed,
}

/// What is known of the reservation.
#[derive(Debug, Default)]
struct SeenReservation {
    buyer: Option<String>,
    units: Option<u64>,
    over: Option<Over>,
    /// PostgreSQL has it confirmed, and Redis has the sale no more.
    is_confirmed: bool,
    /// Why Redis cannot be asked, or not be believed, just now.
    trouble: Option<Problem>,
}

/// Records the report of a payment for a reservation.
///
/// # Errors
/// When the payment is to be paid back, or was reported otherwise before; when Redis cannot confirm now, though it is
/// recorded; or when nothing is known of the record. Each says so.
pub(crate) async fn take(
    app: &App,
    caller: &Caller,
    (sale, given): (&str, GivenId),
    told: &ReportedPayment<'_>,
) -> Result<Taken, Problem> {
    let seen = look(app, caller, sale, given).await?;
    let report = PaymentReport {
        sale,
        id: given.seq,
        reference: &told.reference,
        amount: told.amount,
        currency: told.currency.as_deref(),
        buyer: told.buyer.as_deref(),
    };
    let reserved = Reserved { buyer: seen.buyer.as_deref(), units: seen.units, over: seen.over };
    let payment = app.debits.report(&report, &reserved).await?;
    if let Some((field, known)) = report.differs(&payment) {
        let detail = format!(
            "the payment {} was reported before with another {field}: {known}; nothing was changed",
            payment.payment
        );
        return Err(Problem::new(Kind::Conflict, detail));
    }
    match (payment.state, seen.trouble) {
        (PaymentState::RefundDue | PaymentState::Refunded, _) => Err(refused(&payment)),
        (PaymentState::Settled, _) => Ok(Taken::Confirmed),
        (PaymentState::Pending, _) if seen.is_confirmed => Ok(Taken::Confirmed),
        (PaymentState::Pending, Some(trouble)) => {
            Err(super::unless_ended(trouble).unwrap_or(Kind::OutcomeUnknown.into()))
        }
        (PaymentState::Pending, None) => Ok(Taken::Pending(payment.payment)),
    }
}

/// Redis says that the hold has ended: the payment is to be paid back. None: PostgreSQL has it settled nevertheless.
pub(crate) async fn told_late(app: &App, payment: u64) -> Option<Problem> {
    match app.debits.owe(payment).await {
        Ok(Some(payment)) if payment.state == PaymentState::Settled => None,
        Ok(Some(payment)) if !payment.state.pays() => Some(refused(&payment)),
        // It is pending: once PostgreSQL has the end of the order, it is due.
        Ok(_) | Err(_) => super::unless_ended(Kind::PostgresAway.into()),
    }
}

/// The payment does not pay for the reservation.
pub(crate) fn refused(payment: &Payment) -> Problem {
    let why = match payment.reason.as_deref().unwrap_or_default() {
        "unknown" => "there is no such reservation",
        "duplicate" => "the reservation is paid for by another payment",
        "other_buyer" => "the reservation is another buyer's",
        "other_currency" => "the price is in another currency",
        "other_amount" => "the reservation costs another amount",
        _ => "the hold had ended",
    };
    let state = payment.state.name();
    Problem::new(Kind::RefundDue, format!("{why}: the payment {} is recorded as {state}", payment.payment))
}

async fn look(app: &App, caller: &Caller, sale: &str, given: GivenId) -> Result<SeenReservation, Problem> {
    let id = given.seq;
    let (of_id, of_sale) = tokio::join!(app.redis.call(Call::reservation_status(sale, id)), sale_status::of(app, sale));
    let trouble = match (of_id, of_sale) {
        (_, Ok(Ok(of_sale))) if of_sale.is_fenced() => Kind::Fenced.into(),
        (Ok(Ok(status)), Ok(Ok(_))) => return Ok(SeenReservation::of(app, caller, (sale, given), status)),
        // Redis forgets what has ended.
        (Ok(Err(Refusal::Unknown)), Ok(Ok(_))) => {
            let seen = written(app, caller, sale, given).await?;
            let over = (!seen.is_confirmed).then(|| seen.over.unwrap_or(Over::Late));
            return Ok(SeenReservation { over, ..seen });
        }
        (Ok(Err(refusal)), _) | (_, Ok(Err(refusal))) => Problem::from(refusal),
        (Err(error), _) | (_, Err(error)) => Problem::from(error).of_read(),
    };
    let seen = written(app, caller, sale, given).await?;
    if seen.over != Some(Over::Unknown) {
        return Ok(SeenReservation { trouble: Some(trouble), ..seen });
    }
    // It may be on its way to PostgreSQL, if the sale is there.
    let is_sale = of_read(sale_facts(&app.postgres, sale).await)?.is_some();
    Ok(SeenReservation { over: (!is_sale).then_some(Over::Unknown), trouble: Some(trouble), ..seen })
}

/// What PostgreSQL has of the reservation.
async fn written(app: &App, caller: &Caller, sale: &str, given: GivenId) -> Result<SeenReservation, Problem> {
    let is_theirs = |buyer: &str| is_theirs(app, caller, sale, given, buyer);
    if let Some(order) =
        of_read(app.postgres.look(async |client: &_| flash_vault::order(client, sale, given.seq).await).await)?
            .filter(|order| is_theirs(&order.made.buyer))
    {
        return Ok(SeenReservation {
            over: matches!(order.state, State::Released | State::Expired).then_some(Over::Late),
            is_confirmed: order.state == State::Confirmed,
            units: Some(order.made.units()),
            buyer: Some(order.made.buyer.into_owned()),
            trouble: None,
        });
    }
    let rejection =
        of_read(app.postgres.look(async |client: &_| flash_vault::rejection(client, sale, given.seq).await).await)?;
    Ok(match rejection.filter(|rejection| is_theirs(&rejection.buyer)) {
        Some(rejection) => {
            SeenReservation { buyer: Some(rejection.buyer), over: Some(Over::Late), ..SeenReservation::default() }
        }
        None => SeenReservation { over: Some(Over::Unknown), ..SeenReservation::default() },
    })
}

impl SeenReservation {
    fn of(app: &App, caller: &Caller, (sale, given): (&str, GivenId), status: ReservationStatus<'_>) -> Self {
        if !is_theirs(app, caller, sale, given, &status.made.buyer) {
            return Self { over: Some(Over::Unknown), ..Self::default() };
        }
        Self {
            over: matches!(status.state, State::Released | State::Expired).then_some(Over::Late),
            units: Some(status.made.units()),
            buyer: Some(status.made.buyer.into_owned()),
            ..Self::default()
        }
    }
}
