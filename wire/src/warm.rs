//! `FLASH.WARM key total | SKU name total [SKU ...] [LIMIT n] [HOLD ms] [OPENS ms] [CLOSES ms] [JOURNAL cap] [EPOCH n]
//! [AFTER seq]`

use flash_sale::invalid::name;
use flash_sale::limits::{
    EPOCH_MAX, HOLD_MS_MAX, JOURNAL_EVENTS_MAX, QUANTITY_UNITS_MAX, SEQ_MAX, SKU_BYTES_MAX, TIME_MS_MAX,
    TOTAL_UNITS_MAX,
};
use flash_sale::{DEFAULT_LIMIT, DEFAULT_SKU, SkuTerms, Terms};

use crate::args::{ArgError, ArgSink, Args, is, once, unknown_option};
use crate::reply::Answer;
use crate::value::{Fields, Sink, Unreadable};

/// The first life of every sale.
pub const FIRST_EPOCH: u64 = 1;

/// Creates a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warm {
    /// What is sold.
    pub terms: Terms,
    /// Which life of the sale this is.
    pub epoch: u64,
    /// The newest seq of the sale's earlier lives, or 0. The numbers go on behind it, and the sale is fenced until it has
    /// been rebuilt.
    pub after: u64,
}

impl Warm {
    /// The command's name.
    pub const NAME: &'static str = "FLASH.WARM";

    /// Reads the arguments behind the key.
    ///
    /// # Errors
    /// Names the argument that breaks its rule.
    pub fn parse(args: &[&[u8]]) -> Result<Self, ArgError> {
        let mut args = Args::new(args);
        let mut skus = Vec::new();
        while args.keyword("SKU") {
            let sku = name("SKU", args.next()?, SKU_BYTES_MAX)?.to_owned();
            skus.push(SkuTerms { name: sku, total: args.int("total", 1, TOTAL_UNITS_MAX)? });
        }
        if skus.is_empty() {
            let total = args.int("total", 1, TOTAL_UNITS_MAX)?;
            skus.push(SkuTerms { name: DEFAULT_SKU.to_owned(), total });
        }
        let options = Options::parse(&mut args)?;
        let limit = options.limit.unwrap_or(DEFAULT_LIMIT.into());
        let terms = Terms {
            skus,
            limit: u32::try_from(limit).unwrap_or(QUANTITY_UNITS_MAX),
            hold_ms: options.hold,
            opens_at_ms: options.opens,
            closes_at_ms: options.closes,
            journal_events_max: options.journal,
        };
        let (epoch, after) = (options.epoch.unwrap_or(FIRST_EPOCH), options.after.unwrap_or(0));
        Ok(Self { terms: terms.check()?, epoch, after })
    }

    /// Writes the arguments behind the key.
    pub fn args(&self, sink: &mut impl ArgSink) {
        for sku in &self.terms.skus {
            sink.arg(b"SKU");
            sink.arg(sku.name.as_bytes());
            sink.int(sku.total);
        }
        sink.option("LIMIT", Some(self.terms.limit.into()));
        sink.option("HOLD", self.terms.hold_ms);
        sink.option("OPENS", self.terms.opens_at_ms);
        sink.option("CLOSES", self.terms.closes_at_ms);
        sink.option("JOURNAL", self.terms.journal_events_max);
        sink.option("EPOCH", Some(self.epoch));
        sink.option("AFTER", (self.after > 0).then_some(self.after));
    }
}

#[derive(Default)]
struct Options {
    limit: Option<u64>,
    hold: Option<u64>,
    opens: Option<u64>,
    closes: Option<u64>,
    journal: Option<u64>,
    epoch: Option<u64>,
    after: Option<u64>,
}

impl Options {
    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let mut options = Self::default();
        while let Some(option) = args.try_next() {
            let (slot, field, max) = match option {
                arg if is(arg, "LIMIT") => (&mut options.limit, "limit", QUANTITY_UNITS_MAX.into()),
                arg if is(arg, "HOLD") => (&mut options.hold, "hold", HOLD_MS_MAX),
                arg if is(arg, "OPENS") => (&mut options.opens, "opens", TIME_MS_MAX),
                arg if is(arg, "CLOSES") => (&mut options.closes, "closes", TIME_MS_MAX),
                arg if is(arg, "JOURNAL") => (&mut options.journal, "journal", JOURNAL_EVENTS_MAX),
                arg if is(arg, "EPOCH") => (&mut options.epoch, "epoch", EPOCH_MAX),
                arg if is(arg, "AFTER") => (&mut options.after, "after", SEQ_MAX - 1),
                _ => return Err(unknown_option("SKU (first), LIMIT, HOLD, OPENS, CLOSES, JOURNAL, EPOCH, AFTER")),
            };
            once(slot, field, args.int(field, 1, max)?)?;
        }
        Ok(options)
    }
}

/// `WARMED epoch` or `EXISTS epoch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarmAnswer {
    /// The sale is new.
    Warmed {
        /// Which life of the sale this is.
        epoch: u64,
    },
    /// The sale was there already, under the same terms; nothing was changed.
    Exists {
        /// Which life of the sale this is.
        epoch: u64,
    },
}

impl Answer for WarmAnswer {
    fn write(&self, sink: &mut impl Sink) {
        let (code, epoch) = match *self {
            Self::Warmed { epoch } => ("WARMED", epoch),
            Self::Exists { epoch } => ("EXISTS", epoch),
        };
        sink.array(2);
        sink.code(code);
        sink.uint(epoch);
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        Ok(match code {
            "WARMED" => Some(Self::Warmed { epoch: fields.uint("epoch")? }),
            "EXISTS" => Some(Self::Exists { epoch: fields.uint("epoch")? }),
            _ => None,
        })
    }
}
