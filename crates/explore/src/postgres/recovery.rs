//! The transactions of a recovery.

use flash_plan::epoch_of;
use flash_sale::State;

use super::tables::Epoch;
use super::{Order, Postgres, Quarantined, Rejection, Why};
use crate::message::{RedisState, Sealed, Standing, Wanted};
use crate::model::{Active, Buyer, Change, EPOCHS_APART_SEQS, Event, Ids, Next};
use crate::rules::Rules;

/// How long a gateway keeps the others from a recovery, each time it says so.
pub(crate) const LEASE_MS: u64 = 3_000;
/// The low bits of a term, which are drawn anew for each.
const DRAW_BITS: u32 = 16;

/// What a recovery must have to end an epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) term: u64,
    pub(crate) barrier: u64,
}

impl Postgres {
    /// Why such a recovery may not end an epoch.
    fn refuses(&self, Claim { term, barrier }: Claim, rules: &Rules) -> Option<Sealed> {
        if rules.terms && term != self.term {
            return Some(Sealed::Superseded);
        }
        (!self.barriers.contains(&barrier)).then_some(Sealed::BarrierGone)
    }

    pub(crate) fn standing(&self, epoch: u64, now_ms: u64) -> Standing {
        Standing {
            epoch: self.newest,
            head: self.epoch(self.newest).map_or(0, |row| row.head),
            term: self.term,
            leased: now_ms < self.until_ms,
            sealed_at: self.epoch(epoch).and_then(|row| row.sealed_at),
            early: self.early.iter().filter(|early| early.epoch == self.newest).count() as u64,
            unsettled: self.unsettled().any(|epoch| epoch == self.newest),
            has_old: self.unsettled().any(|epoch| epoch < self.newest),
            quarantined: self.is_quarantined(self.newest),
            content: self.content(),
        }
    }

    /// The epochs of rejections that are not settled.
    fn unsettled(&self) -> impl Iterator<Item = u64> {
        self.rejections.iter().filter(|rejection| !rejection.is_settled).map(|rejection| rejection.epoch)
    }

    /// Whether a reservation of the epoch waits in the quarantine.
    pub(crate) fn is_quarantined(&self, epoch: u64) -> bool {
        let waiting = self.quarantine.iter().filter(|row| row.is_readable && !row.is_done);
        waiting.flat_map(|row| &row.events).any(|event| event.epoch == epoch)
    }

    /// Takes the lease and, with it, a new term; none while another gateway has it.
    pub(crate) fn take(&mut self, gateway: u32, at_least: u64, draw: u16, now_ms: u64, rules: &Rules) -> Option<u64> {
        if self.gateway != gateway && now_ms < self.until_ms {
            return None;
        }
        (self.gateway, self.until_ms) = (gateway, now_ms + LEASE_MS);
        if rules.terms || self.term == 0 {
            let draw = if rules.terms_unique { draw } else { 0 };
            let count = (self.term.max(at_least) >> DRAW_BITS) + 1;
            self.term = count << DRAW_BITS | u64::from(draw);
        }
        Some(self.term)
    }

    pub(crate) fn renew(&mut self, gateway: u32, term: u64, now_ms: u64, rules: &Rules) -> bool {
        let is_own = self.gateway == gateway && (!rules.terms || self.term == term);
        if is_own {
            self.until_ms = now_ms + LEASE_MS;
        }
        is_own
    }

    pub(crate) fn end(&mut self, gateway: u32, term: u64) {
        if self.gateway == gateway && self.term == term {
            self.until_ms = 0;
        }
    }

    /// Seals the newest epoch, if it is as `wanted`.
    pub(crate) fn seal(&mut self, claim: Claim, epoch: u64, wanted: Wanted, rules: &Rules) -> Sealed {
        if let Some(refused) = self.refuses(claim, rules) {
            return refused;
        }
        let head = self.head(epoch);
        let is_as_wanted = match wanted {
            Wanted::Exactly(seq) => head == seq && self.highest_known(epoch) <= seq,
            Wanted::Anywhere(seen) => !rules.seal_sees_head || seen.head <= head,
        };
        if epoch != self.newest || self.is_sealed(epoch) || !is_as_wanted {
            return Sealed::NotYet;
        }
        self.begin(epoch, 0);
        let (last_epoch, seq) = match wanted {
            Wanted::Exactly(seq) => (epoch, seq),
            // Redis may be in an epoch that PostgreSQL has forgotten: that ends as well.
            Wanted::Anywhere(seen) => (epoch.max(seen.epoch), seen.seq),
        };
        self.end_epochs(claim.term, (last_epoch, seq), rules)
    }

