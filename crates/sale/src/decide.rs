//! Deciding: looks, never changes. Only a primary does it.

use crate::command::{Command, Reserve};
use crate::details::Details;
use crate::event::{Change, Event, Reserved, State};
use crate::limits::{EXPIRED_PER_EVENT_MAX, RESERVATIONS_PER_BUYER_MAX, SEQ_MAX, TIME_MS_MAX, TOTAL_UNITS_MAX};
use crate::refusal::Refusal;
use crate::reservations::Reservation;
use crate::sale::{Phase, Sale};

impl Sale {
    /// What comes of a command at `now_ms`. The caller steps back first, where the sale must ([`Sale::step_back`]), and
    /// then applies [`Sale::expire`], so that stock whose pay window is over can be had.
    ///
    /// # Errors
    /// The refusal that is the answer; nothing happens then.
    pub fn decide<'a>(&self, command: &Command<'a>, now_ms: u64) -> Result<Event<'a>, Refusal> {
        if self.is_fenced {
            return Err(Refusal::Fenced);
        }
        let now_ms = self.now(now_ms);
        let change = match command {
            Command::Reserve(reserve) => self.decide_reserve(reserve, now_ms)?,
            Command::Confirm { id } => self.decide_confirm(*id, now_ms)?,
            Command::Release { id } => self.decide_release(*id, now_ms)?,
            Command::Restock { sku, delta } => self.decide_restock(*sku, *delta)?,
            Command::Open => self.decide_open()?,
            Command::Close => self.decide_close()?,
        };
        if self.seq >= SEQ_MAX {
            return Err(Refusal::JournalFull);
        }
        Ok(self.next_event(now_ms, change))
    }

    /// The event that expires due holds, if any is due: at most `holds_max`, and never more than
    /// [`EXPIRED_PER_EVENT_MAX`], the oldest first. `buyer`'s own come first of all: no buyer may buy again while an
    /// expired hold still takes the buyer's slot.
    #[must_use]
    pub fn expire(&self, now_ms: u64, holds_max: usize, buyer: Option<&str>) -> Option<Event<'static>> {
        if self.is_fenced {
            return None;
        }
        let now_ms = self.now(now_ms);
        let holds_max = holds_max.min(EXPIRED_PER_EVENT_MAX);
        if !self.is_any_due(now_ms) || self.seq >= SEQ_MAX {
            return None;
        }
        let own = buyer.into_iter().flat_map(|buyer| self.reservations_of(buyer));
        let own = own.filter(|reservation| reservation.is_due(now_ms)).map(|reservation| reservation.id);
        let mut ids: Vec<u64> = own.chain(self.due_holds(now_ms)).take(holds_max).collect();
        ids.sort_unstable();
        ids.dedup();
        Some(self.next_event(now_ms, Change::Expired { ids }))
    }

    /// The order of these checks is part of the contract: a repeat gets its answer before anything else is asked, and
    /// a sale that is over says so before it speaks of limits or stock.
    fn decide_reserve<'a>(&self, reserve: &Reserve<'a>, now_ms: u64) -> Result<Change<'a>, Refusal> {
        let buyer = self.look_up(reserve, now_ms)?;
        if self.forgotten_seq > 0 && reserve.details.request.is_some() && !reserve.is_new {
            return Err(Refusal::KeyForgotten { seq: self.forgotten_seq });
        }
        match self.phase(now_ms) {
            Phase::NotStarted { opens_at_ms } => return Err(Refusal::NotStarted { opens_at_ms }),
            Phase::Ended => return Err(Refusal::Ended),
            Phase::Closed => return Err(Refusal::Closed),
            Phase::Fenced => return Err(Refusal::Fenced),
            Phase::Open => {}
        }
        let (wanted, limit) = (reserve.items.units(), u64::from(self.terms.limit));
        if buyer.units + wanted > limit {
            return Err(Refusal::LimitExceeded { existing: buyer.only().filter(|_| wanted <= limit) });
        }
        let slot = buyer.free_slot().ok_or(Refusal::LimitExceeded { existing: None })?;
        if reserve.items.iter().any(|item| self.units[usize::from(item.sku)].available() < item.quantity.into()) {
            return Err(Refusal::SoldOut);
        }
        self.journal_takes_one_more()?;
        Ok(Change::Reserved(Reserved {
            buyer: reserve.buyer,
            slot,
            items: reserve.items.clone(),
            expires_at_ms: self.expires_at_ms(now_ms),
            details: reserve.details,
        }))
    }

    /// What the buyer has already; refuses repeats.
    fn look_up(&self, reserve: &Reserve, now_ms: u64) -> Result<Buyer, Refusal> {
        let mut buyer = Buyer::default();
        let mut same_wish = None;
        for reservation in self.reservations_of(reserve.buyer) {
            if reserve.details.request.is_some() && reservation.made.details.request == reserve.details.request {
                return Err(repeat(&reservation, reserve, now_ms));
            }
            if !reservation.state.is_active() {
                continue;
            }
            buyer.add(&reservation);
            if self.terms.limit == 1 && is_same_wish(&reservation, reserve) {
                same_wish = Some(replayed(&reservation, now_ms));
            }
        }
        same_wish.map_or(Ok(buyer), Err)
    }

    fn decide_confirm(&self, id: u64, now_ms: u64) -> Result<Change<'static>, Refusal> {
        let reservation = self.reservation(id).ok_or(Refusal::Unknown)?;
        match state_at(&reservation, now_ms) {
            State::Held => Ok(Change::Confirmed { id }),
            State::Confirmed => Err(replayed(&reservation, now_ms)),
            State::Released => Err(Refusal::Conflict),
            State::Expired => Err(Refusal::Expired),
        }
    }

    fn decide_release(&self, id: u64, now_ms: u64) -> Result<Change<'static>, Refusal> {
        let reservation = self.reservation(id).ok_or(Refusal::Unknown)?;
        match state_at(&reservation, now_ms) {
            State::Held => Ok(Change::Released { id }),
            State::Confirmed => Err(Refusal::Conflict),
            State::Released => Err(replayed(&reservation, now_ms)),
            State::Expired => Err(Refusal::Expired),
        }
    }

    /// When a hold ends that is made at `now_ms`; none, if the sale has no pay window.
    pub(crate) fn expires_at_ms(&self, now_ms: u64) -> Option<u64> {
        self.terms.hold_ms.map(|hold_ms| (now_ms + hold_ms).min(TIME_MS_MAX))
    }

    /// Units that somebody has cannot be taken off sale.
    fn decide_restock(&self, sku: u16, delta: i64) -> Result<Change<'static>, Refusal> {
        let units = self.units.get(usize::from(sku)).ok_or(Refusal::Unknown)?;
        let total =
            units.total.checked_add_signed(delta).filter(|total| (units.taken()..=TOTAL_UNITS_MAX).contains(total));
        let total = total.ok_or(Refusal::Conflict)?;
        self.journal_takes_one_more()?;
        Ok(Change::Restocked { sku, total })
    }

    fn decide_open(&self) -> Result<Change<'static>, Refusal> {
        if !self.is_closed {
            return Err(Refusal::Conflict);
        }
        self.journal_takes_one_more()?;
        Ok(Change::Opened)
    }

    /// However full the journal is: to stop must always be possible, and it is only once until the sale is opened
    /// again.
    const fn decide_close(&self) -> Result<Change<'static>, Refusal> {
        if self.is_closed { Err(Refusal::Conflict) } else { Ok(Change::Closed) }
    }

    fn journal_takes_one_more(&self) -> Result<(), Refusal> {
        if self.journal.as_ref().is_some_and(|journal| journal.is_full()) {
            return Err(Refusal::JournalFull);
        }
        Ok(())
    }

    const fn next_event<'a>(&self, at_ms: u64, change: Change<'a>) -> Event<'a> {
        Event { epoch: self.epoch, seq: self.seq + 1, at_ms, change }
    }
}

