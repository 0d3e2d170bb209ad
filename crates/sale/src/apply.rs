//! Applying: changes, never fails, never decides. The same on every machine.

use crate::decide::Buyer;
use crate::digest::element;
use crate::event::{Change, Event, Reserved, State};
use crate::items::{Item, Items};
use crate::limits::{SEQ_MAX, TIME_MS_MAX};
use crate::sale::Sale;

impl Sale {
    /// Whether `event` is one that this sale could have decided next. Events from elsewhere (a replication link, an
    /// AOF) pass here before they are applied.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn accepts(&self, event: &Event) -> Result<(), &'static str> {
        if event.epoch != self.epoch {
            return Err("the event is of another epoch");
        }
        if event.seq != self.seq + 1 {
            return Err("the event's seq does not follow the sale's");
        }
        if event.seq > SEQ_MAX || !(self.at_ms..=TIME_MS_MAX).contains(&event.at_ms) {
            return Err("the event's seq or time is beyond its limit, or its time goes back");
        }
        let held = |&id: &u64| self.reservations.state(id) == Some(State::Held);
        let fits = match &event.change {
            Change::Warmed(_) => false,
            Change::Reserved(reserved) => self.could_reserve(reserved, event.at_ms),
            Change::Confirmed { id } | Change::Released { id } => held(id),
            Change::Expired { ids } => ids.iter().all(held) && ids.is_sorted_by(|a, b| a < b),
            Change::Restocked { sku, total } => {
                self.units.get(usize::from(*sku)).is_some_and(|units| units.taken() <= *total)
            }
            Change::Opened => self.is_closed,
            Change::Closed => !self.is_closed,
        };
        if fits { Ok(()) } else { Err("the event does not fit the sale's state") }
    }

    /// Lets `event` happen. It must be one that [`Sale::decide`] or [`Sale::expire`] just made, or that
    /// [`Sale::accepts`] let pass.
    pub fn apply(&mut self, event: &Event) {
        match &event.change {
            Change::Warmed(_) => {}
            Change::Reserved(reserved) => self.reserve(event.seq, reserved),
            Change::Confirmed { id } => self.confirm(*id),
            Change::Released { id } => self.end(*id, State::Released),
            Change::Expired { ids } => ids.iter().for_each(|id| self.end(*id, State::Expired)),
            Change::Restocked { sku, total } => self.units[usize::from(*sku)].total = *total,
            Change::Opened => self.is_closed = false,
            Change::Closed => self.is_closed = true,
        }
        self.record(event);
    }

    /// What every event does: it moves the sale's seq and clock, and it is journalled.
    pub(crate) fn record(&mut self, event: &Event) {
        self.seq = event.seq;
        self.at_ms = self.now(event.at_ms);
        self.newest.clear();
        event.encode(&mut self.newest);
        if let Some(journal) = &mut self.journal {
            journal.append(event.seq, &self.newest);
        }
    }

    fn could_reserve(&self, reserved: &Reserved, at_ms: u64) -> bool {
        let mut buyer = Buyer::default();
        let active = self.reservations.of_buyer(reserved.buyer).filter(|reservation| reservation.state.is_active());
        active.for_each(|reservation| buyer.add(&reservation));
        buyer.free_slot() == Some(reserved.slot)
            && buyer.units + reserved.items.units() <= self.terms.limit.into()
            && self.expires_at_ms(at_ms) == reserved.expires_at_ms
            && self.has_units_for(&reserved.items)
    }

    fn has_units_for(&self, items: &Items) -> bool {
        items.iter().all(|item| {
            let units = self.units.get(usize::from(item.sku));
            units.is_some_and(|units| units.available() >= item.quantity.into())
        })
    }

    fn reserve(&mut self, id: u64, reserved: &Reserved) {
        let state = reserved.state();
        for item in reserved.items.iter() {
            let units = &mut self.units[usize::from(item.sku)];
            let side = if state == State::Held { &mut units.held } else { &mut units.confirmed };
            *side += u64::from(item.quantity);
        }
        self.content.add(self.element(id, reserved.buyer, &reserved.items, state));
        self.newest_reservation = id;
        let fingerprint = reserved.details.is_any().then(|| reserved.details.fingerprint());
        let reserved = &self.to_store(reserved);
        if self.reservations.insert(id, reserved, fingerprint) {
            self.forgotten_seq = id;
        }
        if let Some(due_age_ms) = reserved.expires_at_ms {
            self.newest_expiry_ms = due_age_ms;
            self.holds.add(id, due_age_ms);
        }
    }

    fn confirm(&mut self, id: u64) {
        let Some(hold) = self.reservations.get(id) else { return };
        let element = |state| self.element(id, hold.made.buyer, &hold.made.items, state);
        let (held, confirmed) = (element(State::Held), element(State::Confirmed));
        for item in hold.made.items.iter() {
            let units = &mut self.units[usize::from(item.sku)];
            units.held -= u64::from(item.quantity);
            units.confirmed += u64::from(item.quantity);
        }
        self.content.remove(held);
        self.content.add(confirmed);
        self.reservations.confirm(id);
        self.forget_hold(id);
    }

    fn end(&mut self, id: u64, state: State) {
        let Some(hold) = self.reservations.get(id) else { return };
        let held = self.element(id, hold.made.buyer, &hold.made.items, State::Held);
        for item in hold.made.items.iter() {
            self.units[usize::from(item.sku)].held -= u64::from(item.quantity);
        }
        self.content.remove(held);
        if self.reservations.end(id, state) {
            self.forgotten_seq = self.seq + 1;
        }
        self.forget_hold(id);
    }

    /// The part that an active reservation has in the sale's digest.
    pub(crate) fn element(&self, id: u64, buyer: &str, items: &Items, state: State) -> u64 {
        let item = |item: Item| (self.sku_hashes[usize::from(item.sku)], item.quantity);
        element(id, buyer, items.iter().map(item), state)
    }
}
