//! The transaction of a batch.

use flash_sale::State;

use super::{Order, Postgres, Quarantined, Rejection, Why};
use crate::message::Item;
use crate::model::{Buyer, Change, Event};
use crate::rules::Rules;

/// How far ahead an event was once kept, in the small world of the model; what was farther was dropped.
const OLD_EARLY_REACH: u64 = 2;

impl Postgres {
    /// Writes a batch. Gives the epochs in it with their heads.
    pub(crate) fn write(&mut self, items: &[Item], rules: &Rules) -> Vec<(u64, u64)> {
        let mut heads = Vec::new();
        for item in items {
            if let Item::Unreadable(events) = item
                && !self.quarantine.iter().any(|row| !row.is_readable && row.events == *events)
            {
                let row = Quarantined { events: events.clone(), is_readable: false, is_done: false };
                self.quarantine.push(row);
            }
        }
        let mut epochs: Vec<u64> = items.iter().flat_map(Item::events).map(|event| event.epoch).collect();
        epochs.sort_unstable();
        epochs.dedup();
        for epoch in epochs {
            let all = items.iter().flat_map(Item::events).filter(|event| event.epoch == epoch);
            let head = self.write_epoch(epoch, all.copied().collect(), rules);
            // Of an epoch that never began, as far as is known here, nothing is acknowledged.
            if head > 0 || epoch <= self.newest {
                heads.push((epoch, head));
            }
        }
        for item in items {
            if let Item::Barrier(id) = item
                && !self.barriers.contains(id)
            {
                self.barriers.push(*id);
            }
        }
        heads
    }

    fn write_epoch(&mut self, epoch: u64, mut events: Vec<Event>, rules: &Rules) -> u64 {
        let place = self.begin_to_write(epoch);
        let mut late = Vec::new();
        if self.epochs[place].sealed_at.is_some() {
            events.retain(|event| {
                let is_lost = self.epochs[place].is_lost(event.seq);
                if is_lost {
                    late.push(*event);
                }
                !is_lost
            });
        }
        late.iter().for_each(|event| self.refuse_late(event, rules));
        let kept = self.early.iter().filter(|early| early.epoch == epoch);
        events.extend(kept);
        events.sort_by_key(|event| event.seq);
        events.dedup_by_key(|event| event.seq);
        let mut head = self.epochs[place].head;
        let mut run = Vec::new();
        for event in &events {
            if event.seq == head + 1 {
                head = event.seq;
                run.push(*event);
            } else if event.seq > head && (rules.early_unbounded || event.seq - head <= OLD_EARLY_REACH) {
                self.keep(*event);
            }
        }
        self.settle(&run);
        self.early.retain(|early| early.epoch != epoch || early.seq > head);
        self.epochs[place].head = head;
        head
    }

    fn keep(&mut self, event: Event) {
        let key = |early: &Event| (early.epoch, early.seq);
        if let Err(place) = self.early.binary_search_by_key(&key(&event), key) {
            self.early.insert(place, event);
        }
    }

    /// An event of a sealed epoch that the seal did not see.
    fn refuse_late(&mut self, event: &Event, rules: &Rules) {
        if rules.late_sees_orders && self.is_restored(event) {
            return;
        }
        if let Change::Reserved { buyer, .. } = event.change {
            self.reject(event, buyer, Why::Late);
        } else {
            self.put_aside(event);
        }
    }

    /// Whether a restoring of its epoch has settled an event: its reservation is an order, or what came of it was taken
    /// over.
    pub(crate) fn is_restored(&self, event: &Event) -> bool {
        let restored_to = self.epoch(event.epoch).and_then(|row| row.restored_to);
        match event.change {
            Change::Reserved { buyer, .. } => self.order(event.seq).is_some_and(|order| order.buyer == buyer),
            _ => restored_to.is_some_and(|last| event.seq <= last),
        }
    }

    pub(crate) fn reject(&mut self, event: &Event, buyer: Buyer, why: Why) {
        let (epoch, id) = (event.epoch, event.seq);
        if !self.rejections.iter().any(|row| (row.epoch, row.id) == (epoch, id)) {
            self.rejections.push(Rejection { epoch, id, buyer, why, is_settled: false });
        }
    }

