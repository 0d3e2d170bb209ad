//! What becomes of a sale's orders, so that they are what Redis has. Pure: no database here.

use std::collections::{BTreeMap, HashMap, HashSet};

use flash_wire::{RebuiltReservation, State};

use crate::redis_state::RedisState;
use crate::waiting::Ends;

/// An order as PostgreSQL has it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) id: u64,
    pub(crate) buyer: String,
    pub(crate) slot: u8,
    pub(crate) state: State,
    pub(crate) items: Vec<(String, u32)>,
}

/// What is to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reconciled {
    /// Orders of which the state is another one in Redis, and those that have ended there.
    pub(crate) moved: Vec<(u64, State)>,
    /// Reservations that become orders, by their places in Redis' list.
    pub(crate) made: Vec<usize>,
    /// Reservations that the constraints refuse, by their places.
    pub(crate) refused: Vec<usize>,
    /// Units of the active orders, by SKU: what is left has room.
    taken: BTreeMap<String, u64>,
}

/// Redis has gone on where PostgreSQL has not, so its word counts, but for one thing: a confirmed order is somebody's,
/// and is never taken back. What has no room beside it is refused.
pub(crate) fn reconcile(known: &[Known], redis: &RedisState, ends: &Ends) -> Reconciled {
    let mut work = Work { totals: totals(redis), slots: HashSet::new(), done: Reconciled::default() };
    let by_id: HashMap<u64, &RebuiltReservation> = redis.reservations.iter().map(|one| (one.id, one)).collect();
    let orders: HashMap<u64, &Known> = known.iter().map(|order| (order.id, order)).collect();
    for order in known.iter().filter(|order| order.state.is_active()) {
        let same = by_id.get(&order.id).filter(|reservation| reservation.made.buyer == order.buyer);
        match (order.state, same.and_then(|reservation| reservation.state())) {
            (State::Held, None) => {
                let state = ends.of(order.id);
                work.done.moved.push((order.id, state));
                if !state.is_active() {
                    continue;
                }
            }
            (State::Held, Some(State::Confirmed)) => work.done.moved.push((order.id, State::Confirmed)),
            _ => {}
        }
        work.take(&order.buyer, order.slot, &order.items);
    }
    for (place, reservation) in redis.reservations.iter().enumerate() {
        work.reservation(place, reservation, orders.get(&reservation.id).copied());
    }
    work.done
}

fn totals(redis: &RedisState) -> HashMap<&str, u64> {
    redis.terms.skus.iter().map(|sku| (sku.name.as_str(), sku.total)).collect()
}

struct Work<'a> {
    totals: HashMap<&'a str, u64>,
    slots: HashSet<(String, u8)>,
    done: Reconciled,
}

impl Work<'_> {
    fn reservation(&mut self, place: usize, reservation: &RebuiltReservation, order: Option<&Known>) {
        let Some(state) = reservation.state() else { return self.done.refused.push(place) };
        let made = &reservation.made;
        let slot = order.map_or(made.slot, |order| order.slot);
        match order {
            Some(order) if order.buyer != made.buyer => return self.done.refused.push(place),
            Some(order) if order.state.is_active() => return,
            _ => {}
        }
        let items: Vec<_> = made.items.iter().map(|item| (item.sku.to_string(), item.quantity)).collect();
        if !self.has_room(&made.buyer, slot, &items) {
            return self.done.refused.push(place);
        }
        self.take(&made.buyer, slot, &items);
        match order {
            Some(order) => self.done.moved.push((order.id, state)),
            None => self.done.made.push(place),
        }
    }

    fn has_room(&self, buyer: &str, slot: u8, items: &[(String, u32)]) -> bool {
        let fits = |(sku, quantity): &(String, u32)| {
            let taken = self.done.taken.get(sku).copied().unwrap_or(0);
            self.totals.get(sku.as_str()).is_some_and(|total| taken + u64::from(*quantity) <= *total)
        };
        !self.slots.contains(&(buyer.to_owned(), slot)) && items.iter().all(fits)
    }

    fn take(&mut self, buyer: &str, slot: u8, items: &[(String, u32)]) {
        self.slots.insert((buyer.to_owned(), slot));
        for (sku, quantity) in items {
            *self.done.taken.entry(sku.clone()).or_default() += u64::from(*quantity);
        }
    }
}

#[cfg(test)]
mod tests {
    use flash_wire::Terms;
    use flash_wire::message::{MessageChange, MessageEvent, MessageItem, MessageReserved};

    use super::*;

    fn order(id: u64, buyer: &str, slot: u8, state: State) -> Known {
        Known { id, buyer: buyer.to_owned(), slot, state, items: vec![("default".to_owned(), 1)] }
    }

    fn reservation(id: u64, buyer: &'static str, slot: u8, state: State) -> RebuiltReservation<'static> {
        let items = vec![MessageItem { sku: "default".into(), quantity: 1 }];
        let made = MessageReserved { buyer: buyer.into(), slot, items, ..MessageReserved::default() };
        RebuiltReservation { id, state: state.name().into(), made, fingerprint: None }
    }

    /// The holds 3 and 8 have expired, as an event says.
    fn check(known: &[Known], reservations: Vec<RebuiltReservation<'static>>, total: u64, want: Reconciled) {
        let mut ends = Ends::default();
        ends.add(&MessageEvent { seq: 10, at_ms: 1, change: MessageChange::Expired { ids: vec![3, 8] } });
        let terms = Terms::simple(total);
        let redis =
            RedisState { epoch: 1, seq: 99, acked: 99, terms, is_closed: false, reservations, ended: Vec::new() };
        assert_eq!(reconcile(known, &redis, &ends), want);
    }

    fn taken(units: u64) -> BTreeMap<String, u64> {
        BTreeMap::from([("default".to_owned(), units)])
    }

    #[test]
    fn what_redis_says_counts() {
        use State::{Confirmed as C, Expired as E, Held as H, Released as R};
        let known = [
            order(2, "ada", 0, H),
            order(3, "bob", 0, H),
            order(4, "cleo", 0, H),
            order(5, "dan", 0, E),
            order(8, "fay", 0, H),
        ];
        let redis = vec![
            reservation(2, "ada", 0, H),
            reservation(3, "bob", 0, C),
            reservation(5, "dan", 0, H),
            reservation(9, "eve", 0, H),
        ];
        let moved = vec![(3, C), (4, R), (8, E), (5, H)];
        check(&known, redis, 9, Reconciled { moved, made: vec![3], taken: taken(4), ..Reconciled::default() });
    }

    #[test]
    fn a_confirmed_order_is_never_taken_back() {
        use State::{Confirmed as C, Held as H};
        let known = [order(2, "ada", 0, C), order(3, "bob", 0, C)];
        let redis = vec![reservation(3, "bob", 0, H), reservation(7, "eve", 0, H)];
        check(&known, redis, 2, Reconciled { refused: vec![1], taken: taken(2), ..Reconciled::default() });
    }

    #[test]
    fn a_slot_or_an_id_of_another_order_refuses() {
        use State::{Confirmed as C, Held as H};
        let known = [order(2, "ada", 0, C)];
        let redis = vec![reservation(2, "bob", 0, H), reservation(5, "ada", 0, H), reservation(6, "ada", 1, H)];
        let want = Reconciled { refused: vec![0, 1], made: vec![2], taken: taken(2), ..Reconciled::default() };
        check(&known, redis, 9, want);
    }
}
