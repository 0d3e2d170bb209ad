//! What a relay says: `FLASH.READY [COUNT n]`, `FLASH.REAP key [COUNT n]`,
//! `FLASH.PULL key relay LEASE ms [AFTER seq] [COUNT n]`, `FLASH.ACK key epoch seq`.

use flash_sale::invalid::name;
use flash_sale::limits::{EPOCH_MAX, SEQ_MAX};

use crate::args::{ArgError, ArgSink, Args, is, once, unknown_option};
use crate::reply::Answer;
use crate::value::{Fields, Sink, Unreadable, Value};

/// Sales in one answer of READY, events in one of PULL, holds in one REAP: enough to amortise the call, few enough not
/// to stall the server.
pub const COUNT_MAX: u64 = 1_000;
/// Sales that READY answers where `COUNT` is not given.
pub const READY_SALES_DEFAULT: u64 = 100;
/// Events that PULL answers where `COUNT` is not given.
pub const PULL_EVENTS_DEFAULT: u64 = 256;
/// Holds that REAP expires where `COUNT` is not given.
pub const REAP_HOLDS_DEFAULT: u64 = 256;
/// The longest lease: a dead relay holds its sales up no longer.
pub const LEASE_MS_MAX: u64 = 60_000;
/// A relay's name.
pub const RELAY_BYTES_MAX: usize = 64;

/// The sales on this node with events to relay or holds to reap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// At most so many sales.
    pub count: u64,
}

impl Ready {
    /// The command's name.
    pub const NAME: &'static str = "FLASH.READY";

    /// Reads the arguments after the name.
    ///
    /// # Errors
    /// Names the argument that breaks its rule.
    pub fn parse(args: &[&[u8]]) -> Result<Self, ArgError> {
        Ok(Self { count: parse_count(args)?.unwrap_or(READY_SALES_DEFAULT) })
    }

    /// Writes the arguments after the name.
    pub fn args(&self, sink: &mut impl ArgSink) {
        sink.option("COUNT", Some(self.count));
    }
}

/// One sale that needs a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadySale {
    /// The Redis key.
    pub key: Vec<u8>,
    /// Which life of the sale this is.
    pub epoch: u64,
    /// The journal lets go of events up to here: PostgreSQL has them.
    pub acked: u64,
    /// The newest event's seq.
    pub head: u64,
    /// Whether holds are due.
    pub due: bool,
    /// Whether it sells nothing until it is known to be whole.
    pub fenced: bool,
    /// When the oldest event was decided that is not acknowledged, Unix milliseconds; 0: there is none.
    pub oldest_at_ms: u64,
}

/// `READY generation [[key epoch acked head due fenced oldest_at_ms] ...]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyAnswer {
    /// Other than in an earlier answer, if sales of this server may have gone or come into doubt since. It tells
    /// nothing else.
    pub generation: u64,
    /// In no particular order.
    pub sales: Vec<ReadySale>,
}

impl Answer for ReadyAnswer {
    fn write(&self, sink: &mut impl Sink) {
        sink.array(3);
        sink.code("READY");
        sink.uint(self.generation);
        sink.array(self.sales.len());
        for sale in &self.sales {
            sink.array(7);
            sink.bytes(&sale.key);
            sink.uint(sale.epoch);
            sink.uint(sale.acked);
            sink.uint(sale.head);
            sink.uint(sale.due.into());
            sink.uint(sale.fenced.into());
            sink.uint(sale.oldest_at_ms);
        }
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        if code != "READY" {
            return Ok(None);
        }
        let generation = fields.uint("generation")?;
        let mut list = fields.array("sales")?;
        let mut sales = Vec::new();
        while let Some(sale) = list.try_next() {
            let mut sale = Fields::of(sale, "sale")?;
            sales.push(ReadySale {
                key: sale.bytes("key")?,
                epoch: sale.uint("epoch")?,
                acked: sale.uint("acked")?,
                head: sale.uint("head")?,
                due: sale.uint("due")? > 0,
                fenced: sale.uint("fenced")? > 0,
                oldest_at_ms: sale.uint("oldest_at_ms")?,
            });
        }
        Ok(Some(Self { generation, sales }))
    }
}

/// Expires due holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reap {
    /// At most so many holds.
    pub count: u64,
}

impl Reap {
    /// The command's name.
    pub const NAME: &'static str = "FLASH.REAP";

    /// Reads the arguments after the key.
    ///
    /// # Errors
    /// Names the argument that breaks its rule.
    pub fn parse(args: &[&[u8]]) -> Result<Self, ArgError> {
        Ok(Self { count: parse_count(args)?.unwrap_or(REAP_HOLDS_DEFAULT) })
    }

    /// Writes the arguments after the key.
    pub fn args(&self, sink: &mut impl ArgSink) {
        sink.option("COUNT", Some(self.count));
    }
}

/// `REAPED expired`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReapAnswer {
    /// How many holds were expired.
    pub expired: u64,
}

impl Answer for ReapAnswer {
    fn write(&self, sink: &mut impl Sink) {
        sink.array(2);
        sink.code("REAPED");
        sink.uint(self.expired);
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        if code != "REAPED" {
            return Ok(None);
        }
        Ok(Some(Self { expired: fields.uint("expired")? }))
    }
}

