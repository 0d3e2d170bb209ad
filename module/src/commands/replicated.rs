//! What only the server itself sends: `FLASH.APPLY`, `FLASH.CLOCK` and `FLASH.LOAD`, from a primary or an AOF.

use std::ffi::CStr;

use flash_sale::Event;
use flash_wire::{AckAnswer, Sink};

use crate::api::Native;
use crate::call::{Call, Command, Key};
use crate::docs::{Arg, Docs, KEY, Kind};
use crate::fault::Fault;
use crate::life;
use crate::open_sale::{APPLY, CLOCK, OpenSale, answer, put, warm};
use crate::stored::Stored;
use crate::value::Value;

pub(crate) struct ApplyCommand;

impl Command for ApplyCommand {
    const NAME: &CStr = APPLY;
    const FLAGS: &CStr = c"write fast";
    const DOCS: Docs = Docs {
        summary: c"Applies an event of a sale. Only a primary or an AOF sends it.",
        complexity: c"O(1)",
        args: &[KEY, Arg::new(c"event", Kind::Text)],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let (mut key, bytes) = from_the_server::<Self, Stored>(call)?;
        let event = Event::decode(bytes)?;
        match key.value() {
            Some((stored, _)) if stored.is_poisoned => return Err(Fault::Poisoned),
            Some((stored, _)) if stored.sale.is_followed_by(&event) => warm(call, &mut key, &event)?,
            Some((stored, name)) => {
                if let Err(problem) = stored.sale.accepts(&event) {
                    // Something between is missing here, and whatever follows will not fit either.
                    stored.is_poisoned = true;
                    return Err(Fault::Unfit(problem));
                }
                OpenSale { stored, name, db: call.db() }.apply(&event);
            }
            None => warm(call, &mut key, &event)?,
        }
        call.replicate_verbatim();
        answer(call, &Ok(AckAnswer { acked: event.seq }))
    }
}

pub(crate) struct ClockCommand;

impl Command for ClockCommand {
    const NAME: &CStr = CLOCK;
    const FLAGS: &CStr = c"write fast";
    const DOCS: Docs = Docs {
        summary: c"Sets the time of a sale back. Only a primary or an AOF sends it.",
        complexity: c"O(1)",
        args: &[KEY, Arg::new(c"at-ms", Kind::Int)],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let (mut key, bytes) = from_the_server::<Self, Stored>(call)?;
        let at_ms = std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
        let at_ms = at_ms.ok_or(Fault::Unfit("a time must be a whole number"))?;
        let Some((stored, name)) = key.value() else { return Err(Fault::Unfit("there is no sale whose time this is")) };
        OpenSale { stored, name, db: call.db() }.set_clock(at_ms);
        call.replicate_verbatim();
        call.reply().code("OK");
        Ok(())
    }
}

pub(crate) struct LoadCommand;

impl Command for LoadCommand {
    const NAME: &CStr = Stored::LOAD;
    const FLAGS: &CStr = c"write";
    const DOCS: Docs = Docs {
        summary: c"Restores a whole sale. Only a primary or an AOF sends it.",
        complexity: c"O(N), N being the number of reservations",
        args: &[KEY, Arg::new(c"state", Kind::Text)],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let (mut key, bytes) = from_the_server::<Self, Stored>(call)?;
        let stored = Stored::load(bytes)?;
        let seq = stored.sale.seq();
        put(call, &mut key, stored);
        life::sales_changed();
        call.replicate_verbatim();
        answer(call, &Ok(AckAnswer { acked: seq }))
    }
}

/// The key and the payload of a command that no client may send.
pub(super) fn from_the_server<'a, C: Command, V: Native>(call: &Call<'a>) -> Result<(Key<'a, V>, &'a [u8]), Fault> {
    if !call.is_replicated() {
        return Err(Fault::Internal);
    }
    let payload = call.with_args::<C, _>(|args| if let [payload] = args { Ok(*payload) } else { Err(Fault::Arity) })?;
    Ok((call.key()?, payload))
}