    fn put_aside(&mut self, event: &Event) {
        if !self.quarantine.iter().any(|row| row.is_readable && row.events == [*event]) {
            self.quarantine.push(Quarantined { events: vec![*event], is_readable: true, is_done: false });
        }
    }

    /// Applies a run of events. Where some are refused and the tables fold runs, each half is tried by itself, as the
    /// vault does it: what comes later in a run may make room for what came before.
    pub(crate) fn settle(&mut self, run: &[Event]) {
        if !self.folds {
            run.iter().for_each(|event| self.apply(event));
            return;
        }
        let mut parts = vec![run];
        while let Some(part) = parts.pop() {
            match part {
                [] => {}
                [event] => self.apply(event),
                _ if self.attempt(part) => {}
                _ => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
            }
        }
    }

    /// Applies all of it or nothing, by what the constraints say of its end.
    pub(crate) fn attempt(&mut self, part: &[Event]) -> bool {
        let mut after = self.clone();
        for event in part {
            match event.change {
                Change::Reserved { is_bad: true, .. } => return false,
                Change::Reserved { buyer, slot, expires_at_ms, .. } => {
                    let state = if expires_at_ms.is_some() { State::Held } else { State::Confirmed };
                    let order = Order { id: event.seq, epoch: event.epoch, buyer, slot, state, expires_at_ms };
                    let Err(place) = after.orders.binary_search_by_key(&order.id, |row| row.id) else { return false };
                    after.orders.insert(place, order);
                    after.sold += 1;
                }
                Change::Restocked { total } => after.total = total,
                _ => after.apply(event),
            }
        }
        let active: Vec<&Order> = after.orders.iter().filter(|order| order.state.is_active()).collect();
        let is_twice = |(place, one): (usize, &&Order)| {
            active[..place].iter().any(|other| (other.buyer, other.slot) == (one.buyer, one.slot))
        };
        let is_kept = after.sold <= after.total && !active.iter().enumerate().any(is_twice);
        if is_kept {
            *self = after;
        }
        is_kept
    }

    /// Applies one event, or writes down why not.
    pub(crate) fn apply(&mut self, event: &Event) {
        match event.change {
            Change::Warmed => self.newest = self.newest.max(event.epoch),
            Change::Reserved { buyer, slot, expires_at_ms, is_bad } => {
                let state = if expires_at_ms.is_some() { State::Held } else { State::Confirmed };
                let order = Order { id: event.seq, epoch: event.epoch, buyer, slot, state, expires_at_ms };
                match self.make(order, is_bad) {
                    Err(why) => self.reject(event, buyer, why),
                    Ok(()) if is_bad => self.put_aside(event),
                    Ok(()) => {}
                }
            }
            Change::Confirmed { id } => self.end_order(event.epoch, id, State::Confirmed),
            Change::Released { id } => self.end_order(event.epoch, id, State::Released),
            Change::Expired { ids } => {
                ids.as_slice().iter().for_each(|id| self.end_order(event.epoch, *id, State::Expired));
            }
            Change::Restocked { total } if total < self.sold => self.put_aside(event),
            Change::Restocked { total } => self.total = total,
            Change::Opened => self.is_closed = false,
            Change::Closed => self.is_closed = true,
        }
    }

    /// Makes an order, if the constraints let it; nothing of one that cannot be written, if there are units for it.
    fn make(&mut self, order: Order, is_bad: bool) -> Result<(), Why> {
        if self.sold >= self.total {
            return Err(Why::Oversold);
        }
        if is_bad {
            return Ok(());
        }
        let Err(place) = self.orders.binary_search_by_key(&order.id, |row| row.id) else { return Err(Why::IdTaken) };
        let is_same_slot = |row: &Order| row.state.is_active() && (row.buyer, row.slot) == (order.buyer, order.slot);
        if self.orders.iter().any(is_same_slot) {
            return Err(Why::SecondOrder);
        }
        self.orders.insert(place, order);
        self.sold += 1;
        Ok(())
    }

    fn end_order(&mut self, epoch: u64, id: u64, state: State) {
        if self.rejections.iter().any(|row| (row.epoch, row.id) == (epoch, id)) {
            return;
        }
        let Ok(place) = self.orders.binary_search_by_key(&id, |row| row.id) else { return };
        let order = &mut self.orders[place];
        if order.state == State::Held {
            order.state = state;
            self.sold -= u64::from(!state.is_active());
        }
    }
}
