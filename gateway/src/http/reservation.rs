//! One reservation: `/v1/sales/{sale}/reservations/{id}` and what ends its hold.

use flash_client::{Call, Durability};
use flash_wire::{EndHoldAnswer, Refusal, State};
use hyper::{HeaderMap, StatusCode};
use serde::Serialize;

use super::access::Access;
use super::identity::Caller;
use super::lookup::{self, Patience, ReservationView, find_patiently};
use super::payment::{Paid, PaymentWish, Taken};
use super::problem::{Kind, Problem};
use super::reply::{self, Reply, json};
use super::route::{Answer, DELETE, GET, POST, Route, Schema, Spec, handler};
use super::state::{App, Asked};
use super::target::Manner;
use super::{body, durability, idempotency_key, path, payment, request_log, reservation_id};
use crate::ids::GivenId;
use flash_vault::Role;

pub(super) static ROUTES: [Route; 3] = [
    Route {
        method: &GET,
        path: "/v1/sales/{sale}/reservations/{id}",
        name: "show-reservation",
        access: Access::Buyer(Role::Read),
        handler: handler!(|job| show(&job.app, &job.asked, &mut job.patience)),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Reservations",
            summary: "Show a reservation",
            description: "`persisted` says whether PostgreSQL has the reservation in this state. It is absent while \
                          PostgreSQL is unavailable. `data`, `product`, `price`, `currency` and `payment` are there \
                          once it is true.",
            parameters: &["Sale", "ReservationId", "Prefer"],
            answers: &[
                Answer::json(200, "The reservation.", Schema::of::<ReservationView>()).headers(&["Preference-Applied"])
            ],
            problems: &[Kind::UnknownReservation],
            ..Spec::NONE
        },
    },
    Route {
        method: &DELETE,
        path: "/v1/sales/{sale}/reservations/{id}",
        name: "release",
        access: Access::Buyer(Role::Sell),
        handler: handler!(|job| release(&job.app, &job.asked, &mut job.patience)),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Reservations",
            summary: "Release a reservation",
            description: "Its units become available again. A repeat gets the same answer.",
            parameters: &["Sale", "ReservationId", "IdempotencyKey", "Prefer", "FlashDurability"],
            answers: &[Answer::json(200, "The reservation is released.", Schema::of::<ReservationView>()).headers(&[
                "Idempotency-Replayed",
                "Flash-Durability",
                "Preference-Applied",
            ])],
            problems: &[
                Kind::UnknownReservation,
                Kind::Expired,
                Kind::Conflict,
                Kind::JournalFull,
                Kind::DurabilityUnavailable,
                Kind::DurabilityShort,
            ],
            ..Spec::NONE
        },
    },
    Route {
        method: &POST,
        path: "/v1/sales/{sale}/reservations/{id}/confirm",
        name: "confirm",
        access: Access::Buyer(Role::Pay),
        handler: handler!(|job| confirm(&job.app, &job.asked, &mut job.patience)),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Reservations",
            summary: "Confirm a reservation",
            description: "The body gives the payment; a sale without a price needs no body. Buyers pay from their \
                          `balance`. A payment service reports external payments: each report is recorded, and a \
                          payment that cannot pay for the reservation becomes `refund_due`. A repeat gets the same \
                          answer.",
            parameters: &["Sale", "ReservationId", "IdempotencyKey", "Prefer", "FlashDurability"],
            body: Some(Schema::of::<payment::PaymentWanted>()),
            body_is_optional: true,
            answers: &[Answer::json(200, "The reservation is confirmed.", Schema::of::<ReservationView>()).headers(&[
                "Idempotency-Replayed",
                "Flash-Durability",
                "Preference-Applied",
            ])],
            problems: &[
                Kind::UnknownReservation,
                Kind::Expired,
                Kind::Conflict,
                Kind::InsufficientBalance,
                Kind::NoAccount,
                Kind::OtherCurrency,
                Kind::RefundDue,
                Kind::JournalFull,
                Kind::DurabilityUnavailable,
                Kind::DurabilityShort,
            ],
        },
    },
];

/// Its path.
async fn show(app: &App, asked: &Asked, patience: &mut Patience) -> Result<Reply, Problem> {
    let Asked { target, caller, .. } = asked;
    let (sale, id) = (path::sale(&target.sale)?, target.id.as_str());
    let number = reservation_id::number(app, caller, sale, id).await?;
    let (found, granted) = find_patiently(app, sale, number, caller.buyer(), patience).await?;
    let found = lookup::with_details(app, number, found).await;
    Ok(lookup::reply(StatusCode::OK, &found, granted))
}

