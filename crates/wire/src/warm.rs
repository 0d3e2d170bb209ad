//! `FLASH.WARM key total | SKU name total [SKU ...] [LIMIT n] [HOLD ms] [OPENS ms] [CLOSES ms] [JOURNAL cap] [EPOCH n]
//! [AFTER seq]`, and for a later life `TERM t INSTANCE i [CLOSED] [FORGOTTEN seq] [TOTAL n | TOTALS n ...]`

use flash_sale::invalid::name;
use flash_sale::limits::{
    EPOCH_MAX, HOLD_MS_MAX, JOURNAL_EVENTS_MAX, QUANTITY_UNITS_MAX, SEQ_MAX, SKU_BYTES_MAX, TIME_MS_MAX,
    TOTAL_UNITS_MAX,
};
use flash_sale::{DEFAULT_LIMIT, DEFAULT_SKU, Invalid, Life, SkuTerms, Terms};

use crate::args::{ArgError, ArgSink, Args, is, once, unknown_option};
use crate::recover::{Attempt, INSTANCE_MAX};
use crate::reply::Answer;
use crate::value::{Fields, Sink, Unreadable};

/// The first life of every sale.
pub const FIRST_EPOCH: u64 = 1;

/// Creates a sale, or the next life of one that is fenced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warm {
    /// What is sold, and what the life begins with.
    pub life: Life,
    /// Which life of the sale this is.
    pub epoch: u64,
    /// The newest seq of the sale's earlier lives, or 0. The numbers go on after it, and the sale is fenced until it
    /// has been rebuilt.
    pub after: u64,
    /// The recovery attempt that begins a later life; none: this is the first life.
    pub attempt: Option<Attempt>,
}

impl Warm {
    /// The command's name.
    pub const NAME: &'static str = "FLASH.WARM";

    /// The first life of a sale.
    #[must_use]
    pub fn first(terms: Terms) -> Self {
        Self { life: terms.into(), epoch: FIRST_EPOCH, after: 0, attempt: None }
    }

    /// Reads the arguments after the key.
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
        let options = Options::parse(&mut args, skus.len())?;
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
        let attempt = options.attempt()?;
        let mut life = Life::from(terms.check()?);
        life.totals = options.totals.unwrap_or(life.totals);
        (life.is_closed, life.forgotten_seq) = (options.closed.is_some(), options.forgotten.unwrap_or(0));
        if attempt.is_none() && !life.is_plain() {
            return Err(Invalid::new("TERM", "must be given beside CLOSED, FORGOTTEN, TOTAL and TOTALS").into());
        }
        Ok(Self { life, epoch, after, attempt })
    }

    /// Writes the arguments after the key.
    pub fn args(&self, sink: &mut impl ArgSink) {
        let Life { terms, totals, is_closed, forgotten_seq } = &self.life;
        for sku in &terms.skus {
            sink.arg(b"SKU");
            sink.arg(sku.name.as_bytes());
            sink.int(sku.total);
        }
        sink.option("LIMIT", Some(terms.limit.into()));
        sink.option("HOLD", terms.hold_ms);
        sink.option("OPENS", terms.opens_at_ms);
        sink.option("CLOSES", terms.closes_at_ms);
        sink.option("JOURNAL", terms.journal_events_max);
        sink.option("EPOCH", Some(self.epoch));
        sink.option("AFTER", (self.after > 0).then_some(self.after));
        Attempt::args(self.attempt, sink);
        if *is_closed {
            sink.arg(b"CLOSED");
        }
        sink.option("FORGOTTEN", (*forgotten_seq > 0).then_some(*forgotten_seq));
        if self.attempt.is_some() {
            sink.arg(b"TOTALS");
            totals.iter().for_each(|total| sink.int(*total));
        }
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
    term: Option<u64>,
    instance: Option<u64>,
    closed: Option<()>,
    forgotten: Option<u64>,
    totals: Option<Vec<u64>>,
}

impl Options {
    fn parse(args: &mut Args, skus: usize) -> Result<Self, ArgError> {
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
                arg if is(arg, "TERM") => (&mut options.term, "term", EPOCH_MAX),
                arg if is(arg, "INSTANCE") => (&mut options.instance, "instance", INSTANCE_MAX),
                arg if is(arg, "FORGOTTEN") => (&mut options.forgotten, "forgotten", SEQ_MAX),
                arg if is(arg, "CLOSED") => {
                    once(&mut options.closed, "CLOSED", ())?;
                    continue;
                }
                arg if is(arg, "TOTALS") || is(arg, "TOTAL") && skus == 1 => {
                    let totals = (0..skus).map(|_| args.int("total", 0, TOTAL_UNITS_MAX));
                    once(&mut options.totals, "totals", totals.collect::<Result<_, _>>()?)?;
                    continue;
                }
                _ => return Err(unknown_option(OPTIONS)),
            };
            once(slot, field, args.int(field, 1, max)?)?;
        }
        Ok(options)
    }

    fn attempt(&self) -> Result<Option<Attempt>, Invalid> {
        match (self.term, self.instance) {
            (None, None) => Ok(None),
            (Some(term), Some(instance)) => Ok(Some(Attempt { term, instance })),
            _ => Err(Invalid::new("TERM", "must be given beside INSTANCE, and only there")),
        }
    }
}

const OPTIONS: &str = "SKU (first), LIMIT, HOLD, OPENS, CLOSES, JOURNAL, EPOCH, AFTER, TERM, INSTANCE, CLOSED, FORGOTTEN, \
                       TOTAL, TOTALS";

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