    fn head(&self, epoch: u64) -> u64 {
        self.epoch(epoch).map_or(0, |row| row.head)
    }

    pub(crate) fn is_sealed(&self, epoch: u64) -> bool {
        self.epoch(epoch).is_some_and(|row| row.sealed_at.is_some())
    }

    /// The highest number of an epoch that waits here, for its turn or in the quarantine.
    fn highest_known(&self, epoch: u64) -> u64 {
        let aside = self.quarantine.iter().filter(|row| row.is_readable).flat_map(|row| &row.events);
        let known = self.early.iter().chain(aside).filter(|event| event.epoch == epoch);
        known.map(|event| event.seq).max().unwrap_or(0)
    }

    /// Seals every epoch that is not, and begins the one of `term`. Of `epoch`, Redis has numbers up to `seen`.
    fn end_epochs(&mut self, term: u64, (epoch, seen): (u64, u64), rules: &Rules) -> Sealed {
        self.begin(epoch, 0);
        let mut last = self.epochs.iter().map(|row| row.head).max().unwrap_or(0).max(seen);
        for place in 0..self.epochs.len() {
            let number = self.epochs[place].epoch;
            if self.is_sealed(number) {
                continue;
            }
            if number > epoch {
                last = last.max(self.highest_known(number));
                self.put_foreign_aside(number);
                self.epochs[place].sealed_at = Some(self.epochs[place].head);
                continue;
            }
            self.catch_up(number);
            let known = self.highest_known(number).max(if number == epoch { seen } else { 0 });
            let row = &mut self.epochs[place];
            if known > row.head {
                row.gaps.push((row.head + 1, known));
            }
            row.sealed_at = Some(row.head);
            last = last.max(known).max(row.head);
        }
        let newest = self.epochs.last().map_or(0, |row| row.epoch).max(epoch);
        let next = if rules.epochs_unique { epoch_of(term, newest) } else { newest + 1 };
        let after = last + EPOCHS_APART_SEQS;
        self.begin(next, after);
        self.newest = self.newest.max(next);
        Sealed::Next { next: Next { epoch: next, after }, expected: self.content() }
    }

    /// What waits of an epoch that never began, as far as is known here, goes to the quarantine.
    fn put_foreign_aside(&mut self, epoch: u64) {
        let (foreign, rest): (Vec<Event>, Vec<Event>) = self.early.iter().partition(|early| early.epoch == epoch);
        self.early = rest;
        for event in foreign {
            self.quarantine.push(Quarantined { events: vec![event], is_readable: false, is_done: false });
        }
    }

    /// Applies what waits beyond gaps, and writes the gaps down.
    fn catch_up(&mut self, epoch: u64) {
        let place = self.begin(epoch, 0);
        let (due, rest): (Vec<Event>, Vec<Event>) = self.early.iter().partition(|early| early.epoch == epoch);
        self.early = rest;
        for event in &due {
            let head = self.epochs[place].head;
            let begins = head == 0 && event.change == Change::Warmed;
            if event.seq > head + 1 && !begins {
                self.epochs[place].gaps.push((head + 1, event.seq - 1));
            }
            self.epochs[place].head = event.seq.max(head);
        }
        self.settle(&due);
    }

    /// PostgreSQL has lost what it acknowledged: it takes over what Redis has.
    pub(crate) fn restore(&mut self, claim: Claim, from: &RedisState, rules: &Rules) -> Sealed {
        if let Some(refused) = self.refuses(claim, rules) {
            return refused;
        }
        let is_behind = if self.newest == from.epoch {
            self.head(from.epoch) < from.acked && !self.is_sealed(from.epoch)
        } else {
            self.newest < from.epoch
        };
        if !is_behind {
            return Sealed::NotYet;
        }
        self.begin(from.epoch, 0);
        let open = |row: &&Epoch| row.epoch < from.epoch && row.sealed_at.is_none();
        let older = self.epochs.iter().filter(open).map(|row| (row.epoch, self.highest_known(row.epoch)));
        let skipped: Vec<(u64, u64)> = older.chain([(from.epoch, from.seq)]).collect();
        let waiting: Vec<Event> = skipped.iter().flat_map(|(epoch, last)| self.waiting_events(*epoch, *last)).collect();
        self.take_over(from, &waiting);
        for (epoch, last) in skipped {
            self.write_waiting(epoch, last, &waiting);
            self.skip_to(epoch, last);
        }
        let place = self.begin(from.epoch, 0);
        self.epochs[place].restored_to = Some(from.seq);
        self.end_epochs(claim.term, (from.epoch, from.seq), rules)
    }

