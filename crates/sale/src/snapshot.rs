//! A sale as bytes: RDB, DUMP, AOF rewrite, digest. Counters are not saved but counted anew, so that no snapshot,
//! however damaged or forged, can load into a sale whose sums do not hold.

use crate::bytes::{Malformed, Reader, put_bytes, put_int};
use crate::event::{Event, Reserved, State};
use crate::event_bytes::{put_terms, read_terms};
use crate::journal::Journal;
use crate::limits::{
    AGE_MS_MAX, ENDED_RESERVATIONS_MAX, EPOCH_MAX, RESERVATIONS_PER_BUYER_MAX, SEQ_MAX, TIME_MS_MAX, TOTAL_UNITS_MAX,
};
use crate::reservations::{HashKey, Reservation};
use crate::sale::Sale;

/// The version of the layout. [`Sale::load`] reads this one and those before, and refuses later ones.
///
/// 1: the first. 2: after the terms, a byte of flags (1: closed, 2: fenced), and each SKU's total. 3: a reservation
/// may end with the fingerprint of its request. 4: after the clock, all that the sale has stepped back, the term, the
/// seq of the newest event that made the sale forget a request, and the key that the sale was warmed under; a
/// reservation without a request may have a fingerprint; a shell (epoch 0) ends after that key; flag 4: was open in
/// this epoch.
pub const SNAPSHOT_VERSION: u8 = 4;

/// What follows a sale's clock.
#[derive(Default)]
struct Past<'a> {
    stepped_back_ms: u64,
    term: u64,
    forgotten_seq: u64,
    home: &'a [u8],
}

impl<'a> Past<'a> {
    fn load(reader: &mut Reader<'a>, seq: u64) -> Result<Self, Malformed> {
        Ok(Self {
            stepped_back_ms: reader.int_within("stepped back", 0, AGE_MS_MAX)?,
            term: reader.int_within("term", 0, EPOCH_MAX)?,
            forgotten_seq: reader.int_within("forgotten seq", 0, seq)?,
            home: reader.bytes("home")?,
        })
    }
}

