//! `FLASH.STATUS key [BUYER b | ID id]`: the sale, what a buyer has, or one reservation, as a map.
//!
//! A refusal begins with its code, which is upper case, and a map with the name of a field, which is lower case. Fields
//! are read by name ([`Map`]). Text is borrowed from the sale where a reply is written, and owned where it was read.

use std::borrow::Cow;

use flash_sale::State;
use flash_sale::invalid::name;
use flash_sale::limits::{BUYER_BYTES_MAX, SEQ_MAX};

use crate::args::{ArgError, ArgSink, Args, unknown_option};
use crate::map::Map;
use crate::reply::Answer;
use crate::reserved::MessageReserved;
use crate::value::{Fields, Sink, Unreadable};

/// Asks without changing anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status<'a> {
    /// The sale: answered by [`SaleStatus`].
    Sale,
    /// What a buyer has: answered by [`BuyerStatus`].
    Buyer(&'a str),
    /// One reservation: answered by [`ReservationStatus`].
    Id(u64),
}

impl<'a> Status<'a> {
    /// The command's name.
    pub const NAME: &'static str = "FLASH.STATUS";

    /// Reads the arguments after the key.
    ///
    /// # Errors
    /// Names the argument that breaks its rule.
    pub fn parse(args: &[&'a [u8]]) -> Result<Self, ArgError> {
        let mut args = Args::new(args);
        let status = if args.keyword("BUYER") {
            Self::Buyer(name("buyer", args.next()?, BUYER_BYTES_MAX)?)
        } else if args.keyword("ID") {
            Self::Id(args.int("id", 1, SEQ_MAX)?)
        } else if args.end().is_ok() {
            Self::Sale
        } else {
            return Err(unknown_option("BUYER, ID"));
        };
        args.end()?;
        Ok(status)
    }

    /// Writes the arguments after the key.
    pub fn args(&self, sink: &mut impl ArgSink) {
        match self {
            Self::Sale => {}
            Self::Buyer(buyer) => {
                sink.arg(b"BUYER");
                sink.arg(buyer.as_bytes());
            }
            Self::Id(id) => sink.option("ID", Some(*id)),
        }
    }
}

/// The units of one SKU: `total = available + held + confirmed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkuStatus<'a> {
    /// The SKU.
    pub name: Cow<'a, str>,
    /// Units put on sale.
    pub total: u64,
    /// Units that anyone may reserve.
    pub available: u64,
    /// Units in holds.
    pub held: u64,
    /// Units sold.
    pub confirmed: u64,
}

/// A sale's current state. In the map the sums over all SKUs stand beside these fields, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleStatus<'a> {
    /// Which life of the sale this is.
    pub epoch: u64,
    /// The newest event's seq.
    pub seq: u64,
    /// PostgreSQL has everything up to here.
    pub acked: u64,
    /// `not_started`, `open` or `ended`, by the server's clock; `closed` by an operator; `fenced`.
    pub phase: Cow<'a, str>,
    /// Units per buyer.
    pub limit: u64,
    /// The pay window.
    pub hold_ms: Option<u64>,
    /// Unix milliseconds.
    pub opens_at_ms: Option<u64>,
    /// Unix milliseconds.
    pub closes_at_ms: Option<u64>,
    /// Events in the journal.
    pub journal_events: u64,
    /// How many the journal takes before it refuses reservations; none: the sale has no journal.
    pub journal_events_max: Option<u64>,
    /// The relay that has the sale's lease.
    pub relay: Option<Cow<'a, str>>,
    /// When that lease runs out, Unix milliseconds.
    pub lease_until_ms: Option<u64>,
    /// An operator has stopped it, whatever its phase says.
    pub is_closed: bool,
    /// It was open in this epoch at some time: what it has is whole, as far as it remembers.
    pub was_open: bool,
    /// The newest recovery attempt that has fenced the sale; 0: there was none.
    pub term: u64,
    /// The value in the key: another one has another number.
    pub instance: u64,
    /// Active reservations: held and confirmed ones.
    pub reservations: u64,
    /// Their digest, as [`Content`](flash_sale::Content) has it.
    pub digest: u64,
    /// At least one; none: nothing is known of the sale but its fence (epoch 0).
    pub skus: Vec<SkuStatus<'a>>,
}

impl SaleStatus<'_> {
    /// Whether the sale is in doubt: it refuses nearly everything until a recovery has compared it with PostgreSQL.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        self.phase == "fenced"
    }

    /// Units over all SKUs: total, available, held, confirmed.
    #[must_use]
    pub fn sums(&self) -> SkuStatus<'static> {
        let sum = |units: fn(&SkuStatus) -> u64| self.skus.iter().map(units).sum();
        SkuStatus {
            name: Cow::Borrowed(""),
            total: sum(|sku| sku.total),
            available: sum(|sku| sku.available),
            held: sum(|sku| sku.held),
            confirmed: sum(|sku| sku.confirmed),
        }
    }
}

