//! Each order ended as its buyer asked, or not at all; and Redis says the same as PostgreSQL.

use std::collections::BTreeMap;

use super::Case;
use crate::eyes::Order;
use crate::load::{Answer, Ask, Entry, State};

pub(super) fn check(case: &Case) -> Vec<String> {
    let ends = Ends::of(case);
    let mut wrong: Vec<String> = case.rows.orders.iter().flat_map(|order| order_ended(case, &ends, order)).collect();
    for order in &case.rows.orders {
        let in_redis = case.in_redis.get(&order.id).copied().flatten();
        let same = in_redis == Some(order.state) || in_redis.is_none() && !order.state.is_active();
        if !same {
            wrong.push(format!("Redis says {in_redis:?} of {order:?}"));
        }
    }
    wrong
}

/// The requests that end holds, by the reservation's id.
#[derive(Default)]
struct Ends<'a> {
    confirms: BTreeMap<u64, Vec<&'a Entry>>,
    releases: BTreeMap<u64, Vec<&'a Entry>>,
}

impl<'a> Ends<'a> {
    fn of(case: &Case<'a>) -> Self {
        let mut ends = Self::default();
        for entry in &case.entries {
            match entry.ask {
                Ask::Confirm(id) => ends.confirms.entry(id).or_default().push(entry),
                Ask::Release(id) => ends.releases.entry(id).or_default().push(entry),
                Ask::Reserve(_) => {}
            }
        }
        ends
    }
}

fn order_ended(case: &Case, ends: &Ends, order: &Order) -> Vec<String> {
    let asked = |ends: &BTreeMap<u64, Vec<_>>| ends.get(&order.id).cloned().unwrap_or_default();
    let (confirms, releases) = (asked(&ends.confirms), asked(&ends.releases));
    let mut wrong = Vec::new();
    let mut demand = |entries: &[&Entry], wanted: State| {
        let told = entries.iter().find(|entry| matches!(entry.answer, Answer::Ok { .. }));
        if let Some(told) = told.filter(|told| order.state != wanted && !case.excuses.excuse(told)) {
            wrong.push(format!("{told:?} and it is {order:?}"));
        }
    };
    demand(&confirms, State::Confirmed);
    demand(&releases, State::Released);
    let possible = |entries: &[&Entry]| entries.iter().any(|entry| !matches!(entry.answer, Answer::Refused(_)));
    let explained = match order.state {
        State::Confirmed => case.sale.hold_ms.is_none() || possible(&confirms),
        // What ended after PostgreSQL's base, and is unknown to Redis, counts as released.
        State::Released => possible(&releases) || !case.excuses.behind.is_empty() && case.sale.expires(),
        State::Held => case.sale.hold_ms.is_some() && !case.sale.expires(),
        State::Expired => case.sale.expires() || case.excuses.clock && case.sale.hold_ms.is_some(),
    };
    if !explained {
        wrong.push(format!("nobody asked that this is {:?}: {order:?}", order.state));
    }
    wrong
}
