//! Each wish is one order or one rejection where it was answered `ok`, none or one where it is unknown, none where it
//! was refused; and nothing exists that no buyer wished.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Case;
use crate::eyes::Order;
use crate::load::{Answer, Ask, Entry, sku};

/// All requests for one reservation: they carry the same key.
#[derive(Default)]
struct Wish<'a> {
    requests: Vec<&'a Entry>,
}

/// Every violation; counts the answers that are lost as they may be.
pub(super) fn check(case: &Case, lost: &mut u64) -> Vec<String> {
    let mut wishes: BTreeMap<&str, Wish> = BTreeMap::new();
    for entry in case.entries.iter().filter(|entry| matches!(entry.ask, Ask::Reserve(_))) {
        wishes.entry(&entry.key).or_default().requests.push(entry);
    }
    let orders: BTreeMap<u64, &Order> = case.rows.orders.iter().map(|order| (order.id, order)).collect();
    let mut wrong = Vec::new();
    for (key, wish) in &wishes {
        let mut ids = BTreeSet::new();
        for (entry, id, replayed) in wish.granted() {
            let rejected = case.rows.rejections.contains_key(&id);
            match orders.get(&id) {
                Some(order) if rejected => wrong.push(format!("{key} is an order and a rejection: {order:?}")),
                // The buyer had it by another key. Once it has ended, this key may get one of its own.
                Some(order) if is_anothers(case, entry, order, replayed) => continue,
                Some(order) if came_back(case, order) && order.buyer == entry.buyer => {}
                Some(order) => wrong.extend(unlike(entry, order)),
                // Only what Redis has forgotten may come too late for PostgreSQL.
                None if rejected && !case.excuses.excuse(entry) => wrong.push(format!("rejected: {entry:?}")),
                None if rejected => {}
                None if case.excuses.forgotten(wish.asked(), entry.to) && wish.may_have_ended(case, id) => {
                    *lost += 1;
                    continue;
                }
                None if case.excuses.excuse(entry) => {
                    *lost += 1;
                    continue;
                }
                None => wrong.push(format!("lost: {entry:?}")),
            }
            ids.insert(id);
        }
        if ids.len() > 1 {
            wrong.push(format!("{key} got several reservations: {:?}", wish.requests));
        }
    }
    wrong.extend(unexplained(case, &wishes));
    wrong
}

impl Wish<'_> {
    /// The answers that were `ok`.
    fn granted(&self) -> impl Iterator<Item = (&Entry, u64, bool)> {
        self.requests.iter().filter_map(|entry| match entry.answer {
            Answer::Ok { id, replayed, .. } => Some((*entry, id, replayed)),
            _ => None,
        })
    }

    /// When it was first asked for: a later answer may be to what that made.
    fn asked(&self) -> Duration {
        self.requests.iter().map(|entry| entry.from).min().unwrap_or_default()
    }

    /// Whether somebody may have released it, or its time may be over: then Redis may not have it any more.
    fn may_have_ended(&self, case: &Case, id: u64) -> bool {
        let released = |entry: &&Entry| entry.ask == Ask::Release(id) && !matches!(entry.answer, Answer::Refused(_));
        case.sale.expires() || case.entries.iter().any(released)
    }

    fn is_of(&self, buyer: &str) -> bool {
        self.requests.iter().any(|entry| entry.buyer == buyer)
    }

    fn may_be_there(&self) -> bool {
        self.requests.iter().any(|entry| !matches!(entry.answer, Answer::Refused(_)))
    }
}

/// Where the limit is one, the same buyer with the same items is the same request, whatever its key.
fn is_anothers(case: &Case, entry: &Entry, order: &Order, replayed: bool) -> bool {
    let same = order.buyer == entry.buyer && order.items == wanted(entry);
    case.sale.limit == 1 && replayed && same && order.request.as_deref() != Some(&entry.key)
}

/// An order that PostgreSQL has forgotten, and Redis has given back.
fn came_back(case: &Case, order: &Order) -> bool {
    !case.excuses.behind.is_empty() && order.request.is_none()
}

/// An order that is not what was wished.
fn unlike(entry: &Entry, order: &Order) -> Option<String> {
    let same = order.buyer == entry.buyer && order.items == wanted(entry);
    let own = order.request.as_deref() == Some(&entry.key);
    (!same || !own).then(|| format!("{entry:?} is order {order:?}"))
}

/// Names and units, by place.
fn wanted(entry: &Entry) -> Vec<(String, u64)> {
    let Ask::Reserve(items) = &entry.ask else { return Vec::new() };
    let mut items = items.clone();
    items.sort_unstable();
    items.iter().map(|(at, units)| (sku(*at), *units)).collect()
}

/// Orders and rejections that no buyer wished, or that were refused, or that exist twice.
fn unexplained(case: &Case, wishes: &BTreeMap<&str, Wish>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut made: BTreeMap<&str, u64> = BTreeMap::new();
    for order in &case.rows.orders {
        if came_back(case, order) && wishes.values().any(|wish| wish.is_of(&order.buyer) && wish.may_be_there()) {
            continue;
        }
        let key = order.request.as_deref().unwrap_or_default();
        match wishes.get(key).filter(|wish| wish.may_be_there()) {
            Some(_) => *made.entry(key).or_default() += 1,
            None => wrong.push(format!("nobody was told of {order:?}, and nobody had to wonder")),
        }
    }
    for (id, (reason, event)) in &case.rows.rejections {
        match wishes.iter().find(|(key, _)| event.contains(&format!("\"{key}\""))) {
            // Redis has forgotten what it made of a request, so that a repeat may have made an order as well.
            Some((_, wish)) if wish.may_be_there() && wish.requests.iter().any(|entry| case.excuses.excuse(entry)) => {}
            Some((key, wish)) if wish.may_be_there() => *made.entry(key).or_default() += 1,
            _ => wrong.push(format!("nobody was told of the rejection {id} ({reason}): {event}")),
        }
    }
    let twice = made.iter().filter(|(_, count)| **count > 1);
    wrong.extend(
        twice.map(|(key, count)| format!("{key} is there {count} times: {}", made_by(case, key, &wishes[key]))),
    );
    wrong
}

/// What a key made, and what its requests were answered.
fn made_by(case: &Case, key: &str, wish: &Wish) -> String {
    let orders: Vec<_> = case.rows.orders.iter().filter(|order| order.request.as_deref() == Some(key)).collect();
    let of_key = |(_, event): &&(String, String)| event.contains(&format!("\"{key}\""));
    let rejections: Vec<_> = case.rows.rejections.values().filter(of_key).collect();
    format!("orders {orders:?}, rejections {rejections:?}, requests {:?}", wish.requests)
}
