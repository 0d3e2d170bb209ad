//! What a recovery does: `FLASH.FENCE`, `FLASH.UNFENCE`, `FLASH.REBUILD`. Each is absolute and may be repeated, so
//! replicas and the AOF get it as it was said.

use std::ffi::CStr;

use flash_sale::{Invalid, Refusal};
use flash_wire::{Attempt, Fence, FenceAnswer, Rebuild, RebuildAnswer, Unfence, UnfenceAnswer};

use crate::call::{Call, Command};
use crate::docs::{Arg, Docs, KEY, Kind};
use crate::fault::Fault;
use crate::open_sale::{FENCE, put, with_sale};
use crate::stored::Stored;

const TERM: Arg = Arg::new(c"term", Kind::Int).token(c"TERM").optional();
const INSTANCE: Arg = Arg::new(c"instance", Kind::Int).token(c"INSTANCE").optional();

pub(crate) struct FenceCommand;

impl Command for FenceCommand {
    const NAME: &CStr = FENCE;
    const FLAGS: &CStr = c"write fast";
    const DOCS: Docs = Docs {
        summary: c"Stops a sale until its state is known to be whole. Nothing is reserved and no hold ends.",
        complexity: c"O(1)",
        args: &[KEY, TERM],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let Fence { term } = call.with_args::<Self, _>(Fence::parse)?;
        if let Some(term) = term {
            plant(call, term)?;
        }
        with_sale(call, |open| {
            let before = (open.sale().is_fenced(), open.sale().term());
            match term {
                Some(term) => {
                    if let Err(refusal) = open.sale().fence_for(term) {
                        return Ok(Err(refusal));
                    }
                }
                None => open.sale().fence(),
            }
            if before != (true, open.sale().term()) {
                open.changed_as_said(call);
            }
            let instance = open.stored.instance;
            Ok(Ok(FenceAnswer { epoch: open.sale().epoch(), seq: open.sale().seq(), instance }))
        })
    }
}

/// Puts the fence of a recovery attempt into an empty key, so that nothing older can begin a life there.
fn plant(call: &Call, term: u64) -> Result<(), Fault> {
    let mut key = call.key::<Stored>()?;
    if key.value().is_none() {
        put(call, &mut key, Stored::shell(term));
        call.replicate_verbatim();
    }
    Ok(())
}

pub(crate) struct UnfenceCommand;

impl Command for UnfenceCommand {
    const NAME: &CStr = c"FLASH.UNFENCE";
    const FLAGS: &CStr = c"write fast";
    const DOCS: Docs = Docs {
        summary: c"Opens a fenced sale if no later event exists elsewhere; in the next epoch if one is given.",
        complexity: c"O(1)",
        args: &[
            KEY,
            Arg::new(c"epoch", Kind::Int),
            Arg::new(c"seq", Kind::Int),
            Arg::new(c"next-epoch", Kind::Int).token(c"EPOCH").optional(),
            Arg::new(c"after-seq", Kind::Int).token(c"AFTER").optional(),
            TERM,
            INSTANCE,
            Arg::new(c"reservations", Kind::Int).token(c"RESERVATIONS").optional(),
            Arg::new(c"digest", Kind::Int).token(c"DIGEST").optional(),
            Arg::new(c"is-closed", Kind::Int).token(c"CLOSED").optional(),
            Arg::new(
                c"sku",
                Kind::Block(&[
                    Arg::new(c"name", Kind::Text),
                    Arg::new(c"total", Kind::Int),
                    Arg::new(c"taken", Kind::Int),
                ]),
            )
            .token(c"SKU")
            .optional()
            .repeatable(),
        ],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let said = call.with_args::<Self, _>(Unfence::parse)?;
        with_sale(call, |open| {
            let (was_fenced, has_journal) = (open.sale().is_fenced(), open.sale().terms().journal_events_max.is_some());
            if open.is_fenced_for_another(call, said.attempt) || open.is_away() && has_journal {
                return Ok(Err(Refusal::Fenced));
            }
            let is_replicated = call.is_replicated();
            let unfence = said.of_sale();
            let sale = open.sale();
            let unfenced = if is_replicated { sale.unfence_as_said(&unfence) } else { sale.unfence(&unfence) };
            // What a primary, or this server before it stopped, learned may have been true then.
            if unfenced.is_ok() && !is_replicated {
                open.stored.is_whole();
            }
            if unfenced.is_ok() && open.is_away() {
                // Only this server has what it sold: it may continue under another name.
                open.stored.sale.settle(open.name.bytes());
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
        args: &[KEY, Arg::new(c"epoch", Kind::Int), TERM, INSTANCE, Arg::new(c"reservation", Kind::Text).repeatable()],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let Rebuild { epoch, attempt, reservations } = call.with_args::<Self, _>(Rebuild::parse)?;
        with_sale(call, |open| {
            if open.is_fenced_for_another(call, attempt) {
                return Ok(Err(Refusal::Fenced));
            }
            let known = reservations.iter().map(|reservation| reservation.for_sale(&open.stored.sale));
            let reservations = known.collect::<Result<Vec<_>, Invalid>>()?;
            let rebuilt = open.sale().rebuild(Attempt::term(attempt), epoch, &reservations);
            if rebuilt.is_ok_and(|count| count > 0) {
                open.changed_as_said(call);
            }
            Ok(rebuilt.map(|count| RebuildAnswer { rebuilt: count as u64 }))
        })
    }
}
