//! A sale's state, and what can be seen of it.

use crate::command::Command;
use crate::digest::{Content, sku_hash};
use crate::event::{Change, Event};
use crate::holds::Holds;
use crate::invalid::{Invalid, in_range};
use crate::items::{Item, Items};
use crate::journal::Journal;
use crate::lease::Lease;
use crate::life::Life;
use crate::limits::{ENDED_RESERVATIONS_MAX, TOTAL_UNITS_MAX};
use crate::memory::allocated;
use crate::refusal::Refusal;
use crate::reservations::{HashKey, Reservation, Reservations};
use crate::terms::{SkuTerms, Terms};

/// One sale: stock, reservations, journal.
#[derive(Debug)]
pub struct Sale {
    pub(crate) terms: Terms,
    /// By SKU, in the order of the terms: its number in the digest.
    pub(crate) sku_hashes: Box<[u64]>,
    terms_bytes: usize,
    /// The newest recovery attempt that has fenced the sale; 0: there was none.
    pub(crate) term: u64,
    /// The key that the sale was warmed under; empty: it is not known.
    pub(crate) home: Box<[u8]>,
    /// The seq of the newest event that made the sale forget an ended reservation with a request; 0: there was none.
    pub(crate) forgotten_seq: u64,
    pub(crate) epoch: u64,
    /// The newest event's seq.
    pub(crate) seq: u64,
    /// The sale's clock: the newest event's time, which never goes back, or the time that the sale has stepped back to
    /// since.
    pub(crate) at_ms: u64,
    /// All that it has ever stepped back.
    pub(crate) stepped_back_ms: u64,
    /// By SKU, in the order of the terms.
    pub(crate) units: Vec<Units>,
    /// The operator has stopped it.
    pub(crate) is_closed: bool,
    /// Nothing is decided until the state is known to be whole.
    pub(crate) is_fenced: bool,
    /// Whether it was ever open in its present epoch: then it had everything that it should have.
    pub(crate) was_open: bool,
    pub(crate) reservations: Reservations,
    /// The active ones.
    pub(crate) content: Content,
    /// The id of the newest reservation that there ever was; 0: there was none.
    pub(crate) newest_reservation: u64,
    /// The age at which the newest hold that there ever was ends or ended; 0: there was none.
    pub(crate) newest_expiry_ms: u64,
    pub(crate) holds: Holds,
    pub(crate) journal: Option<Journal>,
    /// The newest event's bytes, once there has been one since the sale was loaded.
    pub(crate) newest: Vec<u8>,
    pub(crate) lease: Option<Lease>,
}

/// The units of one SKU: `total = available + held + confirmed`, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Units {
    /// Put on sale.
    pub total: u64,
    /// In holds.
    pub held: u64,
    /// Sold.
    pub confirmed: u64,
}

impl Units {
    /// What anyone may still reserve.
    #[must_use]
    pub const fn available(self) -> u64 {
        self.total - self.taken()
    }

    /// What somebody has.
    #[must_use]
    pub const fn taken(self) -> u64 {
        self.held + self.confirmed
    }
}

/// The state of a sale in its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It opens later.
    NotStarted {
        /// Unix milliseconds.
        opens_at_ms: u64,
    },
    /// Buyers may reserve.
    Open,
    /// An operator stopped it.
    Closed,
    /// It waits until its state is known to be whole.
    Fenced,
    /// The window is over.
    Ended,
}

