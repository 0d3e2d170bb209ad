//! A later life of a sale: fenced, until who has what is known to be whole again.
//!
//! Neither the fence nor what is rebuilt is an event, for nothing happens: it is what PostgreSQL knows already. Each of
//! these is absolute and may be repeated, so that a replica takes it as it was said.

use crate::event::{Change, Event, Reserved, State};
use crate::expected::Unfence;
use crate::journal::Journal;
use crate::life::NextEpoch;
use crate::limits::RESERVATIONS_PER_BUYER_MAX;
use crate::refusal::Refusal;
use crate::reservations::Reservation;
use crate::sale::Sale;

impl Sale {
    /// Whether the sale waits until its state is known to be whole. It answers, and decides nothing.
    #[must_use]
    pub const fn is_fenced(&self) -> bool {
        self.is_fenced
    }

    /// Whether the sale was ever open in its present epoch. A later life that was not may have only a part of what was
    /// sold: nothing may be written from it.
    #[must_use]
    pub const fn was_open(&self) -> bool {
        self.was_open
    }

    /// Stops every decision until [`Sale::unfence`].
    pub const fn fence(&mut self) {
        self.is_fenced = true;
    }

    /// Stops every decision for the recovery attempt `term`. From now on, no attempt before it changes anything here.
    ///
    /// # Errors
    /// [`Refusal::Fenced`] when a later attempt has fenced the sale already.
    pub const fn fence_for(&mut self, term: u64) -> Result<(), Refusal> {
        if term < self.term {
            return Err(Refusal::Fenced);
        }
        self.term = term;
        self.fence();
        Ok(())
    }

    /// Lets the sale go on: its caller has seen that PostgreSQL and the queue know nothing of this sale after the event
    /// `seq` of `epoch`. It goes on in the same epoch, or in the `next` one: then what anyone still sends of the epoch
    /// before differs from what happens from now on. It may be repeated.
    ///
    /// # Errors
    /// [`Refusal::Fenced`] when `epoch` is not this life of the sale, or `term` is not the attempt that has fenced it.
    /// [`Refusal::Conflict`] when the sale has never made `seq`: then it has forgotten something, and must be rebuilt
    /// under the next epoch; when it differs from what is expected, or has a journal and nothing is expected, or no
    /// attempt says so; when it cannot go on in the `next` epoch: that is none, or begins too early, or the sale is not
    /// fenced or has events that are not acknowledged.
    pub fn unfence(&mut self, unfence: &Unfence) -> Result<(), Refusal> {
        let is_repeated = self.check_unfence(unfence)?;
        if !is_repeated {
            let is_known = unfence.term > 0 && unfence.expected.is_some_and(|expected| self.is_as(expected));
            let may_be_unknown = self.journal.is_none() && unfence.expected.is_none();
            if !is_known && !may_be_unknown {
                return Err(Refusal::Conflict);
            }
            self.go_on(unfence.next);
        }
        Ok(())
    }

    /// [`Sale::unfence`] as a primary has done it, or this server before it stopped: what was expected was there then.
    ///
    /// # Errors
    /// As [`Sale::unfence`], but for what is expected.
    pub fn unfence_as_said(&mut self, unfence: &Unfence) -> Result<(), Refusal> {
        if !self.check_unfence(unfence)? {
            self.go_on(unfence.next);
        }
        Ok(())
    }

    /// Whether the sale goes on already as it is to.
    fn check_unfence(&self, &Unfence { term, epoch, seq, next, .. }: &Unfence) -> Result<bool, Refusal> {
        if term != self.term {
            return Err(Refusal::Fenced);
        }
        if next.is_some_and(|next| next.epoch == self.epoch && epoch < next.epoch && !self.is_fenced) {
            return Ok(true);
        }
        if epoch != self.epoch || self.is_shell() {
            return Err(Refusal::Fenced);
        }
        if seq > self.seq || next.is_some_and(|next| !self.can_go_on_in(next)) {
            return Err(Refusal::Conflict);
        }
        Ok(!self.is_fenced)
    }

    fn can_go_on_in(&self, NextEpoch { epoch, after }: NextEpoch) -> bool {
        self.is_fenced && self.journal_events() == 0 && epoch > self.epoch && after >= self.seq
    }

    fn go_on(&mut self, next: Option<NextEpoch>) {
        if let Some(NextEpoch { epoch, after }) = next {
            (self.epoch, self.seq) = (epoch, after);
            self.journal = self.terms.journal_events_max.map(|events_max| Journal::new(events_max, after));
        }
        (self.is_fenced, self.was_open) = (false, true);
    }

