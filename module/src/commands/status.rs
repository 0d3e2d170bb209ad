//! `FLASH.STATUS`: looks, never changes.

use std::ffi::CStr;

use flash_sale::{Phase, Refusal, Reservation, Sale, State, Units};
use flash_wire::{BuyerStatus, ReservationStatus, SaleStatus, SkuStatus, Status as Question};

use crate::call::{Call, Command};
use crate::docs::{Arg, Docs, KEY, Kind};
use crate::fault::Fault;
use crate::open_sale::with_sale;

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
        match call.with_args::<Self, _>(Question::parse)? {
            Question::Sale => with_sale(call, |open| Ok(Ok(sale_status(open.sale(), now_ms)))),
            Question::Buyer(buyer) => with_sale(call, |open| Ok(Ok(buyer_status(open.sale(), buyer, now_ms)))),
            Question::Id(id) => with_sale(call, |open| {
                let sale = open.sale();
                let reservation = sale.reservation(id).ok_or(Refusal::Unknown);
                Ok(reservation.map(|reservation| reservation_status(sale, &reservation, now_ms)))
            }),
        }
    }
}

fn sale_status(sale: &Sale, now_ms: u64) -> SaleStatus {
    let terms = sale.terms();
    let phase = match sale.phase(now_ms) {
        Phase::NotStarted { .. } => "not_started",
        Phase::Open => "open",
        Phase::Closed => "closed",
        Phase::Ended => "ended",
    };
    SaleStatus {
        epoch: sale.epoch(),
        seq: sale.seq(),
        acked: sale.acked(),
        phase: phase.to_owned(),
        limit: terms.limit.into(),
        hold_ms: terms.hold_ms,
        opens_at_ms: terms.opens_at_ms,
        closes_at_ms: terms.closes_at_ms,
        journal_events: sale.journal_events(),
        journal_events_max: terms.journal_events_max,
        skus: terms.skus.iter().zip(sale.units()).map(|(sku, units)| sku_status(&sku.name, *units)).collect(),
    }
}

fn sku_status(name: &str, units: Units) -> SkuStatus {
    SkuStatus {
        name: name.to_owned(),
        total: units.total,
        available: units.available(),
        held: units.held,
        confirmed: units.confirmed,
    }
}

fn buyer_status(sale: &Sale, buyer: &str, now_ms: u64) -> BuyerStatus {
    let mut reservations: Vec<Reservation> = sale.reservations_of(buyer).collect();
    reservations.sort_unstable_by_key(|reservation| reservation.id);
    let active = reservations.iter().filter(|reservation| reservation.state.is_active());
    BuyerStatus {
        buyer: buyer.to_owned(),
        units: active.map(|reservation| reservation.items.units()).sum(),
        reservations: reservations.iter().map(|reservation| reservation_status(sale, reservation, now_ms)).collect(),
    }
}

fn reservation_status(sale: &Sale, reservation: &Reservation, now_ms: u64) -> ReservationStatus {
    let name = |sku: u16| sale.terms().skus.get(usize::from(sku)).map_or_else(String::new, |sku| sku.name.clone());
    ReservationStatus {
        id: reservation.id,
        buyer: reservation.buyer.to_owned(),
        state: if reservation.is_due(now_ms) { State::Expired } else { reservation.state },
        expires_at_ms: reservation.expires_at_ms,
        request: reservation.request.map(str::to_owned),
        items: reservation.items.iter().map(|item| (name(item.sku), item.quantity.into())).collect(),
    }
}
