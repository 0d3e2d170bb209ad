//! The value in a Redis key: the real sale, and what the module keeps beside it. The rules of terms and instances are
//! here.

use std::rc::Rc;

use flash_sale::{
    Content, DEFAULT_SKU, Details, Expected as SaleExpected, ExpectedSku, HashKey, Life, NextEpoch, Refusal,
    Reservation, Reserved, Sale, State, Terms, Unfence,
};

use crate::model::{Active, BUYERS, Buyer, Expected, Next, buyer_of};
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
    pub(crate) fn terms(self) -> Terms {
        Terms {
            limit: self.limit,
            hold_ms: self.hold_ms,
            journal_events_max: Some(JOURNAL_EVENTS_MAX),
            ..Terms::simple(self.total)
        }
    }
}

/// A sale or, before there is one, a shell: only a fence and a term.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    sale: Rc<Sale>,
    pub(crate) instance: u64,
}

/// A key as it lies on a disk, in a dump or at a replica.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Saved {
    sale: Rc<[u8]>,
}

impl Key {
    /// The first life of a sale, which is open.
    pub(crate) fn warmed(offer: Offer, instance: u64, now_ms: u64) -> Option<Self> {
        let event = Sale::warmed(offer.terms(), 1, 0, now_ms);
        Some(Self { sale: Rc::new(Sale::new(&event, HASH_KEY)?), instance })
    }

    pub(crate) fn shell(term: u64, instance: u64) -> Self {
        Self { sale: Rc::new(Sale::shell(term, HASH_KEY)), instance }
    }

    pub(crate) fn save(&self) -> Saved {
        Saved { sale: Rc::from(self.sale.save()) }
    }

    /// What was saved, fenced: it may lack what was decided last.
    pub(crate) fn load(saved: &Saved, instance: u64) -> Option<Self> {
        let mut sale = Sale::load(&saved.sale, HASH_KEY).ok()?;
        sale.fence();
        Some(Self { sale: Rc::new(sale), instance })
    }

    pub(crate) fn sale(&self) -> &Sale {
        &self.sale
    }

    /// The sale, to change it: a copy of its own, where worlds share it.
    ///
    /// # Panics
    /// When what a sale has saved does not load.
    pub(crate) fn sale_mut(&mut self) -> &mut Sale {
        if Rc::get_mut(&mut self.sale).is_none() {
            let copy = Sale::load(&self.sale.save(), HASH_KEY).expect("what a sale has saved loads");
            self.sale = Rc::new(copy);
        }
        Rc::get_mut(&mut self.sale).expect("the copy is not shared")
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.sale.epoch()
    }

    pub(crate) fn seq(&self) -> u64 {
        self.sale.seq()
    }

    /// Whether it has been open in this epoch.
    pub(crate) fn was_open(&self) -> bool {
        self.sale.was_open()
    }

    pub(crate) fn term(&self) -> u64 {
        self.sale.term()
    }

    pub(crate) fn is_fenced(&self) -> bool {
        self.sale.is_fenced()
    }

    pub(crate) fn fence(&mut self) {
        self.sale_mut().fence();
    }

    pub(crate) fn fence_for(&mut self, term: u64, rules: &Rules) -> Result<(), Refusal> {
        let term = if rules.terms { term } else { term.max(self.term()) };
        self.sale_mut().fence_for(term)
    }

    /// Whether the value is the one that a recovery means.
    pub(crate) const fn is_meant(&self, instance: u64, rules: &Rules) -> bool {
        !rules.instances || instance == self.instance
    }

    /// The term that the sale compares: without the rule it is its own, whatever was said.
    fn said(&self, term: u64, rules: &Rules) -> u64 {
        if rules.terms { term } else { self.term() }
    }

    /// The later life that takes this one's place, if it may.
    pub(crate) fn gives_way(&self, life: &LaterLife, offer: Offer, now_ms: u64, rules: &Rules) -> Option<Self> {
        let &LaterLife { term, next, total, is_closed } = life;
        let term = self.said(term, rules);
        if !self.sale.gives_way_to(term, next.epoch, next.after) {
            return None;
        }
        let life = Life { totals: vec![total], is_closed, ..Life::from(offer.terms()) };
        let mut sale = Sale::new(&Sale::warmed(life, next.epoch, next.after, now_ms), HASH_KEY)?;
        sale.fence_for(term).ok()?;
        Some(Self { sale: Rc::new(sale), instance: self.instance })
    }

    pub(crate) fn rebuild(&mut self, term: u64, epoch: u64, page: &[Active], rules: &Rules) -> Result<usize, Refusal> {
        let items = self.sale.items_of_only_sku(1).map_err(|_| Refusal::Fenced)?;
        let reservation = |active: &Active| Reservation {
            id: active.id,
            state: active.state(),
            made: Reserved {
                slot: active.slot,
                buyer: BUYERS[usize::from(active.buyer)],
                expires_at_ms: active.expires_at_ms,
                items: items.clone(),
                details: Details::NONE,
            },
            fingerprint: None,
        };
        let page: Vec<_> = page.iter().map(reservation).collect();
        let term = self.said(term, rules);
        self.sale_mut().rebuild(term, epoch, &page)
    }

    pub(crate) fn unfence(&mut self, wish: &Opening, rules: &Rules) -> Result<(), Refusal> {
        let expected = if rules.expected { wish.expected } else { self.content() };
        let expected = SaleExpected {
            content: Content { reservations: expected.reservations, digest: expected.digest },
            is_closed: expected.is_closed,
            skus: vec![ExpectedSku { name: DEFAULT_SKU.to_owned(), total: expected.total, taken: expected.taken }],
        };
        let next = wish.next.map(|next| NextEpoch { epoch: next.epoch, after: next.after });
        let (term, epoch, seq) = (self.said(wish.term, rules), wish.epoch, wish.seq);
        self.sale_mut().unfence(&Unfence { term, epoch, seq, next, expected: Some(&expected) })?;
        Ok(())
    }

    /// Its active reservations and its units.
    pub(crate) fn content(&self) -> Expected {
        let Content { reservations, digest } = self.sale.content();
        let units = self.sale.units().first();
        let (total, taken) = units.map_or((0, 0), |units| (units.total, units.taken()));
        Expected { reservations, digest, total, taken, is_closed: self.sale.is_closed() }
    }

    /// How a reservation of this buyer's is.
    pub(crate) fn reservation(&self, id: u64, buyer: Buyer) -> Option<State> {
        let found = self.sale.reservation(id)?;
        (found.made.buyer == BUYERS[usize::from(buyer)]).then_some(found.state)
    }

    /// Its active reservations, by id.
    pub(crate) fn active(&self) -> impl Iterator<Item = Active> {
        let active = self.sale.reservations().filter(|reservation| reservation.state.is_active());
        active.map(|reservation| Active {
            id: reservation.id,
            buyer: buyer_of(reservation.made.buyer),
            slot: reservation.made.slot,
            is_confirmed: reservation.state == State::Confirmed,
            expires_at_ms: reservation.made.expires_at_ms,
        })
    }
}

/// How a later life begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LaterLife {
    pub(crate) term: u64,
    pub(crate) next: Next,
    pub(crate) total: u64,
    pub(crate) is_closed: bool,
}

/// What an UNFENCE says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening {
    pub(crate) term: u64,
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
    pub(crate) next: Option<Next>,
    pub(crate) expected: Expected,
}