    /// The events of an epoch up to `last` that wait.
    fn waiting_events(&self, epoch: u64, last: u64) -> Vec<Event> {
        let head = self.head(epoch);
        let is_meant = |early: &&Event| early.epoch == epoch && early.seq > head && early.seq <= last;
        self.early.iter().filter(is_meant).copied().collect()
    }

    /// A reservation that is known from an event that waits alone becomes an order, as it ended.
    fn write_waiting(&mut self, epoch: u64, last: u64, waiting: &[Event]) {
        let mut steps = Vec::new();
        for event in self.waiting_events(epoch, last) {
            let Change::Reserved { buyer, .. } = event.change else { continue };
            let is_order = self.orders.iter().any(|order| (order.id, order.buyer) == (event.seq, buyer));
            if is_order || self.rejections.iter().any(|row| (row.id, row.buyer) == (event.seq, buyer)) {
                continue;
            }
            let change = match ended(waiting, event.seq) {
                State::Confirmed => Change::Confirmed { id: event.seq },
                State::Expired => Change::Expired { ids: Ids::of(&[event.seq]) },
                State::Held | State::Released => Change::Released { id: event.seq },
            };
            steps.extend([event, Event { change, ..event }]);
        }
        self.settle(&steps);
    }

    /// Counts what is not written up to `seq` as lost.
    fn skip_to(&mut self, epoch: u64, seq: u64) {
        let place = self.begin(epoch, 0);
        let row = &mut self.epochs[place];
        if seq > row.head {
            row.gaps.push((row.head + 1, seq));
            row.head = seq;
            self.early.retain(|early| early.epoch != epoch || early.seq > seq);
        }
    }

    /// The orders become what Redis' reservations are. A confirmed order is never taken back; what has no room beside
    /// it is refused.
    fn take_over(&mut self, from: &RedisState, waiting: &[Event]) {
        let mut kept = Vec::new();
        for order in self.orders.iter_mut().filter(|order| order.state.is_active()) {
            let same = from.active.iter().find(|active| (active.id, active.buyer) == (order.id, order.buyer));
            match same {
                None if order.state == State::Held => order.state = ended(waiting, order.id),
                Some(active) if active.is_confirmed => order.state = State::Confirmed,
                _ => {}
            }
            if order.state.is_active() {
                kept.push((order.buyer, order.slot));
            }
        }
        for active in &from.active {
            self.take_back(active, from, &mut kept);
        }
        self.sold = kept.len() as u64;
        (self.total, self.is_closed) = (from.total.max(self.sold), from.is_closed);
    }

    /// One reservation becomes an order, if there is room beside the active orders, of whose buyers `kept` tells.
    fn take_back(&mut self, active: &Active, from: &RedisState, kept: &mut Vec<(Buyer, u8)>) {
        let &Active { id, buyer, slot, expires_at_ms, .. } = active;
        let place = self.orders.binary_search_by_key(&id, |order| order.id);
        let order = place.ok().map(|place| self.orders[place]);
        let is_other = order.is_some_and(|order| order.buyer != buyer);
        if order.is_some_and(|order| order.buyer == buyer && order.state.is_active()) {
            return;
        }
        let slot = order.map_or(slot, |order| order.slot);
        if is_other || kept.contains(&(buyer, slot)) || kept.len() as u64 >= from.total {
            let (epoch, why) = (from.epoch, Why::NotRestored);
            if !self.rejections.iter().any(|row| (row.epoch, row.id) == (epoch, id)) {
                self.rejections.push(Rejection { epoch, id, buyer, why, is_settled: false });
            }
            return;
        }
        kept.push((buyer, slot));
        match place {
            Ok(place) => self.orders[place].state = active.state(),
            Err(place) => {
                let order = Order { id, epoch: from.epoch, buyer, slot, state: active.state(), expires_at_ms };
                self.orders.insert(place, order);
            }
        }
    }
}

/// How a hold ended that Redis does not have, as events say that wait: the first end counts.
fn ended(waiting: &[Event], id: u64) -> State {
    let end = |event: &Event| match event.change {
        Change::Confirmed { id: of } if of == id => Some(State::Confirmed),
        Change::Released { id: of } if of == id => Some(State::Released),
        Change::Expired { ids } if ids.as_slice().contains(&id) => Some(State::Expired),
        _ => None,
    };
    waiting.iter().find_map(end).unwrap_or(State::Released)
}
