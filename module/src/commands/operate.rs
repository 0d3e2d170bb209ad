//! What an operator changes: `FLASH.RESTOCK`, `FLASH.OPEN`, `FLASH.CLOSE`.

use std::ffi::CStr;

use flash_sale::Command as Wish;
use flash_wire::{Restock, RestockAnswer, SwitchAnswer};

use crate::call::{Call, Command, no_arguments};
use crate::config;
use crate::docs::{Arg, Docs, KEY, Kind};
use crate::fault::Fault;
use crate::open_sale::with_selling_sale;

pub(crate) struct RestockCommand;

impl Command for RestockCommand {
    const NAME: &CStr = c"FLASH.RESTOCK";
    const FLAGS: &CStr = c"write deny-oom fast";
    const DOCS: Docs = Docs {
        summary: c"Puts more units of a SKU on sale, or takes available units off it.",
        complexity: c"O(1)",
        args: &[KEY, Arg::new(c"name", Kind::Text).token(c"SKU").optional(), Arg::new(c"delta", Kind::Int)],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let Restock { sku, delta } = call.with_args::<Self, _>(Restock::parse)?;
        with_selling_sale(call, |sale| {
            let now_ms = call.now_ms();
            let sku = sale.sale().sku(sku)?;
            let wish = sale.sale().restock(sku, delta)?;
            if delta > 0 {
                config::check_total(sale.sale().units()[usize::from(sku)].total.saturating_add_signed(delta))?;
            }
            Ok(sale.decide(&wish, now_ms, None).map(|event| {
                sale.happen(&event);
                let units = sale.sale().units()[usize::from(sku)];
                RestockAnswer { total: units.total, available: units.available() }
            }))
        })
    }
}

pub(crate) struct OpenCommand;

impl Command for OpenCommand {
    const NAME: &CStr = c"FLASH.OPEN";
    const FLAGS: &CStr = c"write fast";
    const DOCS: Docs =
        Docs { summary: c"Lets a closed sale go on, within its window.", complexity: c"O(1)", args: &[KEY] };

    fn run(call: &Call) -> Result<(), Fault> {
        call.with_args::<Self, _>(no_arguments)?;
        switch(call, SwitchAnswer::Opened)
    }
}

pub(crate) struct CloseCommand;

impl Command for CloseCommand {
    const NAME: &CStr = c"FLASH.CLOSE";
    const FLAGS: &CStr = c"write fast";
    const DOCS: Docs =
        Docs { summary: c"Stops a sale at once. Its holds may still be confirmed.", complexity: c"O(1)", args: &[KEY] };

    fn run(call: &Call) -> Result<(), Fault> {
        call.with_args::<Self, _>(no_arguments)?;
        switch(call, SwitchAnswer::Closed)
    }
}

/// Both may be repeated: nothing happens then, and the answer is the same.
fn switch(call: &Call, wanted: SwitchAnswer) -> Result<(), Fault> {
    with_selling_sale(call, |sale| {
        let close = wanted == SwitchAnswer::Closed;
        if sale.sale().is_closed() == close {
            return Ok(Ok(wanted));
        }
        let (wish, now_ms) = (if close { Wish::Close } else { Wish::Open }, call.now_ms());
        sale.keep_time(now_ms);
        Ok(sale.sale().decide(&wish, now_ms).map(|event| {
            sale.happen(&event);
            wanted
        }))
    })
}