/// What a buyer has in a sale.
#[derive(Default)]
pub(crate) struct Buyer {
    pub(crate) units: u64,
    /// One bit for each slot that is taken.
    slots: u32,
    /// One of the reservations.
    any: u64,
}

const _: () = assert!(RESERVATIONS_PER_BUYER_MAX <= u32::BITS as usize);

impl Buyer {
    /// Takes an active reservation into account.
    pub(crate) fn add(&mut self, reservation: &Reservation) {
        self.units += reservation.made.items.units();
        self.slots |= 1 << reservation.made.slot;
        self.any = reservation.id;
    }

    /// The buyer's reservation, if there is no other.
    fn only(&self) -> Option<u64> {
        (self.slots.count_ones() == 1).then_some(self.any)
    }

    pub(crate) fn free_slot(&self) -> Option<u8> {
        let slot = self.slots.trailing_ones();
        u8::try_from(slot).ok().filter(|&slot| usize::from(slot) < RESERVATIONS_PER_BUYER_MAX)
    }
}

/// The same id is the same request only if it asks for the same.
fn repeat(reservation: &Reservation, reserve: &Reserve, now_ms: u64) -> Refusal {
    let is_same_data = reservation.fingerprint.is_none_or(|known| known == reserve.details.fingerprint());
    if reservation.made.items == reserve.items && is_same_data {
        replayed(reservation, now_ms)
    } else {
        Refusal::Conflict
    }
}

/// Where one unit is the limit, a request without an id is a repeat if it asks for the same with the same data. An id
/// says that it is another request.
fn is_same_wish(reservation: &Reservation, reserve: &Reserve) -> bool {
    let is_same_data =
        || reservation.fingerprint.unwrap_or(Details::NONE.fingerprint()) == reserve.details.fingerprint();
    reserve.details.request.is_none() && reservation.made.items == reserve.items && is_same_data()
}

fn replayed(reservation: &Reservation, now_ms: u64) -> Refusal {
    Refusal::Replayed {
        id: reservation.id,
        expires_at_ms: reservation.made.expires_at_ms,
        state: state_at(reservation, now_ms),
    }
}

/// A hold whose pay window is over counts as expired, whether or not that has happened to it yet.
fn state_at(reservation: &Reservation, now_ms: u64) -> State {
    if reservation.is_due(now_ms) { State::Expired } else { reservation.state }
}
