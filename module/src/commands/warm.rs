//! `FLASH.WARM`: a sale comes to be.

use std::ffi::CStr;

use flash_sale::{Refusal, Sale};
use flash_wire::{Attempt, Outcome, Warm, WarmAnswer};

use crate::call::{Call, Command, Key};
use crate::config;
use crate::docs::{Arg, Docs, KEY, Kind};
use crate::fault::Fault;
use crate::open_sale::{APPLY, FENCE, OpenSale, answer, warm};
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
            Arg::new(c"term", Kind::Int).token(c"TERM").optional(),
            Arg::new(c"instance", Kind::Int).token(c"INSTANCE").optional(),
            Arg::new(c"is-closed", Kind::Flag).token(c"CLOSED").optional(),
            Arg::new(c"forgotten-seq", Kind::Int).token(c"FORGOTTEN").optional(),
            Arg::new(c"total-now", Kind::Int).token(c"TOTAL").optional(),
            Arg::new(c"totals-now", Kind::Int).token(c"TOTALS").optional(),
        ],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let wish = call.with_args::<Self, _>(Warm::parse)?;
        // What was sold in an earlier life stays on sale, whatever this server would take today.
        if wish.attempt.is_none() {
            config::check(&wish.life.terms)?;
        }
        let mut key = call.key::<Stored>()?;
        if let Some(outcome) = what_is_there(call, &mut key, &wish)? {
            return answer(call, &outcome);
        }
        let event = Sale::warmed(wish.life, wish.epoch, wish.after, call.now_ms());
        warm(call, &mut key, &event)?;
        if let Some((stored, name)) = key.value() {
            stored.is_whole();
            name.replicate(APPLY, Some(stored.sale.newest_event()));
            if let Some(Attempt { term, .. }) = wish.attempt {
                let _ = stored.sale.fence_for(term);
                name.replicate_option(FENCE, c"TERM", term);
            }
        }
        answer(call, &Ok(WarmAnswer::Warmed { epoch: event.epoch }))
    }
}

/// The answer, if what the key holds does not give way to the wish.
fn what_is_there(call: &Call, key: &mut Key<Stored>, wish: &Warm) -> Result<Option<Outcome<WarmAnswer>>, Fault> {
    let Some((stored, name)) = key.value() else {
        // A recovery begins a life only where its own fence is.
        return Ok(wish.attempt.map(|_| Err(Refusal::NotWarmed)));
    };
    let mut open = OpenSale { stored, name, db: call.db() };
    open.fence_if_in_doubt(call);
    let is_later = wish.attempt.is_some();
    if (is_later || open.sale().is_shell()) && open.is_fenced_for_another(call, wish.attempt) {
        return Ok(Some(Err(Refusal::Fenced)));
    }
    let sale = open.sale();
    let epoch = sale.epoch();
    if *sale.terms() == wish.life.terms && epoch == wish.epoch {
        return Ok(Some(Ok(WarmAnswer::Exists { epoch })));
    }
    match sale.gives_way_to(Attempt::term(wish.attempt), wish.epoch, wish.after) {
        true => Ok(None),
        false if is_later => Ok(Some(Err(Refusal::Conflict))),
        false => Err(Fault::OtherTerms),
    }
}
