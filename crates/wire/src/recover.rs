//! What a recovery says: `FLASH.FENCE key [TERM t]`, `FLASH.UNFENCE key epoch seq [EPOCH next AFTER seq] [TERM t
//! INSTANCE i] [RESERVATIONS n DIGEST d CLOSED 0|1 SKU name total taken ...]`

use flash_sale::digest::DIGEST_MAX;
use flash_sale::invalid::name;
use flash_sale::limits::{EPOCH_MAX, SEQ_MAX, SKU_BYTES_MAX, SKUS_MAX, TOTAL_UNITS_MAX};
use flash_sale::{Content, Expected, ExpectedSku, Invalid, NextEpoch};

use crate::args::{ArgError, ArgSink, Args, unknown_option};
use crate::reply::Answer;
use crate::value::{Fields, Sink, Unreadable};

/// The highest number of an instance.
pub const INSTANCE_MAX: u64 = 1 << 62;

/// One attempt to recover a sale. What it says counts only for the value that it fenced, and only until a later attempt
/// fences that value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// Its number, which PostgreSQL gives, from 1.
    pub term: u64,
    /// The value in the key that it fenced, as [`FenceAnswer`] says, 1 to [`INSTANCE_MAX`].
    pub instance: u64,
}

impl Attempt {
    pub(crate) fn parse(args: &mut Args) -> Result<Option<Self>, ArgError> {
        if !args.keyword("TERM") {
            return Ok(None);
        }
        let term = args.int("term", 1, EPOCH_MAX)?;
        if !args.keyword("INSTANCE") {
            return Err(unknown_option("INSTANCE (required, after TERM)"));
        }
        Ok(Some(Self { term, instance: args.int("instance", 1, INSTANCE_MAX)? }))
    }

    pub(crate) fn args(attempt: Option<Self>, sink: &mut impl ArgSink) {
        sink.option("TERM", attempt.map(|attempt| attempt.term));
        sink.option("INSTANCE", attempt.map(|attempt| attempt.instance));
    }

    /// The term of an attempt; 0: there is none.
    #[must_use]
    pub fn term(attempt: Option<Self>) -> u64 {
        attempt.map_or(0, |attempt| attempt.term)
    }
}

/// Stops a sale until its state is known to be whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    /// The recovery attempt that stops it; none: a person does.
    pub term: Option<u64>,
}

impl Fence {
    /// The command's name.
    pub const NAME: &'static str = "FLASH.FENCE";

    /// Reads the arguments after the key.
    ///
    /// # Errors
    /// Names the argument that breaks its rule.
    pub fn parse(args: &[&[u8]]) -> Result<Self, ArgError> {
        let mut args = Args::new(args);
        let term = if args.keyword("TERM") { Some(args.int("term", 1, EPOCH_MAX)?) } else { None };
        match args.try_next() {
            None => Ok(Self { term }),
            Some(_) if term.is_none() => Err(unknown_option("TERM")),
            Some(_) => Err(ArgError::Arity),
        }
    }

    /// Writes the arguments after the key.
    pub fn args(&self, sink: &mut impl ArgSink) {
        sink.option("TERM", self.term);
    }
}

/// Opens a fenced sale: no later event exists elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unfence {
    /// Which life of the sale.
    pub epoch: u64,
    /// The newest seq that PostgreSQL or the queue has.
    pub seq: u64,
    /// The epoch in which the sale goes on; none: the same.
    pub next: Option<NextEpoch>,
    /// The recovery attempt that says so; none: a person does, which only a sale without a journal takes.
    pub attempt: Option<Attempt>,
    /// What the sale must be, or it stays fenced. A sale with a journal needs it.
    pub expected: Option<Expected>,
}

impl Unfence {
    /// The command's name.
    pub const NAME: &'static str = "FLASH.UNFENCE";

    /// Reads the arguments after the key.
    ///
    /// # Errors
    /// Names the argument that breaks its rule.
    pub fn parse(args: &[&[u8]]) -> Result<Self, ArgError> {
        let mut args = Args::new(args);
        let (epoch, seq) = (args.int("epoch", 1, EPOCH_MAX)?, args.int("seq", 0, SEQ_MAX)?);
        let next = if args.keyword("EPOCH") { Some(next_epoch(&mut args)?) } else { None };
        let attempt = Attempt::parse(&mut args)?;
        let expected = if args.keyword("RESERVATIONS") { Some(expected(&mut args)?) } else { None };
        args.end()?;
        Ok(Self { epoch, seq, next, attempt, expected })
    }

