//! The value in a Redis key: the real sale, and what the module keeps beside it. The rules of terms and instances are here.

use std::rc::Rc;

use flash_sale::{Change, Event, HashKey, NextEpoch, Refusal, Reservation, Sale, State, Terms};

use crate::model::{Active, BUYERS, Expected, Next, buyer_of};
use crate::rules::Rules;

const HASH_KEY: HashKey = HashKey([1, 2]);
/// Unacknowledged events that a journal of the model may hold.
const JOURNAL_EVENTS_MAX: u64 = 64;

/// What a world sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Offer {
    pub(crate) total: u64,
    pub(crate) limit: u32,
    pub(crate) hold_ms: Option<u64>,
}

impl Offer {
    fn terms(self, total: u64) -> Terms {
        Terms {
            limit: self.limit,
            hold_ms: self.hold_ms,
            journal_events_max: Some(JOURNAL_EVENTS_MAX),
            ..Terms::simple(total)
        }
    }
}

/// A sale or, before there is one, a shell: only a fence and a term.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    sale: Option<Rc<Sale>>,
    pub(crate) term: u64,
    pub(crate) instance: u64,
    /// It has been open in this epoch.
    pub(crate) is_whole: bool,
}

/// A key as it lies on a disk, in a dump or at a replica.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Saved {
    sale: Option<Rc<[u8]>>,
    term: u64,
    is_whole: bool,
}

impl Key {
    /// The first life of a sale, which is open.
    pub(crate) fn warmed(offer: Offer, instance: u64, now_ms: u64) -> Self {
        let event = Sale::warmed(offer.terms(offer.total), 1, 0, now_ms);
        Self { sale: Sale::new(&event, HASH_KEY).map(Rc::new), term: 0, instance, is_whole: true }
    }

    pub(crate) const fn shell(term: u64, instance: u64) -> Self {
        Self { sale: None, term, instance, is_whole: false }
    }

    pub(crate) fn save(&self) -> Saved {
        let sale = self.sale.as_ref().map(|sale| Rc::from(sale.save()));
        Saved { sale, term: self.term, is_whole: self.is_whole }
    }

    /// What was saved, fenced: it may lack what was decided last.
    pub(crate) fn load(saved: &Saved, instance: u64) -> Self {
        let sale = saved.sale.as_ref().and_then(|bytes| Sale::load(bytes, HASH_KEY).ok()).map(|mut sale| {
            sale.fence();
            Rc::new(sale)
        });
        Self { sale, term: saved.term, instance, is_whole: saved.is_whole }
    }

    pub(crate) fn sale(&self) -> Option<&Sale> {
        self.sale.as_deref()
    }

    /// The sale, to change it: a copy of its own, where worlds share it.
    pub(crate) fn sale_mut(&mut self) -> Option<&mut Sale> {
        let sale = self.sale.as_mut()?;
        if Rc::get_mut(sale).is_none() {
            *sale = Rc::new(Sale::load(&sale.save(), HASH_KEY).ok()?);
        }
        Rc::get_mut(sale)
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.sale().map_or(0, Sale::epoch)
    }

    pub(crate) fn seq(&self) -> u64 {
        self.sale().map_or(0, Sale::seq)
    }

    pub(crate) fn is_fenced(&self) -> bool {
        self.sale().is_none_or(Sale::is_fenced)
    }

    pub(crate) fn fence(&mut self) {
        if let Some(sale) = self.sale_mut() {
            sale.fence();
        }
    }

    pub(crate) fn fence_for(&mut self, term: u64, rules: &Rules) -> Result<(), Refusal> {
        if rules.terms && term < self.term {
            return Err(Refusal::Fenced);
        }
        self.term = self.term.max(term);
        self.fence();
        Ok(())
    }

    /// Whether a recovery's command may have an effect here.
    pub(crate) const fn obeys(&self, term: u64, instance: u64, rules: &Rules) -> bool {
        (!rules.terms || term == self.term) && (!rules.instances || instance == self.instance)
    }

    /// The later life that takes this one's place, if it may.
    pub(crate) fn gives_way(&self, next: Next, offer: Offer, total: u64, is_closed: bool, now_ms: u64) -> Option<Self> {
        if !self.is_fenced() || next.epoch <= self.epoch() || next.after < self.seq() {
            return None;
        }
        let event = Sale::warmed(offer.terms(total), next.epoch, next.after, now_ms);
        let mut sale = Sale::new(&event, HASH_KEY)?;
        if is_closed {
            let (seq, at_ms) = (sale.seq() + 1, now_ms);
            sale.apply(&Event { epoch: next.epoch, seq, at_ms, change: Change::Closed });
        }
        Some(Self { sale: Some(Rc::new(sale)), term: self.term, instance: self.instance, is_whole: false })
    }

    pub(crate) fn rebuild(&mut self, epoch: u64, page: &[Active]) -> Result<usize, Refusal> {
        let items = self.sale().ok_or(Refusal::Fenced)?.items_of_only_sku(1).map_err(|_| Refusal::Unknown)?;
        let reservation = |active: &Active| Reservation {
            id: active.id,
            state: active.state(),
            slot: active.slot,
            buyer: BUYERS[usize::from(active.buyer)],
            expires_at_ms: active.expires_at_ms,
            items: items.clone(),
            request: None,
            fingerprint: None,
        };
        let page: Vec<_> = page.iter().map(reservation).collect();
        self.sale_mut().ok_or(Refusal::Fenced)?.rebuild(epoch, &page)
    }

    pub(crate) fn unfence(
        &mut self,
        epoch: u64,
        seq: u64,
        next: Option<Next>,
        expected: Option<&Expected>,
    ) -> Result<(), Refusal> {
        if self.is_fenced() && expected.is_some_and(|expected| *expected != self.content()) {
            return Err(Refusal::Conflict);
        }
        let next = next.map(|next| NextEpoch { epoch: next.epoch, after: next.after });
        self.sale_mut().ok_or(Refusal::Fenced)?.unfence(epoch, seq, next)?;
        self.is_whole = true;
        Ok(())
    }

    /// Its active reservations and its units.
    pub(crate) fn content(&self) -> Expected {
        let mut content = Expected::default();
        let Some(sale) = self.sale() else { return content };
        for active in self.active() {
            content.add(active.id, active.buyer, active.is_confirmed);
        }
        content.total = sale.units()[0].total;
        content.taken = sale.units()[0].taken();
        content.is_closed = sale.is_closed();
        content
    }

    /// Its active reservations, by id.
    pub(crate) fn active(&self) -> impl Iterator<Item = Active> {
        let all = self.sale().into_iter().flat_map(Sale::reservations);
        all.filter(|reservation| reservation.state.is_active()).map(|reservation| Active {
            id: reservation.id,
            buyer: buyer_of(reservation.buyer),
            slot: reservation.slot,
            is_confirmed: reservation.state == State::Confirmed,
            expires_at_ms: reservation.expires_at_ms,
        })
    }
}