/// Ends the hold because it is paid for: from the buyer's balance, or elsewhere, as a payment service reports.
async fn confirm(app: &App, asked: &Asked, patience: &mut Patience) -> Result<Reply, Problem> {
    let Asked { target, caller, .. } = asked;
    let (sale, id, headers) = (path::sale(&target.sale)?, target.id.as_str(), &asked.head.headers);
    let durability = checked(app, headers)?;
    let wish = match &asked.body[..] {
        [] => PaymentWish::Nothing,
        body => {
            body::expect_json(headers)?;
            PaymentWish::read(body)?
        }
    };
    if let PaymentWish::External(told) = &wish {
        Box::pin(payment::check(app, sale, &wish)).await?;
        let ending = Ending { app, sale, id, durability, headers, patience };
        return Box::pin(confirm_reported(ending, caller, told)).await;
    }
    let number = reservation_id::number(app, caller, sale, id).await?;
    Box::pin(payment::check(app, sale, &wish)).await?;
    let paid = match wish {
        PaymentWish::Balance => Box::pin(payment::take_from_balance(app, caller, (sale, number), durability)).await?,
        PaymentWish::Nothing | PaymentWish::External(_) => Paid::No,
    };
    let ending = Ending { app, sale, id, durability, headers, patience };
    let ended = ending.end(number, Call::confirm(sale, number)).await;
    ended.map_err(|problem| if paid == Paid::Yes { after_debit(problem) } else { problem })
}

/// Records what a payment service reports, and confirms.
async fn confirm_reported(
    ending: Ending<'_>,
    caller: &Caller,
    told: &payment::ReportedPayment<'_>,
) -> Result<Reply, Problem> {
    let Ending { app, sale, id, .. } = ending;
    // What cannot be read names no reservation: there is nothing that the payment could be recorded for.
    let given = GivenId::read(id).ok_or(Kind::UnknownReservation)?;
    let payment = match payment::take_report(app, caller, (sale, given), told).await? {
        Taken::Confirmed => return Ok(ending.reply(given.seq, State::Confirmed, true).await),
        Taken::Pending(payment) => payment,
    };
    let call = Call::confirm(sale, given.seq);
    let (state, is_replayed) = match ending.call(given.seq, call).await {
        Ok(ended) => ended,
        Err(problem) => match payment::unless_ended(problem) {
            Some(problem) => return Err(problem),
            None => match payment::told_late(app, payment).await {
                Some(problem) => return Err(problem),
                None => (State::Confirmed, true),
            },
        },
    };
    Ok(ending.reply(given.seq, state, is_replayed).await)
}

/// What a failed confirm means when the buyer's balance is debited: the debit stays, and follows the order.
fn after_debit(problem: Problem) -> Problem {
    let kind = problem.kind;
    payment::unless_ended(problem)
        .unwrap_or_else(|| Problem::new(kind, "the hold ended another way: the payment was returned to the balance"))
}

/// The durability that the headers ask for. A hold ends once, so that the reservation's id is key enough; a key that
/// is invalid is still refused.
fn checked(app: &App, headers: &HeaderMap) -> Result<Durability, Problem> {
    idempotency_key::of(headers)?;
    durability::of(app, headers)
}

/// Gives the hold back.
async fn release(app: &App, asked: &Asked, patience: &mut Patience) -> Result<Reply, Problem> {
    let Asked { target, caller, .. } = asked;
    let (sale, id, headers) = (path::sale(&target.sale)?, target.id.as_str(), &asked.head.headers);
    let durability = checked(app, headers)?;
    let number = reservation_id::number(app, caller, sale, id).await?;
    let ending = Ending { app, sale, id, durability, headers, patience };
    ending.end(number, Call::release(sale, number)).await
}

/// A request that ends a hold.
struct Ending<'a> {
    app: &'a App,
    sale: &'a str,
    /// As it was given, which is how it is answered.
    id: &'a str,
    durability: Durability,
    headers: &'a HeaderMap,
    patience: &'a mut Patience,
}

impl Ending<'_> {
    async fn end(self, number: u64, call: Call<EndHoldAnswer>) -> Result<Reply, Problem> {
        let (state, is_replayed) = self.call(number, call).await?;
        Ok(self.reply(number, state, is_replayed).await)
    }

    /// Asks Redis: the state that the reservation has now, and whether it had it before.
    async fn call(&self, number: u64, call: Call<EndHoldAnswer>) -> Result<(State, bool), Problem> {
        let state = match durability::call(self.app, call, self.durability).await? {
            Ok(EndHoldAnswer::Confirmed { .. }) => State::Confirmed,
            Ok(EndHoldAnswer::Released { .. }) => State::Released,
            // It had ended so already.
            Err(Refusal::Replayed { state, .. }) => return Ok((state, true)),
            Err(refusal) => return Err(refusal.into()),
        };
        if let Some(trace) = request_log::trace(self.headers) {
            self.app.relay.trace_end(self.sale, number, trace);
        }
        self.app.relay.wake();
        Ok((state, false))
    }

    async fn reply(self, number: u64, state: State, is_replayed: bool) -> Reply {
        #[derive(Serialize)]
        struct HoldEnded<'a> {
            sale: &'a str,
            id: &'a str,
            state: &'static str,
        }
        let Self { app, sale, id, durability, patience, .. } = self;
        let mut reply = match lookup::waited(app, sale, number, None, StatusCode::OK, patience).await {
            Some(reply) => reply,
            None => json(StatusCode::OK, &HoldEnded { sale, id, state: state.name() }),
        };
        durability::mark(&mut reply, durability);
        if is_replayed {
            reply::mark_replayed(&mut reply);
        }
        reply
    }
}
