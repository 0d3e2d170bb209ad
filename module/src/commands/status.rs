//! `FLASH.STATUS`: looks, never changes.

use std::ffi::CStr;

use flash_sale::{Phase, Refusal, Reservation, Sale, State, Units};
use flash_wire::message::MessageReserved;
use flash_wire::{BuyerStatus, ReservationStatus, SaleStatus, SkuStatus, Status as Question};

use crate::call::{Call, Command};
use crate::docs::{Arg, Docs, KEY, Kind};
use crate::fault::Fault;
use crate::open_sale::answer;
use crate::stored::Stored;

pub(crate) struct StatusCommand;

impl Command for StatusCommand {
    const NAME: &CStr = c"FLASH.STATUS";
    const FLAGS: &CStr = c"readonly fast";
    const DOCS: Docs = Docs {
        summary: c"Shows a sale, what a buyer has in it, or one reservation.",
        complexity: c"O(1), and O(N) in the number of SKUs",
        args: &[
            KEY,
            Arg::new(
                c"of",
                Kind::OneOf(&[Arg::new(c"buyer", Kind::Text).token(c"BUYER"), Arg::new(c"id", Kind::Int).token(c"ID")]),
            )
            .optional(),
        ],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let now_ms = call.now_ms();
        let question = call.with_args::<Self, _>(Question::parse)?;
        let mut key = call.key::<Stored>()?;
        let Some((stored, _)) = key.value() else { return answer::<SaleStatus>(call, &Err(Refusal::NotWarmed)) };
        let sale = &stored.sale;
        match question {
            Question::Sale => answer(call, &Ok(sale_status(stored, now_ms))),
            Question::Buyer(buyer) => answer(call, &Ok(buyer_status(sale, buyer, now_ms))),
            Question::Id(id) => {
                let reservation = sale.reservation(id).ok_or(Refusal::Unknown);
                answer(call, &reservation.map(|reservation| reservation_status(sale, &reservation, now_ms)))
            }
        }
    }
}

fn sale_status(stored: &Stored, now_ms: u64) -> SaleStatus<'_> {
    let (sale, terms) = (&stored.sale, stored.sale.terms());
    let phase = match sale.phase(now_ms) {
        _ if stored.is_fenced() => "fenced",
        Phase::NotStarted { .. } => "not_started",
        Phase::Open => "open",
        Phase::Closed => "closed",
        Phase::Fenced => "fenced",
        Phase::Ended => "ended",
    };
    let lease = sale.lease_holder(now_ms);
    SaleStatus {
        epoch: sale.epoch(),
        seq: sale.seq(),
        acked: sale.acked(),
        phase: phase.into(),
        limit: terms.limit.into(),
        hold_ms: terms.hold_ms,
        opens_at_ms: terms.opens_at_ms,
        closes_at_ms: terms.closes_at_ms,
        journal_events: sale.journal_events(),
        journal_events_max: terms.journal_events_max,
        relay: lease.map(|(relay, _)| relay.into()),
        lease_until_ms: lease.map(|(_, until_ms)| until_ms),
        is_closed: sale.is_closed(),
        was_open: sale.was_open(),
        term: sale.term(),
        instance: stored.instance,
        reservations: sale.content().reservations,
        digest: sale.content().digest,
        skus: terms.skus.iter().zip(sale.units()).map(|(sku, units)| sku_status(&sku.name, *units)).collect(),
    }
}

fn sku_status(name: &str, units: Units) -> SkuStatus<'_> {
    SkuStatus {
        name: name.into(),
        total: units.total,
        available: units.available(),
        held: units.held,
        confirmed: units.confirmed,
    }
}

fn buyer_status<'a>(sale: &'a Sale, buyer: &'a str, now_ms: u64) -> BuyerStatus<'a> {
    let (mut units, mut reservations) = (0, Vec::new());
    for reservation in sale.reservations_of(buyer) {
        units += if reservation.state.is_active() { reservation.made.items.units() } else { 0 };
        reservations.push(reservation_status(sale, &reservation, now_ms));
    }
    reservations.sort_unstable_by_key(|reservation| reservation.id);
    BuyerStatus { buyer: buyer.into(), units, reservations }
}

fn reservation_status<'a>(sale: &'a Sale, reservation: &Reservation<'a>, now_ms: u64) -> ReservationStatus<'a> {
    let state = if sale.is_over(reservation, now_ms) { State::Expired } else { reservation.state };
    ReservationStatus { id: reservation.id, state, made: MessageReserved::of_sale(sale, &reservation.made) }
}
