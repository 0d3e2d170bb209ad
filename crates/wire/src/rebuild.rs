//! Reservations that go back into a sale, and come out of it: `FLASH.REBUILD key epoch [TERM t INSTANCE i] reservation
//! ...`, `FLASH.ACTIVE key [AFTER id] [COUNT n]`

use std::borrow::Cow;

use flash_sale::invalid::in_range;
use flash_sale::limits::{EPOCH_MAX, SEQ_MAX};
use flash_sale::{Invalid, Reservation, Sale, State};
use serde::{Deserialize, Serialize};

use crate::args::{ArgError, ArgSink, Args, is, once, unknown_option};
use crate::recover::Attempt;
use crate::reply::Answer;
use crate::reserved::MessageReserved;
use crate::value::{Fields, Sink, Unreadable, Value};

/// Reservations in one REBUILD: enough to amortise the call, few enough not to stall the server.
pub const REBUILD_RESERVATIONS_MAX: usize = 256;
/// Reservations in one answer of ACTIVE.
pub const ACTIVE_RESERVATIONS_MAX: u64 = 1_000;

/// Gives reservations of earlier lives back to a fenced sale.
#[derive(Debug, Clone, PartialEq)]
pub struct Rebuild<'a> {
    /// Which life of the sale.
    pub epoch: u64,
    /// The recovery attempt that says so; none: an older release said it, in an AOF.
    pub attempt: Option<Attempt>,
    /// By ascending ids, at most [`REBUILD_RESERVATIONS_MAX`].
    pub reservations: Vec<RebuiltReservation<'a>>,
}

/// A reservation as PostgreSQL knows it. On the wire each is a JSON object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Hash)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct RebuiltReservation<'a> {
    /// Its id.
    pub id: u64,
    /// `held` or `confirmed`.
    #[serde(borrow)]
    pub state: Cow<'a, str>,
    /// As it was made, without its data.
    #[serde(borrow, flatten)]
    pub made: MessageReserved<'a>,
    /// The fingerprint of its details; none: it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<u32>,
}

impl<'a> Rebuild<'a> {
    /// The command's name.
    pub const NAME: &'static str = "FLASH.REBUILD";

    /// Reads the arguments after the key.
    ///
    /// # Errors
    /// Names the argument, or the reservation's field, that breaks its rule.
    pub fn parse(args: &[&'a [u8]]) -> Result<Self, ArgError> {
        let mut args = Args::new(args);
        let epoch = args.int("epoch", 1, EPOCH_MAX)?;
        let attempt = Attempt::parse(&mut args)?;
        let mut reservations = vec![reservation(args.next()?)?];
        while let Some(arg) = args.try_next() {
            in_range("reservations", reservations.len() as u64 + 1, 1, REBUILD_RESERVATIONS_MAX as u64)?;
            reservations.push(reservation(arg)?);
        }
        Ok(Self { epoch, attempt, reservations })
    }

    /// Writes the arguments after the key.
    pub fn args(&self, sink: &mut impl ArgSink) {
        sink.int(self.epoch);
        Attempt::args(self.attempt, sink);
        self.reservations.iter().for_each(|reservation| sink.arg(&reservation.json()));
    }
}

impl<'a> RebuiltReservation<'a> {
    /// A reservation of `sale`.
    #[must_use]
    pub fn of(sale: &'a Sale, reservation: &Reservation<'a>) -> Self {
        let &Reservation { id, state, ref made, fingerprint } = reservation;
        Self { id, state: state.name().into(), made: MessageReserved::of_sale(sale, made), fingerprint }
    }

    /// The same for the core, with the SKUs by their places in the terms of `sale`.
    ///
    /// # Errors
    /// When an item is none of the sale's.
    pub fn for_sale(&self, sale: &Sale) -> Result<Reservation<'_>, Invalid> {
        let &Self { id, ref made, fingerprint, .. } = self;
        Ok(Reservation { id, state: self.state().unwrap_or(State::Expired), made: made.for_sale(sale)?, fingerprint })
    }

    /// Its state.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        State::from_name(&self.state)
    }

    fn json(&self) -> Vec<u8> {
        // Strings, numbers and lists into memory: nothing here can fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

fn reservation(json: &[u8]) -> Result<RebuiltReservation<'_>, Invalid> {
    let reservation: RebuiltReservation = serde_json::from_slice(json)
        .map_err(|error| Invalid::new("reservation", format!("must be the JSON of one: {error}")))?;
    in_range("id", reservation.id, 1, SEQ_MAX)?;
    if !reservation.state().is_some_and(State::is_active) {
        return Err(Invalid::new("state", "must be held or confirmed"));
    }
    reservation.made.check()?;
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

/// Asks for active reservations, without changing anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Active {
    /// Only those whose id is higher.
    pub after: u64,
    /// At most so many.
    pub count: u64,
}

impl Active {
    /// The command's name.
    pub const NAME: &'static str = "FLASH.ACTIVE";

    /// Reads the arguments after the key.
    ///
    /// # Errors
    /// Names the argument that breaks its rule.
    pub fn parse(args: &[&[u8]]) -> Result<Self, ArgError> {
        let mut args = Args::new(args);
        let (mut after, mut count) = (None, None);
        while let Some(option) = args.try_next() {
            match option {
                arg if is(arg, "AFTER") => once(&mut after, "after", args.int("after", 0, SEQ_MAX)?)?,
                arg if is(arg, "COUNT") => once(&mut count, "count", args.int("count", 1, ACTIVE_RESERVATIONS_MAX)?)?,
                _ => return Err(unknown_option("AFTER, COUNT")),
            }
        }
        Ok(Self { after: after.unwrap_or(0), count: count.unwrap_or(ACTIVE_RESERVATIONS_MAX) })
    }

    /// Writes the arguments after the key.
    pub fn args(&self, sink: &mut impl ArgSink) {
        sink.option("AFTER", Some(self.after));
        sink.option("COUNT", Some(self.count));
    }
}

/// `ACTIVE epoch reservation ...`: held and confirmed ones, by ascending ids, as REBUILD takes them. Fewer than were
/// asked for: there are no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveAnswer<'a> {
    /// Which life of the sale this is.
    pub epoch: u64,
    /// At most as many as were asked for.
    pub reservations: Vec<RebuiltReservation<'a>>,
}

impl Answer for ActiveAnswer<'_> {
    fn write(&self, sink: &mut impl Sink) {
        sink.array(2 + self.reservations.len());
        sink.code("ACTIVE");
        sink.uint(self.epoch);
        self.reservations.iter().for_each(|reservation| sink.bytes(&reservation.json()));
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        if code != "ACTIVE" {
            return Ok(None);
        }
        let (epoch, mut reservations) = (fields.uint("epoch")?, Vec::new());
        while let Some(value) = fields.try_next() {
            let Value::Bytes(json) = value else { return Err(Unreadable { what: "reservation" }) };
            let read = reservation(&json).map_err(|_| Unreadable { what: "reservation" })?;
            reservations.push(read.into_owned());
        }
        Ok(Some(Self { epoch, reservations }))
    }
}

impl RebuiltReservation<'_> {
    fn into_owned(self) -> RebuiltReservation<'static> {
        RebuiltReservation {
            id: self.id,
            state: Cow::Owned(self.state.into_owned()),
            made: self.made.into_owned(),
            fingerprint: self.fingerprint,
        }
    }
}