impl Sale {
    /// The whole state; equal states give equal bytes. The lease is not part of it.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let mut out = vec![SNAPSHOT_VERSION];
        put_int(&mut out, self.epoch);
        put_int(&mut out, self.seq);
        put_int(&mut out, self.at_ms);
        put_int(&mut out, self.stepped_back_ms);
        put_int(&mut out, self.term);
        put_int(&mut out, self.forgotten_seq);
        put_bytes(&mut out, &self.home);
        if self.is_shell() {
            return out;
        }
        put_terms(&mut out, &self.terms);
        out.push(u8::from(self.is_closed) | u8::from(self.is_fenced) << 1 | u8::from(self.was_open) << 2);
        self.units.iter().for_each(|units| put_int(&mut out, units.total));
        put_int(&mut out, self.reservations.iter().count() as u64);
        let mut previous = 0;
        for reservation in self.reservations.iter() {
            put_int(&mut out, reservation.id - previous);
            out.extend_from_slice(self.reservations.record(reservation.id).unwrap_or_default());
            previous = reservation.id;
        }
        put_int(&mut out, self.reservations.ended().count() as u64);
        self.reservations.ended().for_each(|id| put_int(&mut out, id));
        if let Some(journal) = &self.journal {
            put_int(&mut out, journal.acked());
            journal.after(0).for_each(|event| put_bytes(&mut out, event));
        }
        out
    }

    /// Reads what [`Sale::save`] wrote, and believes none of it unseen.
    ///
    /// # Errors
    /// Names what is malformed or breaks a rule of the sale.
    pub fn load(bytes: &[u8], key: HashKey) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let version = reader.byte("snapshot version")?;
        if !(1..=SNAPSHOT_VERSION).contains(&version) {
            return Err(Malformed::new("sale: its version is not 1 to 4, written by another release"));
        }
        let epoch = reader.int_within("epoch", u64::from(version < 4), EPOCH_MAX)?;
        let seq = reader.int_within("seq", epoch.min(1), if epoch == 0 { 0 } else { SEQ_MAX })?;
        let at_ms = reader.int_within("clock", 0, TIME_MS_MAX)?;
        let past = if version < 4 { Past::default() } else { Past::load(&mut reader, seq)? };
        let mut sale = match epoch {
            0 => Self::shell(past.term, key),
            _ => Self::empty(read_terms(&mut reader)?, epoch, seq, key),
        };
        (sale.at_ms, sale.term, sale.forgotten_seq, sale.home) =
            (at_ms, past.term, past.forgotten_seq, past.home.into());
        sale.stepped_back_ms = past.stepped_back_ms;
        if epoch == 0 {
            reader.end("end of shell")?;
            return Ok(sale);
        }
        if version >= 2 {
            sale.load_stock(&mut reader, if version < 4 { 3 } else { 7 })?;
        }
        // Earlier versions do not say it: one that was saved open was.
        sale.was_open |= version < 4 && !sale.is_fenced;
        sale.load_reservations(&mut reader)?;
        sale.load_ended(&mut reader)?;
        sale.load_journal(&mut reader)?;
        reader.end("end of sale")?;
        Ok(sale)
    }

    fn load_stock(&mut self, reader: &mut Reader, flags_max: u8) -> Result<(), Malformed> {
        let flags = reader.byte("flags")?;
        if flags > flags_max {
            return Err(Malformed::new("flags"));
        }
        (self.is_closed, self.is_fenced, self.was_open) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0);
        for units in &mut self.units {
            units.total = reader.int_within("total", 0, TOTAL_UNITS_MAX)?;
        }
        Ok(())
    }

    fn load_reservations(&mut self, reader: &mut Reader) -> Result<(), Malformed> {
        let count = reader.count("reservations", usize::MAX)?;
        let mut id = 0;
        for _ in 0..count {
            id += reader.int_within("reservation id", 1, self.seq - id)?;
            let length = self.reservations.load(id, reader.left())?;
            reader.skip(length, "reservation")?;
            let reservation = self.reservations.get(id).ok_or(Malformed::new("reservation"))?;
            self.check_reservation(&reservation)?;
            let Reservation { state, made: Reserved { buyer, items, expires_at_ms, .. }, .. } = reservation;
            if let (State::Held, Some(expires_at_ms)) = (state, expires_at_ms) {
                self.holds.add(id, expires_at_ms);
                self.newest_expiry_ms = expires_at_ms;
            }
            self.newest_reservation = id;
            for item in items.iter() {
                let units = self.units.get_mut(usize::from(item.sku)).ok_or(Malformed::new("SKU"))?;
                match state {
                    State::Held => units.held += u64::from(item.quantity),
                    State::Confirmed => units.confirmed += u64::from(item.quantity),
                    State::Released | State::Expired => {}
                }
                if units.taken() > units.total {
                    return Err(Malformed::new("units: more are taken than there are"));
                }
            }
            if state.is_active() {
                self.content.add(self.element(id, buyer, &items, state));
            }
        }
        Ok(())
    }

    /// Holds are due in the order of their ids, before any hold that is yet to come, and a buyer's active reservations
    /// have a slot each.
    fn check_reservation(&self, reservation: &Reservation) -> Result<(), Malformed> {
        if reservation.state == State::Held {
            let expires = reservation.made.expires_at_ms.unwrap_or(0);
            let latest = self.terms.hold_ms.map_or(0, |hold_ms| self.age(self.at_ms) + hold_ms);
            if !(self.newest_expiry_ms..=latest).contains(&expires) {
                return Err(Malformed::new("expiry"));
            }
        }
        let (mut count, mut same_slot) = (0, 0);
        for other in self.reservations.of_buyer(reservation.made.buyer) {
            count += 1;
            same_slot += usize::from(other.state.is_active() && other.made.slot == reservation.made.slot);
        }
        if count > RESERVATIONS_PER_BUYER_MAX {
            return Err(Malformed::new("buyer: too many reservations"));
        }
        if reservation.state.is_active() && same_slot > 1 {
            return Err(Malformed::new("slot"));
        }
        Ok(())
    }

    fn load_ended(&mut self, reader: &mut Reader) -> Result<(), Malformed> {
        let count = reader.count("ended reservations", ENDED_RESERVATIONS_MAX)?;
        for _ in 0..count {
            let id = reader.int("ended reservation")?;
            match self.reservations.state(id) {
                Some(State::Released | State::Expired) => drop(self.reservations.remember_ended(id)),
                _ => return Err(Malformed::new("ended reservation")),
            }
        }
        let ended = self.reservations.iter().filter(|reservation| !reservation.state.is_active()).count();
        if ended == count {
            return Ok(());
        }
        Err(Malformed::new("ended reservations"))
    }

    fn load_journal(&mut self, reader: &mut Reader) -> Result<(), Malformed> {
        let Some(events_max) = self.terms.journal_events_max else { return Ok(()) };
        let acked = reader.int_within("acked", 0, self.seq)?;
        let mut journal = Journal::new(events_max, acked);
        for seq in acked + 1..=self.seq {
            let bytes = reader.bytes("journal event")?;
            let event = Event::decode(bytes)?;
            if event.seq != seq || event.epoch > self.epoch {
                return Err(Malformed::new("journal event"));
            }
            journal.append(seq, bytes);
        }
        self.journal = Some(journal);
        Ok(())
    }
}
