//! What only the server itself sends: `FLASH.APPLY` and `FLASH.LOAD`, from a primary or an AOF.

use std::ffi::CStr;

use flash_sale::Event;
use flash_wire::AckAnswer;

use crate::call::{Call, Command, Key};
use crate::docs::{Arg, Docs, KEY, Kind};
use crate::fault::Fault;
use crate::life;
use crate::open_sale::{APPLY, OpenSale, answer, put, warm};
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
pub(super) fn from_the_server<'a, C: Command, V: Value>(call: &Call<'a>) -> Result<(Key<'a, V>, &'a [u8]), Fault> {
    if !call.is_replicated() {
        return Err(Fault::Internal);
    }
    let payload = call.with_args::<C, _>(|args| if let [payload] = args { Ok(*payload) } else { Err(Fault::Arity) })?;
    Ok((call.key()?, payload))
}