/// Reads the journal, under a lease, without dropping anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pull<'a> {
    /// Who asks: the lease is this relay's until it runs out.
    pub relay: &'a str,
    /// How long the lease lasts from now; 0: only a look, which takes no lease and needs none.
    pub lease_ms: u64,
    /// Events after this seq; by default after what is acknowledged.
    pub after: Option<u64>,
    /// At most so many events.
    pub count: u64,
}

impl<'a> Pull<'a> {
    /// The command's name.
    pub const NAME: &'static str = "FLASH.PULL";

    /// Reads the arguments after the key.
    ///
    /// # Errors
    /// Names the argument that breaks its rule.
    pub fn parse(args: &[&'a [u8]]) -> Result<Self, ArgError> {
        let mut args = Args::new(args);
        let relay = name("relay", args.next()?, RELAY_BYTES_MAX)?;
        if !args.keyword("LEASE") {
            return Err(unknown_option("LEASE (required, behind the relay)"));
        }
        let lease_ms = args.int("lease", 0, LEASE_MS_MAX)?;
        let (mut after, mut count) = (None, None);
        while let Some(option) = args.try_next() {
            match option {
                arg if is(arg, "AFTER") => once(&mut after, "after", args.int("after", 0, SEQ_MAX)?)?,
                arg if is(arg, "COUNT") => once(&mut count, "count", args.int("count", 1, COUNT_MAX)?)?,
                _ => return Err(unknown_option("AFTER, COUNT")),
            }
        }
        Ok(Self { relay, lease_ms, after, count: count.unwrap_or(PULL_EVENTS_DEFAULT) })
    }

    /// Writes the arguments after the key.
    pub fn args(&self, sink: &mut impl ArgSink) {
        sink.arg(self.relay.as_bytes());
        sink.option("LEASE", Some(self.lease_ms));
        sink.option("AFTER", self.after);
        sink.option("COUNT", Some(self.count));
    }
}

/// `PULLED epoch head [sku ...] [event ...]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullAnswer {
    /// Which life of the sale this is.
    pub epoch: u64,
    /// The newest event's seq.
    pub head: u64,
    /// The names of the SKUs that the events refer to by place.
    pub skus: Vec<String>,
    /// Consecutive events as bytes, for [`Event::decode`](flash_sale::Event::decode).
    pub events: Vec<Vec<u8>>,
}

impl Answer for PullAnswer {
    fn write(&self, sink: &mut impl Sink) {
        sink.array(5);
        sink.code("PULLED");
        sink.uint(self.epoch);
        sink.uint(self.head);
        sink.array(self.skus.len());
        self.skus.iter().for_each(|sku| sink.bytes(sku.as_bytes()));
        sink.array(self.events.len());
        self.events.iter().for_each(|event| sink.bytes(event));
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        if code != "PULLED" {
            return Ok(None);
        }
        let (epoch, head) = (fields.uint("epoch")?, fields.uint("head")?);
        let mut skus = Vec::new();
        let mut names = fields.array("skus")?;
        while let Some(sku) = names.try_next() {
            skus.push(as_bytes(sku).and_then(|sku| String::from_utf8(sku).ok()).ok_or(Unreadable { what: "sku" })?);
        }
        let mut events = Vec::new();
        let mut list = fields.array("events")?;
        while let Some(event) = list.try_next() {
            events.push(as_bytes(event).ok_or(Unreadable { what: "event" })?);
        }
        Ok(Some(Self { epoch, head, skus, events }))
    }
}

/// Says that PostgreSQL has everything up to `seq`: the journal may drop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// Which life of the sale is meant.
    pub epoch: u64,
    /// The highest seq without a gap below it.
    pub seq: u64,
}

impl Ack {
    /// The command's name.
    pub const NAME: &'static str = "FLASH.ACK";

    /// Reads the arguments after the key.
    ///
    /// # Errors
    /// Names the argument that breaks its rule.
    pub fn parse(args: &[&[u8]]) -> Result<Self, ArgError> {
        let mut args = Args::new(args);
        let (epoch, seq) = (args.int("epoch", 1, EPOCH_MAX)?, args.int("seq", 0, SEQ_MAX)?);
        args.end()?;
        Ok(Self { epoch, seq })
    }

    /// Writes the arguments after the key.
    pub fn args(&self, sink: &mut impl ArgSink) {
        sink.int(self.epoch);
        sink.int(self.seq);
    }
}

/// `ACKED seq`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AckAnswer {
    /// What is acknowledged now.
    pub acked: u64,
}

impl Answer for AckAnswer {
    fn write(&self, sink: &mut impl Sink) {
        sink.array(2);
        sink.code("ACKED");
        sink.uint(self.acked);
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        if code != "ACKED" {
            return Ok(None);
        }
        Ok(Some(Self { acked: fields.uint("acked")? }))
    }
}

fn parse_count(args: &[&[u8]]) -> Result<Option<u64>, ArgError> {
    let mut args = Args::new(args);
    let mut count = None;
    while let Some(option) = args.try_next() {
        if !is(option, "COUNT") {
            return Err(unknown_option("COUNT"));
        }
        once(&mut count, "count", args.int("count", 1, COUNT_MAX)?)?;
    }
    Ok(count)
}

fn as_bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}
