//! A whole history of a sale, as Redis would decide it at random, and the rows that must come of it.

use std::collections::BTreeMap;

use flash_wire::Message;
use flash_wire::message::MessageChange;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::fixture::{confirmed, expired, message, released, reserved, warmed};

/// Units of each of the two SKUs.
const TOTAL: u64 = 12;
const BUYERS: u32 = 10;
const SLOTS: u8 = 2;

pub(crate) struct History {
    /// Event by event; the first has seq 1.
    pub(crate) events: Vec<Message<'static>>,
    /// Lines of (id, buyer, slot, state), as PostgreSQL prints a row.
    pub(crate) orders: Vec<String>,
    /// Lines of (sku, sold).
    pub(crate) sold: Vec<String>,
}

#[derive(Clone)]
struct Order {
    buyer: u32,
    slot: u8,
    items: Vec<(&'static str, u32)>,
    state: &'static str,
}

impl Order {
    fn is_active(&self) -> bool {
        matches!(self.state, "held" | "confirmed")
    }
}

impl History {
    pub(crate) fn random(seed: u64, length: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut orders: BTreeMap<u64, Order> = BTreeMap::new();
        let mut events = vec![message(1, 1, vec![warmed(TOTAL)])];
        for seq in 2..=length {
            let change = end(&mut rng, &mut orders).unwrap_or_else(|| make(&mut rng, &mut orders, seq));
            events.push(message(1, seq, vec![change]));
        }
        let line = |(id, order): (&u64, &Order)| format!("({id},{},{},{})", name(order.buyer), order.slot, order.state);
        let mut lines: Vec<_> = orders.iter().map(line).collect();
        lines.sort();
        let sold = ["a", "b"].map(|sku| format!("({sku},{})", units(&orders, sku)));
        Self { events, orders: lines, sold: sold.to_vec() }
    }
}

fn name(buyer: u32) -> String {
    format!("buyer-{buyer}")
}

fn units(orders: &BTreeMap<u64, Order>, sku: &str) -> u64 {
    let items = orders.values().filter(|order| order.is_active()).flat_map(|order| &order.items);
    items.filter(|item| item.0 == sku).map(|item| u64::from(item.1)).sum()
}

/// Ends a hold, or two that expire; none where there is no hold, or a reservation is due.
fn end(rng: &mut StdRng, orders: &mut BTreeMap<u64, Order>) -> Option<MessageChange<'static>> {
    let held: Vec<u64> = orders.iter().filter(|(_, order)| order.state == "held").map(|(id, _)| *id).collect();
    if held.is_empty() || rng.random_bool(0.4) {
        return None;
    }
    let id = held[rng.random_range(0..held.len())];
    let (ids, state, change) = match rng.random_range(0..3) {
        0 => (vec![id], "confirmed", confirmed(id)),
        1 => (vec![id], "released", released(id)),
        _ => {
            let ids: Vec<_> = held.iter().copied().take(2).collect();
            (ids.clone(), "expired", expired(&ids))
        }
    };
    for id in ids {
        orders.get_mut(&id)?.state = state;
    }
    Some(change)
}

/// Makes a reservation that the stock and the limit allow; where neither does, an event that changes no order.
fn make(rng: &mut StdRng, orders: &mut BTreeMap<u64, Order>, seq: u64) -> MessageChange<'static> {
    let buyer = rng.random_range(0..BUYERS);
    let taken = |slot: u8| orders.values().any(|order| order.is_active() && (order.buyer, order.slot) == (buyer, slot));
    let slot = (0..SLOTS).find(|slot| !taken(*slot));
    let mut items = vec![("a", rng.random_range(1..=2))];
    if rng.random_bool(0.3) {
        items.push(("b", 1));
    }
    let fits = |item: &(&str, u32)| units(orders, item.0) + u64::from(item.1) <= TOTAL;
    match slot {
        Some(slot) if items.iter().all(fits) => {
            let hold = rng.random_bool(0.8);
            let state = if hold { "held" } else { "confirmed" };
            orders.insert(seq, Order { buyer, slot, items: items.clone(), state });
            reserved(name(buyer), slot, &items, hold)
        }
        // The warming has no reservation: nothing ends.
        _ => confirmed(1),
    }
}
