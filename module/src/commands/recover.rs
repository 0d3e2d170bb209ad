//! What a recovery does: `FLASH.FENCE`, `FLASH.UNFENCE`, `FLASH.REBUILD`. Each is absolute and may be repeated, so replicas
//! and the AOF get it as it was said.

use std::ffi::CStr;

use flash_sale::{Invalid, Reservation, Sale, State};
use flash_wire::{FenceAnswer, Rebuild, RebuildAnswer, RebuiltReservation, Unfence, UnfenceAnswer};

use crate::call::{Call, Command, no_arguments};
use crate::docs::{Arg, Docs, KEY, Kind};
use crate::fault::Fault;
use crate::open_sale::{FENCE, with_sale};

pub(crate) struct FenceCommand;

impl Command for FenceCommand {
    const NAME: &CStr = FENCE;
    const FLAGS: &CStr = c"write fast";
    const DOCS: Docs = Docs {
        summary: c"Stops a sale until its state is known to be whole. Nothing is reserved and no hold ends.",
        complexity: c"O(1)",
        args: &[KEY],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        call.with_args::<Self, _>(no_arguments)?;
        with_sale(call, |open| {
            if !open.sale().is_fenced() {
                open.sale().fence();
                open.changed_as_said(call);
            }
            Ok(Ok(FenceAnswer { epoch: open.sale().epoch(), seq: open.sale().seq() }))
        })
    }
}

pub(crate) struct UnfenceCommand;

impl Command for UnfenceCommand {
    const NAME: &CStr = c"FLASH.UNFENCE";
    const FLAGS: &CStr = c"write fast";
    const DOCS: Docs = Docs {
        summary:
            c"Lets a fenced sale go on, if nobody knows of it behind this event; in the next epoch, if that is said.",
        complexity: c"O(1)",
        args: &[
            KEY,
            Arg::new(c"epoch", Kind::Int),
            Arg::new(c"seq", Kind::Int),
            Arg::new(c"next-epoch", Kind::Int).token(c"EPOCH").optional(),
            Arg::new(c"after-seq", Kind::Int).token(c"AFTER").optional(),
        ],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let Unfence { epoch, seq, next } = call.with_args::<Self, _>(Unfence::parse)?;
        with_sale(call, |open| {
            let was_fenced = open.sale().is_fenced();
            let unfenced = open.sale().unfence(epoch, seq, next);
            // What a primary, or this server before it stopped, was told may have been true then.
            if unfenced.is_ok() && !call.is_replicated() {
                open.stored.is_whole();
            }
            if was_fenced && unfenced.is_ok() {
                open.changed_as_said(call);
            }
            Ok(unfenced.map(|()| UnfenceAnswer { epoch: open.sale().epoch(), seq: open.sale().seq() }))
        })
    }
}

pub(crate) struct RebuildCommand;

impl Command for RebuildCommand {
    const NAME: &CStr = c"FLASH.REBUILD";
    const FLAGS: &CStr = c"write deny-oom";
    const DOCS: Docs = Docs {
        summary: c"Gives a fenced sale reservations of its earlier lives back, all or none.",
        complexity: c"O(N), N being the number of reservations, at most 256",
        args: &[KEY, Arg::new(c"epoch", Kind::Int), Arg::new(c"reservation", Kind::Text).repeatable()],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let Rebuild { epoch, reservations } = call.with_args::<Self, _>(Rebuild::parse)?;
        with_sale(call, |open| {
            let known = |reservation| known(&open.stored.sale, reservation);
            let reservations = reservations.iter().map(known).collect::<Result<Vec<_>, _>>()?;
            let rebuilt = open.sale().rebuild(epoch, &reservations);
            if rebuilt.is_ok_and(|count| count > 0) {
                open.changed_as_said(call);
            }
            Ok(rebuilt.map(|count| RebuildAnswer { rebuilt: count as u64 }))
        })
    }
}

/// The reservation with its SKUs by their places in the terms.
fn known<'a>(sale: &Sale, rebuilt: &'a RebuiltReservation) -> Result<Reservation<'a>, Invalid> {
    let named: Vec<_> = rebuilt.items.iter().map(|item| (item.sku.as_ref(), item.quantity)).collect();
    Ok(Reservation {
        id: rebuilt.id,
        state: rebuilt.state().unwrap_or(State::Expired),
        slot: rebuilt.slot,
        buyer: &rebuilt.buyer,
        expires_at_ms: rebuilt.expires_at_ms,
        items: sale.items(&named)?,
        request: rebuilt.request.as_deref(),
        fingerprint: rebuilt.fingerprint,
    })
}