    /// Writes the arguments after the key.
    pub fn args(&self, sink: &mut impl ArgSink) {
        sink.int(self.epoch);
        sink.int(self.seq);
        sink.option("EPOCH", self.next.map(|next| next.epoch));
        sink.option("AFTER", self.next.map(|next| next.after));
        Attempt::args(self.attempt, sink);
        let Some(expected) = &self.expected else { return };
        sink.option("RESERVATIONS", Some(expected.content.reservations));
        sink.option("DIGEST", Some(expected.content.digest));
        sink.option("CLOSED", Some(expected.is_closed.into()));
        for sku in &expected.skus {
            sink.arg(b"SKU");
            sink.arg(sku.name.as_bytes());
            sink.int(sku.total);
            sink.int(sku.taken);
        }
    }

    /// The same for the sale itself.
    #[must_use]
    pub fn of_sale(&self) -> flash_sale::Unfence<'_> {
        flash_sale::Unfence {
            term: Attempt::term(self.attempt),
            epoch: self.epoch,
            seq: self.seq,
            next: self.next,
            expected: self.expected.as_ref(),
        }
    }
}

fn next_epoch(args: &mut Args) -> Result<NextEpoch, ArgError> {
    let epoch = args.int("epoch", 1, EPOCH_MAX)?;
    if !args.keyword("AFTER") {
        return Err(unknown_option("AFTER (required, behind EPOCH)"));
    }
    Ok(NextEpoch { epoch, after: args.int("after", 0, SEQ_MAX - 1)? })
}

fn expected(args: &mut Args) -> Result<Expected, ArgError> {
    let reservations = args.int("reservations", 0, SEQ_MAX)?;
    let digest = required(args, "DIGEST", "DIGEST (required, after RESERVATIONS)", "digest", DIGEST_MAX)?;
    let is_closed = required(args, "CLOSED", "CLOSED (required, after DIGEST)", "closed", 1)? == 1;
    let mut skus = Vec::new();
    while args.keyword("SKU") {
        if skus.len() == SKUS_MAX {
            return Err(Invalid::new("SKU", format!("must be 1 to {SKUS_MAX}")).into());
        }
        let name = name("SKU", args.next()?, SKU_BYTES_MAX)?.to_owned();
        let (total, taken) = (args.int("total", 0, TOTAL_UNITS_MAX)?, args.int("taken", 0, TOTAL_UNITS_MAX)?);
        skus.push(ExpectedSku { name, total, taken });
    }
    Ok(Expected { content: Content { reservations, digest }, is_closed, skus })
}

fn required(args: &mut Args, keyword: &str, expected: &str, field: &'static str, max: u64) -> Result<u64, ArgError> {
    if args.keyword(keyword) { args.int(field, 0, max) } else { Err(unknown_option(expected)) }
}

/// `FENCED epoch seq instance`: the sale is fenced, whether or not it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FenceAnswer {
    /// Which life of the sale this is; 0: there is nothing but the fence.
    pub epoch: u64,
    /// The sale's newest seq.
    pub seq: u64,
    /// The value in the key: another one has another number.
    pub instance: u64,
}

impl Answer for FenceAnswer {
    fn write(&self, sink: &mut impl Sink) {
        sink.array(4);
        sink.code("FENCED");
        sink.uint(self.epoch);
        sink.uint(self.seq);
        sink.uint(self.instance);
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        // A refusal has the same code, and nothing after it.
        if code != "FENCED" || fields.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { epoch: fields.uint("epoch")?, seq: fields.uint("seq")?, instance: fields.uint("instance")? }))
    }
}

/// `UNFENCED epoch seq`: the sale goes on, whether or not it was fenced before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnfenceAnswer {
    /// Which life of the sale this is.
    pub epoch: u64,
    /// The sale's newest seq.
    pub seq: u64,
}

impl Answer for UnfenceAnswer {
    fn write(&self, sink: &mut impl Sink) {
        sink.array(3);
        sink.code("UNFENCED");
        sink.uint(self.epoch);
        sink.uint(self.seq);
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        if code != "UNFENCED" {
            return Ok(None);
        }
        Ok(Some(Self { epoch: fields.uint("epoch")?, seq: fields.uint("seq")? }))
    }
}
