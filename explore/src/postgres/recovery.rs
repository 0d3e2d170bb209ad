//! The transactions of a recovery.

use flash_sale::State;

use super::{Order, Postgres, Rejection, Why};
use crate::message::{RedisState, Sealed, Standing};
use crate::model::{EPOCHS_APART_SEQS, Event, Next};
use crate::rules::Rules;

/// How long a gateway keeps the others from a recovery, each time it says so.
pub(crate) const LEASE_MS: u64 = 3_000;
/// The low bits of a term, which are drawn anew for each.
const DRAW_BITS: u32 = 16;

impl Postgres {
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

    /// Ends an epoch: at `exactly` this seq, or as far as it is written, where Redis has numbers up to `seen`.
    pub(crate) fn seal(&mut self, term: u64, epoch: u64, exactly: Option<u64>, seen: u64, rules: &Rules) -> Sealed {
        if rules.terms && term != self.term {
            return Sealed::Superseded;
        }
        let place = self.begin(epoch, 0);
        let is_exact = exactly.is_none_or(|seq| self.epochs[place].head == seq);
        let has_early = self.early.iter().any(|early| early.epoch == epoch);
        let is_known = epoch == self.newest || exactly.is_none() && epoch > self.newest;
        if !is_known || !is_exact || exactly.is_some() && has_early {
            return Sealed::NotYet;
        }
        // Redis may be in an epoch that PostgreSQL has forgotten: the one that it knows ends as well.
        if epoch > self.newest {
            self.close(self.newest, 0);
        }
        let place = self.begin(epoch, 0);
        self.close(epoch, seen);
        let after = self.epochs[place].head.max(seen) + EPOCHS_APART_SEQS;
        self.go_on(epoch + 1, after)
    }

    /// Applies what waits beyond gaps, writes the gaps down, and ends the epoch there.
    fn close(&mut self, epoch: u64, seen: u64) {
        self.catch_up(epoch);
        let place = self.begin(epoch, 0);
        let row = &mut self.epochs[place];
        if seen > row.head {
            row.gaps.push((row.head + 1, seen));
        }
        row.sealed_at = Some(row.head);
    }

    /// Applies what waits beyond gaps, and writes the gaps down.
    fn catch_up(&mut self, epoch: u64) {
        let place = self.begin(epoch, 0);
        let (due, rest): (Vec<Event>, Vec<Event>) = self.early.iter().partition(|early| early.epoch == epoch);
        self.early = rest;
        for event in &due {
            let head = self.epochs[place].head;
            if event.seq > head + 1 {
                self.epochs[place].gaps.push((head + 1, event.seq - 1));
            }
            self.epochs[place].head = event.seq;
        }
        self.settle(&due);
    }

    fn go_on(&mut self, epoch: u64, after: u64) -> Sealed {
        self.begin(epoch, after);
        self.newest = self.newest.max(epoch);
        Sealed::Next { next: Next { epoch, after }, expected: self.content() }
    }

    /// PostgreSQL has lost what it acknowledged: it takes over what Redis has.
    pub(crate) fn restore(&mut self, term: u64, from: &RedisState, rules: &Rules) -> Sealed {
        if rules.terms && term != self.term {
            return Sealed::Superseded;
        }
        let head = self.epoch(from.epoch).map_or(0, |row| row.head);
        if from.epoch < self.newest || from.epoch == self.newest && from.seq < head {
            return Sealed::NotYet;
        }
        let newest = self.newest.max(from.epoch);
        for epoch in self.epochs.iter().map(|row| row.epoch).filter(|epoch| *epoch < from.epoch).collect::<Vec<_>>() {
            if self.epoch(epoch).is_some_and(|row| row.sealed_at.is_none()) {
                self.close(epoch, 0);
            }
        }
        self.begin(from.epoch, 0);
        // What lies between may be what made room for them: Redis knows how they ended.
        self.early.retain(|early| early.epoch != from.epoch || early.seq > from.seq);
        self.take_over(from);
        self.close(from.epoch, from.seq);
        let highest = self.epochs.iter().map(|row| row.head).max().unwrap_or(0).max(from.seq);
        self.go_on(newest + 1, highest + EPOCHS_APART_SEQS)
    }

    /// The orders become what Redis' reservations are; those that are refused are written down.
    fn take_over(&mut self, from: &RedisState) {
        for order in self.orders.iter_mut().filter(|order| order.state.is_active()) {
            if !from.active.iter().any(|active| (active.id, active.buyer) == (order.id, order.buyer)) {
                order.state = State::Released;
                self.sold -= 1;
            }
        }
        (self.total, self.is_closed) = (from.total.max(self.sold), from.is_closed);
        for active in &from.active {
            let found = self.orders.iter_mut().find(|order| (order.id, order.buyer) == (active.id, active.buyer));
            if let Some(order) = found {
                self.sold += u64::from(!order.state.is_active());
                order.state = active.state();
                continue;
            }
            let &crate::model::Active { id, buyer, slot, expires_at_ms, .. } = active;
            let order = Order { id, epoch: from.epoch, buyer, slot, state: active.state(), expires_at_ms };
            if self.make(order).is_err() {
                let (epoch, why) = (from.epoch, Why::NotRestored);
                self.rejections.push(Rejection { epoch, id, buyer, why, is_settled: true });
            }
        }
    }
}
