//! For the test of what a panic leaves behind. No release has it.

use std::ffi::CStr;

use flash_wire::{AckAnswer, Outcome};

use crate::call::{Call, Command};
use crate::docs::{Docs, KEY};
use crate::fault::Fault;
use crate::open_sale::with_sale;

pub(crate) struct PanicCommand;

impl Command for PanicCommand {
    const NAME: &CStr = c"FLASH.PANIC";
    const FLAGS: &CStr = c"write";
    const DOCS: Docs = Docs { summary: c"Panics.", complexity: c"O(1)", args: &[KEY] };

    fn run(call: &Call) -> Result<(), Fault> {
        with_sale(call, |_| -> Result<Outcome<AckAnswer>, Fault> { panic!("asked to") })
    }
}
