//! The tables.

use flash_sale::State;

use crate::model::{Active, Buyer, Event, Expected};

/// The rows of one sale.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Postgres {
    /// `sales.epoch`: the newest that is known.
    pub(crate) newest: u64,
    pub(crate) is_closed: bool,
    /// `skus.total` and `skus.sold`.
    pub(crate) total: u64,
    pub(crate) sold: u64,
    /// By number.
    pub(crate) epochs: Vec<Epoch>,
    /// By id.
    pub(crate) orders: Vec<Order>,
    pub(crate) rejections: Vec<Rejection>,
    pub(crate) quarantine: Vec<Quarantined>,
    /// By epoch and seq.
    pub(crate) early: Vec<Event>,
    pub(crate) barriers: Vec<u64>,
    pub(crate) term: u64,
    pub(crate) gateway: u32,
    pub(crate) until_ms: u64,
    /// Runs of events are tried as a whole, as the vault does it. Schedules are quicker without.
    pub(crate) folds: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Epoch {
    pub(crate) epoch: u64,
    /// Every event up to here is written.
    pub(crate) head: u64,
    pub(crate) sealed_at: Option<u64>,
    /// What counts as lost: the first and the last event of each gap.
    pub(crate) gaps: Vec<(u64, u64)>,
    /// Redis was here when the orders were made what it had.
    pub(crate) restored_to: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) epoch: u64,
    pub(crate) buyer: Buyer,
    pub(crate) slot: u8,
    pub(crate) state: State,
    pub(crate) expires_at_ms: Option<u64>,
}

/// Why a reservation is no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Why {
    Oversold,
    SecondOrder,
    IdTaken,
    Late,
    NotRestored,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Rejection {
    pub(crate) epoch: u64,
    pub(crate) id: u64,
    pub(crate) buyer: Buyer,
    pub(crate) why: Why,
    pub(crate) is_settled: bool,
}

/// One event that could not be written, or a message that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Quarantined {
    pub(crate) events: Vec<Event>,
    pub(crate) is_readable: bool,
    pub(crate) is_done: bool,
}

impl Epoch {
    pub(crate) const fn new(epoch: u64, head: u64) -> Self {
        Self { epoch, head, sealed_at: None, gaps: Vec::new(), restored_to: None }
    }

    /// Whether an event has no place here any more: it is beyond the end, or counts as lost.
    pub(crate) fn is_lost(&self, seq: u64) -> bool {
        let is_in_gap = self.gaps.iter().any(|(first, last)| (*first..=*last).contains(&seq));
        self.sealed_at.is_some_and(|last| seq > last) || is_in_gap
    }
}

impl Order {
    pub(crate) fn active(&self) -> Active {
        let &Self { id, buyer, slot, expires_at_ms, .. } = self;
        Active { id, buyer, slot, is_confirmed: self.state == State::Confirmed, expires_at_ms }
    }
}

impl Postgres {
    /// A sale that was just created: its row is there before its key.
    pub(crate) const fn new(total: u64) -> Self {
        Self {
            newest: 1,
            is_closed: false,
            total,
            sold: 0,
            epochs: Vec::new(),
            orders: Vec::new(),
            rejections: Vec::new(),
            quarantine: Vec::new(),
            early: Vec::new(),
            barriers: Vec::new(),
            term: 0,
            gateway: u32::MAX,
            until_ms: 0,
            folds: false,
        }
    }

    pub(crate) fn epoch(&self, epoch: u64) -> Option<&Epoch> {
        self.epochs.iter().find(|row| row.epoch == epoch)
    }

    /// The row of an epoch, which it makes if need be. Its place.
    pub(crate) fn begin(&mut self, epoch: u64, head: u64) -> usize {
        match self.epochs.binary_search_by_key(&epoch, |row| row.epoch) {
            Ok(place) => place,
            Err(place) => {
                self.epochs.insert(place, Epoch::new(epoch, head));
                place
            }
        }
    }

    /// The row of an epoch that events come from. One that is unknown, though a seal has begun a later one, is over:
    /// PostgreSQL has forgotten it.
    pub(crate) fn begin_to_write(&mut self, epoch: u64) -> usize {
        let is_over = epoch < self.newest && self.epochs.iter().any(|row| row.sealed_at.is_some());
        let is_new = self.epoch(epoch).is_none();
        let place = self.begin(epoch, 0);
        if is_new && is_over {
            self.epochs[place].sealed_at = Some(0);
        }
        place
    }

    pub(crate) fn order(&self, id: u64) -> Option<&Order> {
        self.orders.binary_search_by_key(&id, |order| order.id).ok().map(|place| &self.orders[place])
    }

    /// Whether such a row of the quarantine has this event, by epoch and seq.
    pub(crate) fn is_aside(&self, at: (u64, u64), is_such: impl Fn(&Quarantined) -> bool) -> bool {
        let rows = self.quarantine.iter().filter(|row| is_such(row));
        rows.flat_map(|row| &row.events).any(|event| (event.epoch, event.seq) == at)
    }

    /// What a sale must have that opens now.
    pub(crate) fn content(&self) -> Expected {
        let mut content = Expected::default();
        for order in self.orders.iter().filter(|order| order.state.is_active()) {
            content.add(order.id, order.buyer, order.state);
        }
        content.total = self.total;
        content.taken = self.sold;
        content.is_closed = self.is_closed;
        content
    }

    /// Whether an event is stored here: applied, waiting for its turn, refused or put aside.
    pub(crate) fn has(&self, event: &Event) -> bool {
        let &Event { epoch, seq, .. } = event;
        let row = self.epoch(epoch);
        row.is_some_and(|row| row.head >= seq && !row.is_lost(seq))
            || self.early.iter().any(|early| (early.epoch, early.seq) == (epoch, seq))
            || self.rejections.iter().any(|rejection| (rejection.epoch, rejection.id) == (epoch, seq))
            || self.quarantine.iter().flat_map(|row| &row.events).any(|row| (row.epoch, row.seq) == (epoch, seq))
    }
}