    /// Whether a later life of the sale may take this one's place: the recovery attempt `term` has fenced it, and all
    /// that it has made lies before that life, which begins after the event `after`.
    #[must_use]
    pub const fn gives_way_to(&self, term: u64, epoch: u64, after: u64) -> bool {
        self.is_fenced && term == self.term && epoch > self.epoch && after >= self.seq
    }

    /// Whether `event` makes such a life.
    #[must_use]
    pub const fn is_followed_by(&self, event: &Event) -> bool {
        matches!(event.change, Change::Warmed(_)) && self.gives_way_to(self.term, event.epoch, event.seq - 1)
    }

    /// Gives reservations of earlier lives back, all or none; those that are back already are passed over. Gives how
    /// many are new. They come by ascending ids, over all calls together.
    ///
    /// # Errors
    /// [`Refusal::Fenced`] when `epoch` is not this life of the sale, or `term` is not the recovery attempt that has
    /// fenced it. [`Refusal::Conflict`] when the sale is not fenced or a reservation does not fit: its id does not
    /// follow those before, it is not active, or its slot, its units or its pay window contradict the others or the
    /// terms. A hold that would end before an older one, or later than one that is made now (clocks differ), ends with
    /// it.
    pub fn rebuild(&mut self, term: u64, epoch: u64, reservations: &[Reservation]) -> Result<usize, Refusal> {
        if term != self.term || epoch != self.epoch {
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
        found.is_some_and(|found| {
            found.made.buyer == reservation.made.buyer && found.made.items == reservation.made.items
        })
    }

    /// Whether all of these can be given back, one after the other.
    fn fit(&self, new: &[Reservation]) -> bool {
        let mut taken: Vec<u64> = self.units.iter().map(|units| units.taken()).collect();
        let mut id = self.newest_reservation;
        for (at, reservation) in new.iter().enumerate() {
            let is_next = reservation.id > id && reservation.id < self.seq && reservation.state.is_active();
            if !is_next || !self.has_slot_for(&reservation.made, &new[..at]) {
                return false;
            }
            id = reservation.id;
            let has_window = self.terms.hold_ms.is_some() && reservation.made.expires_at_ms.is_some();
            if reservation.state == State::Held && !has_window {
                return false;
            }
            for item in reservation.made.items.iter() {
                let Some(taken) = taken.get_mut(usize::from(item.sku)) else { return false };
                *taken += u64::from(item.quantity);
            }
        }
        taken.iter().zip(&self.units).all(|(taken, units)| *taken <= units.total)
    }

    fn has_slot_for(&self, wanted: &Reserved, earlier: &[Reservation]) -> bool {
        let before = earlier.iter().map(|earlier| &earlier.made).filter(|earlier| earlier.buyer == wanted.buyer);
        let before = before.map(|earlier| earlier.slot);
        let own = self.reservations.of_buyer(wanted.buyer).map(|own| own.made.slot);
        let is_free = own.chain(before).all(|slot| slot != wanted.slot);
        is_free && usize::from(wanted.slot) < RESERVATIONS_PER_BUYER_MAX
    }

    fn give_back(&mut self, reservation: &Reservation) {
        let Reservation { id, state, made, fingerprint } = reservation;
        let (id, is_held) = (*id, *state == State::Held);
        let mut due_age_ms = made.expires_at_ms.map(|expires_at_ms| self.age(expires_at_ms));
        if is_held {
            let latest = self.expires_at_ms(self.at_ms).map(|latest_ms| self.age(latest_ms));
            due_age_ms = due_age_ms.min(latest).max(Some(self.newest_expiry_ms));
            self.newest_expiry_ms = due_age_ms.unwrap_or_default();
            self.holds.add(id, self.newest_expiry_ms);
        }
        for item in made.items.iter() {
            let units = &mut self.units[usize::from(item.sku)];
            let side = if is_held { &mut units.held } else { &mut units.confirmed };
            *side += u64::from(item.quantity);
        }
        self.content.add(self.element(id, made.buyer, &made.items, *state));
        self.reservations.insert(id, &Reserved { expires_at_ms: due_age_ms, ..made.clone() }, *fingerprint);
        if !is_held {
            self.reservations.confirm(id);
        }
        self.newest_reservation = id;
    }
}
