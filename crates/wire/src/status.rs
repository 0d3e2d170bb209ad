//! `FLASH.STATUS key [BUYER b | ID id]`: the sale, what a buyer has, or one reservation, as a map.
//!
//! A refusal begins with its code and a map with its first key, so that key tells the two apart. Text is borrowed from
//! the sale where a reply is written, and owned where it was read.

use std::borrow::Cow;

use flash_sale::State;
use flash_sale::invalid::name;
use flash_sale::limits::{BUYER_BYTES_MAX, SEQ_MAX};

use crate::args::{ArgError, ArgSink, Args, unknown_option};
use crate::reply::{Answer, state};
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

    /// Reads the arguments behind the key.
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

    /// Writes the arguments behind the key.
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

/// A sale as it stands. In the map the sums over all SKUs stand beside these fields, for people.
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
        pair(sink, "epoch", Some(self.epoch));
        pair(sink, "seq", Some(self.seq));
        pair(sink, "acked", Some(self.acked));
        sink.code("phase");
        sink.bytes(self.phase.as_bytes());
        write_units(sink, &self.sums());
        pair(sink, "limit", Some(self.limit));
        pair(sink, "hold_ms", self.hold_ms);
        pair(sink, "opens_at_ms", self.opens_at_ms);
        pair(sink, "closes_at_ms", self.closes_at_ms);
        pair(sink, "journal_events", Some(self.journal_events));
        pair(sink, "journal_events_max", self.journal_events_max);
        optional_text(sink, "relay", self.relay.as_deref());
        pair(sink, "lease_until_ms", self.lease_until_ms);
        pair(sink, "closed", Some(self.is_closed.into()));
        pair(sink, "opened", Some(self.was_open.into()));
        pair(sink, "term", Some(self.term));
        pair(sink, "instance", Some(self.instance));
        pair(sink, "reservations", Some(self.reservations));
        pair(sink, "digest", Some(self.digest));
        sink.code("skus");
        sink.array(self.skus.len());
        for sku in &self.skus {
            sink.map(5);
            sink.code("sku");
            sink.bytes(sku.name.as_bytes());
            write_units(sink, sku);
        }
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        if code != "epoch" {
            return Ok(None);
        }
        let epoch = fields.uint("epoch")?;
        let seq = fields.key("seq")?.uint("seq")?;
        let acked = fields.key("acked")?.uint("acked")?;
        let phase = fields.key("phase")?.text("phase")?.into();
        read_units(fields, String::new())?;
        Ok(Some(Self {
            epoch,
            seq,
            acked,
            phase,
            limit: fields.key("limit")?.uint("limit")?,
            hold_ms: fields.key("hold_ms")?.optional_uint("hold_ms")?,
            opens_at_ms: fields.key("opens_at_ms")?.optional_uint("opens_at_ms")?,
            closes_at_ms: fields.key("closes_at_ms")?.optional_uint("closes_at_ms")?,
            journal_events: fields.key("journal_events")?.uint("journal_events")?,
            journal_events_max: fields.key("journal_events_max")?.optional_uint("journal_events_max")?,
            relay: fields.key("relay")?.optional_text("relay")?.map(Cow::Owned),
            lease_until_ms: fields.key("lease_until_ms")?.optional_uint("lease_until_ms")?,
            is_closed: fields.key("closed")?.uint("closed")? > 0,
            was_open: fields.key("opened")?.uint("opened")? > 0,
            term: fields.key("term")?.uint("term")?,
            instance: fields.key("instance")?.uint("instance")?,
            reservations: fields.key("reservations")?.uint("reservations")?,
            digest: fields.key("digest")?.uint("digest")?,
            skus: read_skus(fields)?,
        }))
    }
}

fn write_units(sink: &mut impl Sink, sku: &SkuStatus) {
    pair(sink, "total", Some(sku.total));
    pair(sink, "available", Some(sku.available));
    pair(sink, "held", Some(sku.held));
    pair(sink, "confirmed", Some(sku.confirmed));
}