impl Sale {
    /// The event that makes a sale. `after`: the newest seq of its earlier lives, or 0.
    #[must_use]
    pub fn warmed(life: impl Into<Life>, epoch: u64, after: u64, now_ms: u64) -> Event<'static> {
        Event { epoch, seq: after + 1, at_ms: now_ms, change: Change::Warmed(life.into()) }
    }

    /// The sale that a [`Change::Warmed`] makes; none, if `event` is another. One that had earlier lives is fenced.
    #[must_use]
    pub fn new(event: &Event, key: HashKey) -> Option<Self> {
        let Change::Warmed(life) = &event.change else { return None };
        let mut sale = Self::empty(life.terms.clone(), event.epoch, event.seq - 1, key);
        sale.units.iter_mut().zip(&life.totals).for_each(|(units, total)| units.total = *total);
        (sale.is_closed, sale.forgotten_seq) = (life.is_closed, life.forgotten_seq);
        sale.is_fenced = event.seq > 1;
        sale.was_open = !sale.is_fenced;
        sale.record(event);
        Some(sale)
    }

    /// What the terms, and the units beside them, take from the allocator: the same for ever.
    fn terms_bytes(terms: &Terms, units: &Vec<Units>, sku_hashes: &[u64]) -> usize {
        let names = terms.skus.iter().map(|sku| allocated(sku.name.capacity())).sum::<usize>();
        let skus = allocated(terms.skus.capacity() * size_of::<SkuTerms>());
        names + skus + allocated(units.capacity() * size_of::<Units>()) + allocated(size_of_val(sku_hashes))
    }

    pub(crate) fn empty(terms: Terms, epoch: u64, seq: u64, key: HashKey) -> Self {
        // Only a hold can end, so only a sale with a pay window remembers ended reservations.
        let remembered = if terms.hold_ms.is_some() { ENDED_RESERVATIONS_MAX as u64 } else { 0 };
        let units = terms.skus.iter().map(|sku| Units { total: sku.total, held: 0, confirmed: 0 }).collect();
        let sku_hashes: Box<[u64]> = terms.skus.iter().map(|sku| sku_hash(&sku.name)).collect();
        Self {
            epoch,
            seq,
            at_ms: 0,
            stepped_back_ms: 0,
            terms_bytes: Self::terms_bytes(&terms, &units, &sku_hashes),
            sku_hashes,
            term: 0,
            home: Box::default(),
            forgotten_seq: 0,
            units,
            is_closed: false,
            is_fenced: false,
            was_open: false,
            reservations: Reservations::new(key, terms.total_units() + remembered),
            content: Content::default(),
            newest_reservation: 0,
            newest_expiry_ms: 0,
            holds: Holds::default(),
            journal: terms.journal_events_max.map(|events_max| Journal::new(events_max, seq)),
            newest: Vec::new(),
            lease: None,
            terms,
        }
    }

    /// What the sale promised when it was warmed. A restock changes [`Sale::units`], not this.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Which life of the sale in Redis this is.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The newest event's seq.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The newest recovery attempt that has fenced the sale; 0: there was none.
    #[must_use]
    pub const fn term(&self) -> u64 {
        self.term
    }

    /// The active reservations: kept count of, so that asking costs the same however many they are.
    #[must_use]
    pub const fn content(&self) -> Content {
        self.content
    }

    /// The key that the sale was warmed under; empty: it is not known.
    #[must_use]
    pub const fn home(&self) -> &[u8] {
        &self.home
    }

    /// From now on the sale belongs under this key.
    pub fn settle(&mut self, key: &[u8]) {
        self.home = key.into();
    }

    /// The units of each SKU, in the order of the terms.
    #[must_use]
    pub fn units(&self) -> &[Units] {
        &self.units
    }

    /// Units that anyone may reserve, over all SKUs.
    #[must_use]
    pub fn available(&self) -> u64 {
        self.units.iter().map(|units| units.available()).sum()
    }

    /// One reservation; none, if there never was one or it is forgotten.
    #[must_use]
    pub fn reservation(&self, id: u64) -> Option<Reservation<'_>> {
        Some(self.told(self.reservations.get(id)?))
    }

    /// The active reservations after the id `after`, by id.
    pub fn active_after(&self, after: u64) -> impl Iterator<Item = Reservation<'_>> {
        let active = self.reservations.iter_after(after).filter(|reservation| reservation.state.is_active());
        active.map(|reservation| self.told(reservation))
    }

    /// Every reservation that is active or remembered, by id.
    pub fn reservations(&self) -> impl Iterator<Item = Reservation<'_>> {
        self.reservations.iter().map(|reservation| self.told(reservation))
    }

    /// What a buyer has, remembered ones included, in no particular order. At most
    /// [`RESERVATIONS_PER_BUYER_MAX`](crate::limits::RESERVATIONS_PER_BUYER_MAX).
    pub fn reservations_of<'a>(&'a self, buyer: &'a str) -> impl Iterator<Item = Reservation<'a>> {
        self.reservations.of_buyer(buyer).map(|reservation| self.told(reservation))
    }

    /// The names of wished SKUs as their places in the terms.
    ///
    /// # Errors
    /// Names what is not one of the sale's, or out of bounds.
    pub fn items(&self, named: &[(&str, u32)]) -> Result<Items, Invalid> {
        let item = |&(name, quantity): &(&str, u32)| Ok(Item { sku: self.sku(Some(name))?, quantity });
        Items::summed(named.iter().map(item).collect::<Result<_, Invalid>>()?)
    }

    /// Units of the only SKU.
    ///
    /// # Errors
    /// When the sale has several, or the quantity is out of bounds.
    pub fn items_of_only_sku(&self, quantity: u32) -> Result<Items, Invalid> {
        Items::one(self.sku(None)?, quantity)
    }

    /// The place of a SKU in the terms, by its name; none: of the only one.
    ///
    /// # Errors
    /// When it is not one of the sale's, or the sale has several.
    pub fn sku(&self, name: Option<&str>) -> Result<u16, Invalid> {
        let Some(name) = name else {
            let is_only = self.terms.skus.len() == 1;
            return if is_only { Ok(0) } else { Err(Invalid::new("SKU", "must be named: the sale has several")) };
        };
        let place = self.terms.skus.iter().position(|sku| sku.name == name);
        let place = place.and_then(|place| u16::try_from(place).ok());
        place.ok_or_else(|| Invalid::new("SKU", "must be one of the sale's"))
    }

    /// The wish for `delta` units more, or less, of a SKU.
    ///
    /// # Errors
    /// When there would be more than [`TOTAL_UNITS_MAX`].
    pub fn restock(&self, sku: u16, delta: i64) -> Result<Command<'static>, Invalid> {
        let total = self.units.get(usize::from(sku)).map_or(0, |units| units.total);
        in_range("total", total.saturating_add_signed(delta), 0, TOTAL_UNITS_MAX)?;
        Ok(Command::Restock { sku, delta })
    }

    /// The sale's state in its window at `now_ms`.
    #[must_use]
    pub fn phase(&self, now_ms: u64) -> Phase {
        let now_ms = self.now_after_step(now_ms);
        if self.is_fenced {
            return Phase::Fenced;
        }
        match (self.terms.opens_at_ms, self.terms.closes_at_ms) {
            (_, Some(closes_at_ms)) if now_ms >= closes_at_ms => Phase::Ended,
            _ if self.is_closed => Phase::Closed,
            (Some(opens_at_ms), _) if now_ms < opens_at_ms => Phase::NotStarted { opens_at_ms },
            _ => Phase::Open,
        }
    }

    /// Whether an operator has stopped the sale.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// PostgreSQL has every event up to here. A sale without a journal has nothing to wait for.
    #[must_use]
    pub fn acked(&self) -> u64 {
        self.journal.as_ref().map_or(self.seq, Journal::acked)
    }

    /// Events that are not acknowledged.
    #[must_use]
    pub fn journal_events(&self) -> u64 {
        self.journal.as_ref().map_or(0, Journal::len)
    }

    /// When the oldest unacknowledged event was decided, Unix milliseconds; none: there is no such event.
    #[must_use]
    pub fn journal_since_ms(&self) -> Option<u64> {
        let oldest = self.journal_after(0).next()?;
        Event::decode(oldest).ok().map(|event| event.at_ms)
    }

    /// The unacknowledged events behind `after`, as bytes, in order.
    pub fn journal_after(&self, after: u64) -> impl Iterator<Item = &[u8]> {
        self.journal.iter().flat_map(move |journal| journal.after(after))
    }

    /// The bytes of the event that was applied last, for its sender.
    #[must_use]
    pub fn newest_event(&self) -> &[u8] {
        &self.newest
    }

    /// Drops the journal's events up to `seq`. Absolute and idempotent, so it needs no event of its own.
    ///
    /// # Errors
    /// [`Refusal::Fenced`] when `epoch` is not this life of the sale, or the sale has never made `seq`. Where the
    /// caller knows of a later life or a later event, this sale has forgotten something: it fences itself.
    pub fn ack(&mut self, epoch: u64, seq: u64) -> Result<(), Refusal> {
        if (epoch, seq) > (self.epoch, self.seq) {
            self.fence();
        }
        if epoch != self.epoch || seq > self.seq {
            return Err(Refusal::Fenced);
        }
        if let Some(journal) = &mut self.journal {
            journal.ack(seq);
        }
        Ok(())
    }

    /// Gives `relay` the right to relay this sale for `lease_ms` from `now_ms`. A lease is advice between relays, so it
    /// is neither replicated nor saved: two relays at once are slower, not wrong.
    ///
    /// # Errors
    /// [`Refusal::Leased`] while another relay has it.
    pub fn lease(&mut self, relay: &str, now_ms: u64, lease_ms: u64) -> Result<(), Refusal> {
        Lease::take(&mut self.lease, relay, now_ms, lease_ms)
    }

    /// The relay that has the lease, and until when.
    #[must_use]
    pub fn lease_holder(&self, now_ms: u64) -> Option<(&str, u64)> {
        self.lease.as_ref()?.holder(now_ms)
    }

    /// What the sale takes from the allocator, in bytes: kept count of, so that asking costs the same however large it
    /// is.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let journal = self.journal.as_ref().map_or(0, Journal::memory_bytes);
        let newest = allocated(self.newest.capacity());
        let holds = self.holds.memory_bytes();
        let home = allocated(self.home.len());
        size_of::<Self>() + self.terms_bytes + home + newest + journal + holds + self.reservations.memory_bytes()
    }

    /// How many pieces the sale takes from the allocator, but for the nodes of its trees: what it costs to free it.
    #[must_use]
    pub fn allocations(&self) -> usize {
        self.journal.as_ref().map_or(0, Journal::allocations) + self.reservations.allocations()
    }
}
