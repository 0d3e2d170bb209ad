//! `FLASH.OFFSET`, in a module that was built for tests: the clock is off by so many milliseconds from now on.

use std::ffi::CStr;

use flash_wire::Sink;

use crate::call::{Call, Command};
use crate::clock_offset;
use crate::docs::{Arg, Docs, Kind};
use crate::fault::Fault;

pub(crate) struct OffsetCommand;

impl Command for OffsetCommand {
    const NAME: &CStr = c"FLASH.OFFSET";
    const FLAGS: &CStr = c"readonly fast";
    const HAS_KEY: bool = false;
    const DOCS: Docs = Docs {
        summary: c"Sets by how much the clock is off. Only for tests.",
        complexity: c"O(1)",
        args: &[Arg::new(c"offset-ms", Kind::Int)],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let offset = call.with_args::<Self, _>(|args| match args {
            [text] => std::str::from_utf8(text).ok()?.parse().ok(),
            _ => None,
        });
        clock_offset::set(offset.ok_or(Fault::Arity)?);
        call.reply().code("OK");
        Ok(())
    }
}
