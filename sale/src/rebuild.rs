//! A later life of a sale: fenced, until who has what is known to be whole again.
//!
//! Neither the fence nor what is rebuilt is an event, for nothing happens: it is what PostgreSQL knows already. Each of
//! these is absolute and may be repeated, so that a replica takes it as it was said.

use crate::event::{Change, Event, Reserved, State};
use crate::journal::Journal;
use crate::limits::RESERVATIONS_PER_BUYER_MAX;
use crate::refusal::Refusal;
use crate::reservations::Reservation;
use crate::sale::Sale;

/// The epoch in which a sale goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextEpoch {
    /// Its number.
    pub epoch: u64,
    /// Its first event is the one behind this: the numbers that the epoch before may have given to events that were lost
    /// are not given again.
    pub after: u64,
}

impl Sale {
    /// Whether the sale waits until its state is known to be whole. It answers, and decides nothing.
    #[must_use]
    pub const fn is_fenced(&self) -> bool {
        self.is_fenced
    }

    /// Stops every decision until [`Sale::unfence`].
    pub const fn fence(&mut self) {
        self.is_fenced = true;
    }

    /// Lets the sale go on: its caller has seen that PostgreSQL and the queue know nothing of this sale behind the event
    /// `seq` of `epoch`. It goes on in the same epoch, or in the `next` one: then what anyone still sends of the epoch before
    /// is told from what happens from now on.
    ///
    /// # Errors
    /// [`Refusal::Fenced`] when `epoch` is not this life of the sale, [`Refusal::Conflict`] when the sale has never made
    /// `seq`: then it has forgotten something, and must be rebuilt under the next epoch. [`Refusal::Conflict`] too, when it
    /// cannot go on in the `next` epoch: that is none, or begins too early, or the sale is not fenced or has events that are
    /// not acknowledged.
    pub fn unfence(&mut self, epoch: u64, seq: u64, next: Option<NextEpoch>) -> Result<(), Refusal> {
        if next.is_some_and(|next| next.epoch == self.epoch && epoch < next.epoch && !self.is_fenced) {
            return Ok(());
        }
        if epoch != self.epoch {
            return Err(Refusal::Fenced);
        }
        if seq > self.seq {
            return Err(Refusal::Conflict);
        }
        if let Some(next) = next {
            self.go_on_in(next)?;
        }
        self.is_fenced = false;
        Ok(())
    }

    fn go_on_in(&mut self, NextEpoch { epoch, after }: NextEpoch) -> Result<(), Refusal> {
        if !self.is_fenced || self.journal_events() > 0 || epoch <= self.epoch || after < self.seq {
            return Err(Refusal::Conflict);
        }
        (self.epoch, self.seq) = (epoch, after);
        self.journal = self.terms.journal_events_max.map(|events_max| Journal::new(events_max, after));
        Ok(())
    }

    /// Whether a later life of the sale may take this one's place: it is fenced, and all that it has made lies before that
    /// life, which begins behind the event `after`.
    #[must_use]
    pub const fn gives_way_to(&self, epoch: u64, after: u64) -> bool {
        self.is_fenced && epoch > self.epoch && after >= self.seq
    }

    /// Whether `event` makes such a life.
    #[must_use]
    pub const fn is_followed_by(&self, event: &Event) -> bool {
        matches!(event.change, Change::Warmed(_)) && self.gives_way_to(event.epoch, event.seq - 1)
    }

    /// Gives reservations of earlier lives back, all or none; those that are back already are passed over. Gives how many
    /// are new. They come by ascending ids, over all calls together.
    ///
    /// # Errors
    /// [`Refusal::Fenced`] when `epoch` is not this life of the sale, [`Refusal::Conflict`] when the sale is not fenced or
    /// a reservation does not fit: its id is not behind those before, it is not active, or its slot, its units or its
    /// pay window contradict the others or the terms. A hold that would end before an older one, or later than one that is
    /// made now (clocks differ), ends with it.
    pub fn rebuild(&mut self, epoch: u64, reservations: &[Reservation]) -> Result<usize, Refusal> {
        if epoch != self.epoch {
            return Err(Refusal::Fenced);
        }
        let new = reservations.iter().position(|reservation| !self.has_back(reservation)).unwrap_or(reservations.len());
        let new = &reservations[new..];
        if !self.is_fenced || !self.fit(new) {
            return Err(Refusal::Conflict);
        }
        new.iter().for_each(|reservation| self.give_back(reservation));
        Ok(new.len())
    }

    fn has_back(&self, reservation: &Reservation) -> bool {
        let found = self.reservations.get(reservation.id);
        found.is_some_and(|found| found.buyer == reservation.buyer && found.items == reservation.items)
    }

    /// Whether all of these can be given back, one behind the other.
    fn fit(&self, new: &[Reservation]) -> bool {
        let mut taken: Vec<u64> = self.units.iter().map(|units| units.taken()).collect();
        let mut id = self.newest_reservation;
        for (at, reservation) in new.iter().enumerate() {
            let is_next = reservation.id > id && reservation.id < self.seq && reservation.state.is_active();
            if !is_next || !self.has_slot_for(reservation, &new[..at]) {
                return false;
            }
            id = reservation.id;
            let has_window = self.terms.hold_ms.is_some() && reservation.expires_at_ms.is_some();
            if reservation.state == State::Held && !has_window {
                return false;
            }
            for item in reservation.items.iter() {
                let Some(taken) = taken.get_mut(usize::from(item.sku)) else { return false };
                *taken += u64::from(item.quantity);
            }
        }
        taken.iter().zip(&self.units).all(|(taken, units)| *taken <= units.total)
    }

    fn has_slot_for(&self, reservation: &Reservation, earlier: &[Reservation]) -> bool {
        let before = earlier.iter().filter(|earlier| earlier.buyer == reservation.buyer).map(|earlier| earlier.slot);
        let own = self.reservations.of_buyer(reservation.buyer).map(|own| own.slot);
        let is_free = own.chain(before).all(|slot| slot != reservation.slot);
        is_free && usize::from(reservation.slot) < RESERVATIONS_PER_BUYER_MAX
    }

    fn give_back(&mut self, reservation: &Reservation) {
        let &Reservation { id, slot, buyer, mut expires_at_ms, request, fingerprint, .. } = reservation;
        if reservation.state == State::Held {
            let latest_ms = self.expires_at_ms(self.at_ms);
            expires_at_ms = expires_at_ms.min(latest_ms).max(Some(self.newest_expiry_ms));
            self.newest_expiry_ms = expires_at_ms.unwrap_or_default();
            self.holds.add(id, self.newest_expiry_ms);
        }
        for item in reservation.items.iter() {
            let units = &mut self.units[usize::from(item.sku)];
            let side = if reservation.state == State::Held { &mut units.held } else { &mut units.confirmed };
            *side += u64::from(item.quantity);
        }
        let items = reservation.items.clone();
        let made = Reserved { buyer, slot, items, expires_at_ms, request, data: None };
        self.reservations.insert(id, &made, fingerprint.filter(|_| request.is_some()));
        if reservation.state == State::Confirmed {
            self.reservations.confirm(id);
        }
        self.newest_reservation = id;
    }
}
