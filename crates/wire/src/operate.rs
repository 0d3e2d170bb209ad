//! What an operator says: `FLASH.RESTOCK key [SKU name] delta`, `FLASH.OPEN key`, `FLASH.CLOSE key`.

use flash_sale::invalid::name;
use flash_sale::limits::{SKU_BYTES_MAX, TOTAL_UNITS_MAX};

use crate::args::{ArgError, ArgSink, Args};
use crate::reply::Answer;
use crate::value::{Fields, Sink, Unreadable};

/// Puts units on sale, or takes them off it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restock<'a> {
    /// The SKU's name; none: the sale's only one.
    pub sku: Option<&'a str>,
    /// Units more, or less; never 0.
    pub delta: i64,
}

impl<'a> Restock<'a> {
    /// The command's name.
    pub const NAME: &'static str = "FLASH.RESTOCK";

    /// Reads the arguments after the key.
    ///
    /// # Errors
    /// Names the argument that breaks its rule.
    pub fn parse(args: &[&'a [u8]]) -> Result<Self, ArgError> {
        let mut args = Args::new(args);
        let sku = if args.keyword("SKU") { Some(name("SKU", args.next()?, SKU_BYTES_MAX)?) } else { None };
        let delta = args.delta("delta", TOTAL_UNITS_MAX)?;
        args.end()?;
        Ok(Self { sku, delta })
    }

    /// Writes the arguments after the key.
    pub fn args(&self, sink: &mut impl ArgSink) {
        if let Some(sku) = self.sku {
            sink.arg(b"SKU");
            sink.arg(sku.as_bytes());
        }
        sink.arg(self.delta.to_string().as_bytes());
    }
}

/// `RESTOCKED total available`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestockAnswer {
    /// Units of the SKU that are on sale now: available, held and confirmed.
    pub total: u64,
    /// Units of the SKU that anyone may reserve.
    pub available: u64,
}

impl Answer for RestockAnswer {
    fn write(&self, sink: &mut impl Sink) {
        sink.array(3);
        sink.code("RESTOCKED");
        sink.uint(self.total);
        sink.uint(self.available);
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        if code != "RESTOCKED" {
            return Ok(None);
        }
        Ok(Some(Self { total: fields.uint("total")?, available: fields.uint("available")? }))
    }
}

/// `OPENED` or `CLOSED`, whether or not the sale was so before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwitchAnswer {
    /// Buyers may reserve, as far as the sale's window lets them.
    Opened,
    /// No one may.
    Closed,
}

impl SwitchAnswer {
    /// The command that lets a closed sale go on.
    pub const OPEN: &'static str = "FLASH.OPEN";
    /// The command that stops a sale.
    pub const CLOSE: &'static str = "FLASH.CLOSE";
}

impl Answer for SwitchAnswer {
    fn write(&self, sink: &mut impl Sink) {
        sink.array(1);
        sink.code(match self {
            Self::Opened => "OPENED",
            Self::Closed => "CLOSED",
        });
    }

    fn read(code: &str, _: &mut Fields) -> Result<Option<Self>, Unreadable> {
        Ok(match code {
            "OPENED" => Some(Self::Opened),
            "CLOSED" => Some(Self::Closed),
            _ => None,
        })
    }
}