fn read_units(fields: &mut Fields, name: String) -> Result<SkuStatus<'static>, Unreadable> {
    Ok(SkuStatus {
        name: name.into(),
        total: fields.key("total")?.uint("total")?,
        available: fields.key("available")?.uint("available")?,
        held: fields.key("held")?.uint("held")?,
        confirmed: fields.key("confirmed")?.uint("confirmed")?,
    })
}

fn read_skus(fields: &mut Fields) -> Result<Vec<SkuStatus<'static>>, Unreadable> {
    let mut list = fields.key("skus")?.array("skus")?;
    let mut skus = Vec::new();
    while let Some(sku) = list.try_next() {
        let mut sku = Fields::of(sku, "sku")?;
        let name = sku.key("sku")?.text("sku")?;
        skus.push(read_units(&mut sku, name)?);
    }
    Ok(skus)
}

/// One reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationStatus<'a> {
    /// The reservation.
    pub id: u64,
    /// Who reserved.
    pub buyer: Cow<'a, str>,
    /// Where it stands. A hold whose pay window is over counts as expired, reaped or not.
    pub state: State,
    /// When the hold ends or ended, if it ever was one.
    pub expires_at_ms: Option<u64>,
    /// The id of the request that made it.
    pub request: Option<Cow<'a, str>>,
    /// SKU names and units.
    pub items: Vec<(Cow<'a, str>, u64)>,
}

impl Answer for ReservationStatus<'_> {
    fn write(&self, sink: &mut impl Sink) {
        sink.map(6);
        pair(sink, "id", Some(self.id));
        sink.code("buyer");
        sink.bytes(self.buyer.as_bytes());
        sink.code("state");
        sink.code(self.state.name());
        pair(sink, "expires_at_ms", self.expires_at_ms);
        optional_text(sink, "request", self.request.as_deref());
        sink.code("items");
        sink.map(self.items.len());
        for (sku, quantity) in &self.items {
            sink.bytes(sku.as_bytes());
            sink.uint(*quantity);
        }
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        if code != "id" {
            return Ok(None);
        }
        let id = fields.uint("id")?;
        let buyer = fields.key("buyer")?.text("buyer")?.into();
        let state = state(fields.key("state")?)?;
        let expires_at_ms = fields.key("expires_at_ms")?.optional_uint("expires_at_ms")?;
        let request = fields.key("request")?.optional_text("request")?.map(Cow::Owned);
        let mut list = fields.key("items")?.array("items")?;
        let mut items = Vec::new();
        while let Some(sku) = list.try_next_text("sku")? {
            items.push((sku.into(), list.uint("quantity")?));
        }
        Ok(Some(Self { id, buyer, state, expires_at_ms, request, items }))
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
        sink.code("buyer");
        sink.bytes(self.buyer.as_bytes());
        pair(sink, "units", Some(self.units));
        sink.code("reservations");
        sink.array(self.reservations.len());
        self.reservations.iter().for_each(|reservation| reservation.write(sink));
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        if code != "buyer" {
            return Ok(None);
        }
        let buyer = fields.text("buyer")?.into();
        let units = fields.key("units")?.uint("units")?;
        let mut list = fields.key("reservations")?.array("reservations")?;
        let mut reservations = Vec::new();
        while let Some(reservation) = list.try_next() {
            let mut fields = Fields::of(reservation, "reservation")?;
            let first = fields.text("reservation")?;
            let reservation = ReservationStatus::read(&first, &mut fields)?;
            reservations.push(reservation.ok_or(Unreadable { what: "reservation" })?);
        }
        Ok(Some(Self { buyer, units, reservations }))
    }
}

fn pair(sink: &mut impl Sink, key: &'static str, value: Option<u64>) {
    sink.code(key);
    sink.optional_uint(value);
}

fn optional_text(sink: &mut impl Sink, key: &'static str, value: Option<&str>) {
    sink.code(key);
    match value {
        Some(text) => sink.bytes(text.as_bytes()),
        None => sink.null(),
    }
}
