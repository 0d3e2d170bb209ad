//! `FLASH.RESERVE key buyer [QTY n | SKU name n ...] [ID request] [KEY NEW] [DATA bytes]`

use flash_sale::invalid::{name, text};
use flash_sale::limits::{
    BUYER_BYTES_MAX, DATA_BYTES_MAX, QUANTITY_UNITS_MAX, REQUEST_BYTES_MAX, SKU_BYTES_MAX, SKUS_MAX,
};
use flash_sale::{Details, Invalid};

use crate::args::{ArgError, ArgSink, Args, is, once, unknown_option};
use crate::reply::Answer;
use crate::value::{Fields, Sink, Unreadable};

/// Asks for a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserve<'a> {
    /// Who reserves.
    pub buyer: &'a str,
    /// What for.
    pub wanted: Wanted<'a>,
    /// What comes with it.
    pub details: Details<'a>,
    /// PostgreSQL does not know the request's id either: it is new, whatever the sale has forgotten. Only beside that
    /// id.
    pub is_new: bool,
}

/// What a buyer asks for, before the sale has said which SKUs it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// Units of the sale's only SKU.
    Quantity(u32),
    /// Units of SKUs by name; the same name twice is summed.
    Items(Vec<(&'a str, u32)>),
}

impl<'a> Reserve<'a> {
    /// The command's name.
    pub const NAME: &'static str = "FLASH.RESERVE";

    /// Reads the arguments after the key.
    ///
    /// # Errors
    /// Names the argument that breaks its rule.
    pub fn parse(args: &[&'a [u8]]) -> Result<Self, ArgError> {
        let mut args = Args::new(args);
        let buyer = name("buyer", args.next()?, BUYER_BYTES_MAX)?;
        let (mut quantity, mut request, mut new, mut data) = (None, None, None, None);
        let mut items = Vec::new();
        while let Some(option) = args.try_next() {
            match option {
                arg if is(arg, "QTY") => once(&mut quantity, "quantity", units(&mut args)?)?,
                arg if is(arg, "SKU") => push(&mut items, sku_units(&mut args)?)?,
                arg if is(arg, "ID") => once(&mut request, "id", name("id", args.next()?, REQUEST_BYTES_MAX)?)?,
                arg if is(arg, "KEY") => once(&mut new, "key", word_new(args.next()?)?)?,
                arg if is(arg, "DATA") => once(&mut data, "data", text("data", args.next()?, DATA_BYTES_MAX)?)?,
                _ => return Err(unknown_option("QTY, SKU, ID, KEY, DATA")),
            }
        }
        let wanted = match (quantity, items.is_empty()) {
            (None, true) => Wanted::Quantity(1),
            (Some(quantity), true) => Wanted::Quantity(quantity),
            (None, false) => Wanted::Items(items),
            (Some(_), false) => return Err(Invalid::new("quantity", "must not stand beside SKU").into()),
        };
        if new.is_some() && request.is_none() {
            return Err(Invalid::new("key", "must stand beside ID").into());
        }
        Ok(Self { buyer, wanted, details: Details { request, data }, is_new: new.is_some() })
    }

    /// Writes the arguments after the key.
    pub fn args(&self, sink: &mut impl ArgSink) {
        sink.arg(self.buyer.as_bytes());
        match &self.wanted {
            Wanted::Quantity(1) => {}
            Wanted::Quantity(quantity) => sink.option("QTY", Some((*quantity).into())),
            Wanted::Items(items) => {
                for (sku, quantity) in items {
                    sink.arg(b"SKU");
                    sink.arg(sku.as_bytes());
                    sink.int((*quantity).into());
                }
            }
        }
        let Details { request, data } = self.details;
        let new = self.is_new.then_some("NEW");
        for (keyword, value) in [("ID", request), ("KEY", new), ("DATA", data)] {
            if let Some(value) = value {
                sink.arg(keyword.as_bytes());
                sink.arg(value.as_bytes());
            }
        }
    }
}

fn word_new(arg: &[u8]) -> Result<(), Invalid> {
    if is(arg, "NEW") { Ok(()) } else { Err(Invalid::new("key", "must be NEW")) }
}

fn units(args: &mut Args) -> Result<u32, ArgError> {
    let units = args.int("quantity", 1, QUANTITY_UNITS_MAX.into())?;
    Ok(u32::try_from(units).unwrap_or(QUANTITY_UNITS_MAX))
}

fn sku_units<'a>(args: &mut Args<'_, 'a>) -> Result<(&'a str, u32), ArgError> {
    Ok((name("SKU", args.next()?, SKU_BYTES_MAX)?, units(args)?))
}

fn push<'a>(items: &mut Vec<(&'a str, u32)>, item: (&'a str, u32)) -> Result<(), ArgError> {
    if items.len() == SKUS_MAX {
        return Err(Invalid::new("SKU", format!("must be given at most {SKUS_MAX} times")).into());
    }
    items.push(item);
    Ok(())
}

/// `RESERVED id expires_at available`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReserveAnswer {
    /// The reservation.
    pub id: u64,
    /// When the hold ends, Unix milliseconds; none: confirmed already.
    pub expires_at_ms: Option<u64>,
    /// Units still available, over all SKUs.
    pub available: u64,
}

impl Answer for ReserveAnswer {
    fn write(&self, sink: &mut impl Sink) {
        sink.array(4);
        sink.code("RESERVED");
        sink.uint(self.id);
        sink.optional_uint(self.expires_at_ms);
        sink.uint(self.available);
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        if code != "RESERVED" {
            return Ok(None);
        }
        Ok(Some(Self {
            id: fields.uint("id")?,
            expires_at_ms: fields.optional_uint("expires_at_ms")?,
            available: fields.uint("available")?,
        }))
    }
}
