//! What a recovery says: `FLASH.FENCE key`, `FLASH.UNFENCE key epoch seq [EPOCH next AFTER seq]`,
//! `FLASH.REBUILD key epoch reservation ...`

use std::borrow::Cow;

use flash_sale::invalid::{in_range, name};
use flash_sale::limits::{
    BUYER_BYTES_MAX, EPOCH_MAX, QUANTITY_UNITS_MAX, REQUEST_BYTES_MAX, RESERVATIONS_PER_BUYER_MAX, SEQ_MAX,
    SKU_BYTES_MAX, SKUS_MAX, TIME_MS_MAX,
};
use flash_sale::{Invalid, NextEpoch, State};
use serde::{Deserialize, Serialize};

use crate::args::{ArgError, ArgSink, Args, unknown_option};
use crate::message::MessageItem;
use crate::reply::Answer;
use crate::value::{Fields, Sink, Unreadable};

/// Reservations in one REBUILD: enough to amortise the call, few enough not to stall the server.
pub const REBUILD_RESERVATIONS_MAX: usize = 256;

/// Lets a fenced sale go on: nobody knows of it behind this event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfence {
    /// Which life of the sale.
    pub epoch: u64,
    /// The newest seq that PostgreSQL or the queue has.
    pub seq: u64,
    /// The epoch in which the sale goes on; none: the same.
    pub next: Option<NextEpoch>,
}

impl Unfence {
    /// The command's name.
    pub const NAME: &'static str = "FLASH.UNFENCE";
    /// The command that stops a sale until its state is known to be whole. It has no arguments behind its key.
    pub const FENCE: &'static str = "FLASH.FENCE";

    /// Reads the arguments behind the key.
    ///
    /// # Errors
    /// Names the argument that breaks its rule.
    pub fn parse(args: &[&[u8]]) -> Result<Self, ArgError> {
        let mut args = Args::new(args);
        let (epoch, seq) = (args.int("epoch", 1, EPOCH_MAX)?, args.int("seq", 0, SEQ_MAX)?);
        let next = if args.keyword("EPOCH") { Some(next_epoch(&mut args)?) } else { None };
        args.end()?;
        Ok(Self { epoch, seq, next })
    }

    /// Writes the arguments behind the key.
    pub fn args(&self, sink: &mut impl ArgSink) {
        sink.int(self.epoch);
        sink.int(self.seq);
        sink.option("EPOCH", self.next.map(|next| next.epoch));
        sink.option("AFTER", self.next.map(|next| next.after));
    }
}

fn next_epoch(args: &mut Args) -> Result<NextEpoch, ArgError> {
    let epoch = args.int("epoch", 1, EPOCH_MAX)?;
    if !args.keyword("AFTER") {
        return Err(unknown_option("AFTER (required, behind EPOCH)"));
    }
    Ok(NextEpoch { epoch, after: args.int("after", 0, SEQ_MAX - 1)? })
}

/// `FENCED epoch seq`: the sale is fenced, whether or not it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FenceAnswer {
    /// Which life of the sale this is.
    pub epoch: u64,
    /// The sale's newest seq.
    pub seq: u64,
}

impl Answer for FenceAnswer {
    fn write(&self, sink: &mut impl Sink) {
        sink.array(3);
        sink.code("FENCED");
        sink.uint(self.epoch);
        sink.uint(self.seq);
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        if code != "FENCED" {
            return Ok(None);
        }
        Ok(Some(Self { epoch: fields.uint("epoch")?, seq: fields.uint("seq")? }))
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

/// Gives reservations of earlier lives back to a fenced sale.
#[derive(Debug, Clone, PartialEq)]
pub struct Rebuild<'a> {
    /// Which life of the sale.
    pub epoch: u64,
    /// By ascending ids, at most [`REBUILD_RESERVATIONS_MAX`].
    pub reservations: Vec<RebuiltReservation<'a>>,
}

/// A reservation as PostgreSQL knows it. On the wire each is a JSON object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct RebuiltReservation<'a> {
    /// Its id.
    pub id: u64,
    /// Who reserved.
    #[serde(borrow)]
    pub buyer: Cow<'a, str>,
    /// Its slot among the buyer's.
    pub slot: u8,
    /// `held` or `confirmed`.
    #[serde(borrow)]
    pub state: Cow<'a, str>,
    /// What for: at least one, each SKU once.
    pub items: Vec<MessageItem<'a>>,
    /// When the hold ends, Unix milliseconds; none: it never was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<u64>,
    /// The id of the request that made it.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub request: Option<Cow<'a, str>>,
    /// The fingerprint of that request's data; none: it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<u32>,
}

impl<'a> Rebuild<'a> {
    /// The command's name.
    pub const NAME: &'static str = "FLASH.REBUILD";

    /// Reads the arguments behind the key.
    ///
    /// # Errors
    /// Names the argument, or the reservation's field, that breaks its rule.
    pub fn parse(args: &[&'a [u8]]) -> Result<Self, ArgError> {
        let mut args = Args::new(args);
        let epoch = args.int("epoch", 1, EPOCH_MAX)?;
        let mut reservations = vec![reservation(args.next()?)?];
        while let Some(arg) = args.try_next() {
            in_range("reservations", reservations.len() as u64 + 1, 1, REBUILD_RESERVATIONS_MAX as u64)?;
            reservations.push(reservation(arg)?);
        }
        Ok(Self { epoch, reservations })
    }

    /// Writes the arguments behind the key.
    pub fn args(&self, sink: &mut impl ArgSink) {
        sink.int(self.epoch);
        for reservation in &self.reservations {
            // Strings, numbers and lists into memory: nothing here can fail.
            sink.arg(&serde_json::to_vec(reservation).unwrap_or_default());
        }
    }
}

impl RebuiltReservation<'_> {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        State::from_name(&self.state)
    }
}

fn reservation(json: &[u8]) -> Result<RebuiltReservation<'_>, Invalid> {
    let reservation: RebuiltReservation = serde_json::from_slice(json)
        .map_err(|error| Invalid::new("reservation", format!("must be the JSON of one: {error}")))?;
    in_range("id", reservation.id, 1, SEQ_MAX)?;
    name("buyer", reservation.buyer.as_bytes(), BUYER_BYTES_MAX)?;
    in_range("slot", reservation.slot.into(), 0, RESERVATIONS_PER_BUYER_MAX as u64 - 1)?;
    if !reservation.state().is_some_and(State::is_active) {
        return Err(Invalid::new("state", "must be held or confirmed"));
    }
    in_range("items", reservation.items.len() as u64, 1, SKUS_MAX as u64)?;
    for item in &reservation.items {
        name("sku", item.sku.as_bytes(), SKU_BYTES_MAX)?;
        in_range("quantity", item.quantity.into(), 1, QUANTITY_UNITS_MAX.into())?;
    }
    in_range("expires_at_ms", reservation.expires_at_ms.unwrap_or(0), 0, TIME_MS_MAX)?;
    if let Some(request) = &reservation.request {
        name("request", request.as_bytes(), REQUEST_BYTES_MAX)?;
    }
    Ok(reservation)
}

/// `REBUILT count`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildAnswer {
    /// Reservations that were not back before.
    pub rebuilt: u64,
}

impl Answer for RebuildAnswer {
    fn write(&self, sink: &mut impl Sink) {
        sink.array(2);
        sink.code("REBUILT");
        sink.uint(self.rebuilt);
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        if code != "REBUILT" {
            return Ok(None);
        }
        Ok(Some(Self { rebuilt: fields.uint("rebuilt")? }))
    }
}
