//! `FLASH.RESERVE`: a buyer wants units.

use std::ffi::CStr;

use flash_sale::{Change, Command as Wish, Items, Sale};
use flash_wire::{Reserve, ReserveAnswer, Wanted};

use crate::call::{Call, Command};
use crate::docs::{Arg, Docs, KEY, Kind};
use crate::fault::Fault;
use crate::open_sale::with_selling_sale;

pub(crate) struct ReserveCommand;

impl Command for ReserveCommand {
    const NAME: &CStr = c"FLASH.RESERVE";
    const FLAGS: &CStr = c"write deny-oom fast";
    const DOCS: Docs = Docs {
        summary: c"Reserves units for a buyer, all or nothing. The same request again gets the same answer.",
        complexity: c"O(1), and O(N) in the number of SKUs asked for",
        args: &[
            KEY,
            Arg::new(c"buyer", Kind::Text),
            Arg::new(
                c"items",
                Kind::OneOf(&[
                    Arg::new(c"quantity", Kind::Int).token(c"QTY"),
                    Arg::new(c"sku", Kind::Block(&[Arg::new(c"name", Kind::Text), Arg::new(c"quantity", Kind::Int)]))
                        .token(c"SKU")
                        .repeatable(),
                ]),
            )
            .optional(),
            Arg::new(c"request", Kind::Text).token(c"ID").optional(),
            Arg::new(c"is-new", Kind::Block(&[Arg::new(c"new", Kind::Flag).token(c"NEW")])).token(c"KEY").optional(),
            Arg::new(c"data", Kind::Text).token(c"DATA").optional(),
        ],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let Reserve { buyer, wanted, details, is_new } = call.with_args::<Self, _>(Reserve::parse)?;
        with_selling_sale(call, |sale| {
            let items = items(sale.sale(), &wanted)?;
            let now_ms = call.now_ms();
            let wish = Wish::Reserve(flash_sale::Reserve { buyer, items, details, is_new });
            Ok(sale.decide(&wish, now_ms, Some(buyer)).map(|event| {
                sale.happen(&event);
                let expires_at_ms = match &event.change {
                    Change::Reserved(reserved) => reserved.expires_at_ms,
                    _ => None,
                };
                ReserveAnswer { id: event.seq, expires_at_ms, available: sale.sale().available() }
            }))
        })
    }
}

fn items(sale: &Sale, wanted: &Wanted) -> Result<Items, Fault> {
    Ok(match wanted {
        Wanted::Quantity(quantity) => sale.items_of_only_sku(*quantity)?,
        Wanted::Items(named) => sale.items(named)?,
    })
}