impl Answer for SaleStatus<'_> {
    fn write(&self, sink: &mut impl Sink) {
        sink.map(23);
        sink.uint_pair("epoch", Some(self.epoch));
        sink.uint_pair("seq", Some(self.seq));
        sink.uint_pair("acked", Some(self.acked));
        sink.text_pair("phase", Some(&self.phase));
        write_units(sink, &self.sums());
        sink.uint_pair("limit", Some(self.limit));
        sink.uint_pair("hold_ms", self.hold_ms);
        sink.uint_pair("opens_at_ms", self.opens_at_ms);
        sink.uint_pair("closes_at_ms", self.closes_at_ms);
        sink.uint_pair("journal_events", Some(self.journal_events));
        sink.uint_pair("journal_events_max", self.journal_events_max);
        sink.text_pair("relay", self.relay.as_deref());
        sink.uint_pair("lease_until_ms", self.lease_until_ms);
        sink.uint_pair("closed", Some(self.is_closed.into()));
        sink.uint_pair("opened", Some(self.was_open.into()));
        sink.uint_pair("term", Some(self.term));
        sink.uint_pair("instance", Some(self.instance));
        sink.uint_pair("reservations", Some(self.reservations));
        sink.uint_pair("digest", Some(self.digest));
        sink.code("skus");
        sink.array(self.skus.len());
        for sku in &self.skus {
            sink.map(5);
            sink.text_pair("sku", Some(&sku.name));
            write_units(sink, sku);
        }
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        let Some(mut map) = Map::begun(code, fields)? else { return Ok(None) };
        Ok(Some(Self {
            epoch: map.uint("epoch")?,
            seq: map.uint("seq")?,
            acked: map.uint("acked")?,
            phase: map.text("phase")?.into(),
            limit: map.uint("limit")?,
            hold_ms: map.optional_uint("hold_ms")?,
            opens_at_ms: map.optional_uint("opens_at_ms")?,
            closes_at_ms: map.optional_uint("closes_at_ms")?,
            journal_events: map.uint("journal_events")?,
            journal_events_max: map.optional_uint("journal_events_max")?,
            relay: map.optional_text("relay")?.map(Cow::Owned),
            lease_until_ms: map.optional_uint("lease_until_ms")?,
            is_closed: map.uint("closed")? > 0,
            was_open: map.uint("opened")? > 0,
            term: map.uint("term")?,
            instance: map.uint("instance")?,
            reservations: map.uint("reservations")?,
            digest: map.uint("digest")?,
            skus: read_skus(map.list("skus")?)?,
        }))
    }
}

fn write_units(sink: &mut impl Sink, sku: &SkuStatus) {
    sink.uint_pair("total", Some(sku.total));
    sink.uint_pair("available", Some(sku.available));
    sink.uint_pair("held", Some(sku.held));
    sink.uint_pair("confirmed", Some(sku.confirmed));
}

fn read_skus(mut list: Fields) -> Result<Vec<SkuStatus<'static>>, Unreadable> {
    let mut skus = Vec::new();
    while let Some(sku) = list.try_next() {
        let mut map = Map::of(sku, "sku")?;
        skus.push(SkuStatus {
            name: map.text("sku")?.into(),
            total: map.uint("total")?,
            available: map.uint("available")?,
            held: map.uint("held")?,
            confirmed: map.uint("confirmed")?,
        });
    }
    Ok(skus)
}

/// One reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationStatus<'a> {
    /// The reservation.
    pub id: u64,
    /// Its state. A hold whose pay window is over counts as expired, reaped or not.
    pub state: State,
    /// As it was made, without its data.
    pub made: MessageReserved<'a>,
}

impl ReservationStatus<'_> {
    fn of_map(map: &mut Map) -> Result<Self, Unreadable> {
        let state = State::from_name(&map.text("state")?).ok_or(Unreadable { what: "state" })?;
        Ok(Self { id: map.uint("id")?, state, made: MessageReserved::read_pairs(map)? })
    }
}

impl Answer for ReservationStatus<'_> {
    fn write(&self, sink: &mut impl Sink) {
        sink.map(2 + MessageReserved::PAIRS);
        sink.uint_pair("id", Some(self.id));
        sink.text_pair("state", Some(self.state.name()));
        self.made.write_pairs(sink);
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        let Some(mut map) = Map::begun(code, fields)? else { return Ok(None) };
        Self::of_map(&mut map).map(Some)
    }
}

/// What one buyer has in a sale, ended reservations that are still remembered included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuyerStatus<'a> {
    /// The buyer.
    pub buyer: Cow<'a, str>,
    /// Units held and confirmed.
    pub units: u64,
    /// In the order in which they were made.
    pub reservations: Vec<ReservationStatus<'a>>,
}

impl Answer for BuyerStatus<'_> {
    fn write(&self, sink: &mut impl Sink) {
        sink.map(3);
        sink.text_pair("buyer", Some(&self.buyer));
        sink.uint_pair("units", Some(self.units));
        sink.code("reservations");
        sink.array(self.reservations.len());
        self.reservations.iter().for_each(|reservation| reservation.write(sink));
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        let Some(mut map) = Map::begun(code, fields)? else { return Ok(None) };
        let (mut list, mut reservations) = (map.list("reservations")?, Vec::new());
        while let Some(reservation) = list.try_next() {
            reservations.push(ReservationStatus::of_map(&mut Map::of(reservation, "reservation")?)?);
        }
        Ok(Some(Self { buyer: map.text("buyer")?.into(), units: map.uint("units")?, reservations }))
    }
}
