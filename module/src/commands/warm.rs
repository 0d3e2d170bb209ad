//! `FLASH.WARM`: a sale comes to be.

use std::ffi::CStr;

use flash_sale::Sale;
use flash_wire::{Warm, WarmAnswer};

use crate::call::{Call, Command};
use crate::config;
use crate::docs::{Arg, Docs, KEY, Kind};
use crate::fault::Fault;
use crate::open_sale::{APPLY, OpenSale, answer, warm};
use crate::stored::Stored;

pub(crate) struct WarmCommand;

impl Command for WarmCommand {
    const NAME: &CStr = c"FLASH.WARM";
    const FLAGS: &CStr = c"write deny-oom fast";
    const DOCS: Docs = Docs {
        summary: c"Creates a sale, or the next life of one that is fenced. The same terms again change nothing.",
        complexity: c"O(N), N being the number of SKUs",
        args: &[
            KEY,
            Arg::new(
                c"stock",
                Kind::OneOf(&[
                    Arg::new(c"total", Kind::Int),
                    Arg::new(c"sku", Kind::Block(&[Arg::new(c"name", Kind::Text), Arg::new(c"total", Kind::Int)]))
                        .token(c"SKU")
                        .repeatable(),
                ]),
            ),
            Arg::new(c"limit", Kind::Int).token(c"LIMIT").optional(),
            Arg::new(c"hold-ms", Kind::Int).token(c"HOLD").optional(),
            Arg::new(c"opens-at-ms", Kind::Time).token(c"OPENS").optional(),
            Arg::new(c"closes-at-ms", Kind::Time).token(c"CLOSES").optional(),
            Arg::new(c"journal-events-max", Kind::Int).token(c"JOURNAL").optional(),
            Arg::new(c"epoch", Kind::Int).token(c"EPOCH").optional(),
            Arg::new(c"after-seq", Kind::Int).token(c"AFTER").optional(),
        ],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let wish = call.with_args::<Self, _>(Warm::parse)?;
        config::check(&wish.terms)?;
        let mut key = call.key::<Stored>()?;
        if let Some((stored, name)) = key.value() {
            OpenSale { stored, name, db: call.db() }.fence_if_in_doubt(call);
            let (sale, epoch) = (&stored.sale, stored.sale.epoch());
            if *sale.terms() == wish.terms && epoch == wish.epoch {
                return answer(call, &Ok(WarmAnswer::Exists { epoch }));
            }
            if !sale.gives_way_to(wish.epoch, wish.after) {
                return Err(Fault::OtherTerms);
            }
        }
        let event = Sale::warmed(wish.terms, wish.epoch, wish.after, call.now_ms());
        warm(call, &mut key, &event)?;
        if let Some((stored, name)) = key.value() {
            stored.is_whole();
            name.replicate(APPLY, Some(stored.sale.newest_event()));
        }
        answer(call, &Ok(WarmAnswer::Warmed { epoch: event.epoch }))
    }
}
