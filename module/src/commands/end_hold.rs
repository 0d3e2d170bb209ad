//! `FLASH.CONFIRM`, `FLASH.RELEASE` and `FLASH.REAP`: holds end.

use std::ffi::CStr;

use flash_sale::Command as Wish;
use flash_sale::limits::EXPIRED_PER_EVENT_MAX;
use flash_wire::{EndHold, EndHoldAnswer, Reap, ReapAnswer};

use crate::call::{Call, Command};
use crate::docs::{Arg, COUNT, Docs, KEY, Kind};
use crate::fault::Fault;
use crate::open_sale::with_sale;

pub(crate) struct ConfirmCommand;

impl Command for ConfirmCommand {
    const NAME: &CStr = c"FLASH.CONFIRM";
    const FLAGS: &CStr = c"write fast";
    const DOCS: Docs = Docs {
        summary: c"Ends a hold because it was paid for.",
        complexity: c"O(1)",
        args: &[KEY, Arg::new(c"id", Kind::Int)],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let EndHold { id } = call.with_args::<Self, _>(EndHold::parse)?;
        end_hold(call, &Wish::Confirm { id }, EndHoldAnswer::Confirmed { id })
    }
}

pub(crate) struct ReleaseCommand;

impl Command for ReleaseCommand {
    const NAME: &CStr = c"FLASH.RELEASE";
    const FLAGS: &CStr = c"write fast";
    const DOCS: Docs =
        Docs { summary: c"Gives a hold back.", complexity: c"O(1)", args: &[KEY, Arg::new(c"id", Kind::Int)] };

    fn run(call: &Call) -> Result<(), Fault> {
        let EndHold { id } = call.with_args::<Self, _>(EndHold::parse)?;
        end_hold(call, &Wish::Release { id }, EndHoldAnswer::Released { id })
    }
}

fn end_hold(call: &Call, wish: &Wish, done: EndHoldAnswer) -> Result<(), Fault> {
    with_sale(call, |sale| {
        let now_ms = call.now_ms();
        sale.expire(now_ms, EXPIRED_PER_EVENT_MAX, None);
        Ok(sale.sale().decide(wish, now_ms).map(|event| {
            sale.happen(&event);
            done
        }))
    })
}

pub(crate) struct ReapCommand;

impl Command for ReapCommand {
    const NAME: &CStr = c"FLASH.REAP";
    const FLAGS: &CStr = c"write fast";
    const DOCS: Docs = Docs {
        summary: c"Expires holds whose pay window is over.",
        complexity: c"O(N), N being the number of holds that expire",
        args: &[KEY, COUNT],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let Reap { count } = call.with_args::<Self, _>(Reap::parse)?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        with_sale(call, |sale| {
            let now_ms = call.now_ms();
            let mut expired = 0;
            while expired < count {
                match sale.expire(now_ms, count - expired, None) {
                    0 => break,
                    more => expired += more,
                }
            }
            Ok(Ok(ReapAnswer { expired: expired as u64 }))
        })
    }
}
