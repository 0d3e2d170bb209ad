//! `FLASH.ACTIVE`: the reservations that a sale has, for a database that has lost them.

use std::ffi::CStr;

use flash_sale::Refusal;
use flash_wire::{Active, ActiveAnswer, RebuiltReservation};

use crate::call::{Call, Command};
use crate::docs::{Arg, COUNT, Docs, KEY, Kind};
use crate::fault::Fault;
use crate::open_sale::answer;
use crate::stored::Stored;

pub(crate) struct ActiveCommand;

impl Command for ActiveCommand {
    const NAME: &CStr = c"FLASH.ACTIVE";
    const FLAGS: &CStr = c"readonly";
    const DOCS: Docs = Docs {
        summary: c"Lists the held and confirmed reservations of a sale, by id, as FLASH.REBUILD takes them.",
        complexity: c"O(N), N being the number of reservations, at most 1000, and of ended ones between them",
        args: &[KEY, Arg::new(c"id", Kind::Int).token(c"AFTER").optional(), COUNT],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let Active { after, count } = call.with_args::<Self, _>(Active::parse)?;
        let mut key = call.key::<Stored>()?;
        let Some((stored, name)) = key.value() else { return answer::<ActiveAnswer>(call, &Err(Refusal::NotWarmed)) };
        if stored.is_away(name.bytes()) {
            return answer::<ActiveAnswer>(call, &Err(Refusal::Fenced));
        }
        let sale = &stored.sale;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let reservations =
            sale.active_after(after).take(count).map(|reservation| RebuiltReservation::of(sale, &reservation));
        answer(call, &Ok(ActiveAnswer { epoch: sale.epoch(), reservations: reservations.collect() }))
    }
}
