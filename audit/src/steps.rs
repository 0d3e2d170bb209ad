//! What events do to the units of a sale, as PostgreSQL will write them. Pure: no sockets here.

use std::collections::{BTreeMap, HashMap};

use flash_vault::OrderItems;
use flash_wire::Change;

/// An event, as far as units go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The sale came to be, with these totals.
    Warmed(OrderItems),
    Reserved {
        items: OrderItems,
        held: bool,
    },
    Confirmed(u64),
    /// Released or expired.
    Ended(Vec<u64>),
    /// A SKU has this total from now on.
    Restocked(String, u64),
    /// Nothing that can be counted.
    Other,
}

impl Step {
    /// What `change` does; none, if it speaks of a SKU that is not among `skus`.
    pub(crate) fn of(change: &Change, skus: &[String]) -> Option<Self> {
        let name = |sku: u16| skus.get(usize::from(sku)).cloned();
        Some(match change {
            Change::Warmed(life) => Self::Warmed(
                life.terms.skus.iter().zip(&life.totals).map(|(sku, total)| (sku.name.clone(), *total)).collect(),
            ),
            Change::Reserved(reserved) => {
                let items = reserved.items.iter().map(|item| Some((name(item.sku)?, item.quantity.into())));
                Self::Reserved { items: items.collect::<Option<_>>()?, held: reserved.expires_at_ms.is_some() }
            }
            Change::Confirmed { id } => Self::Confirmed(*id),
            Change::Released { id } => Self::Ended(vec![*id]),
            Change::Expired { ids } => Self::Ended(ids.clone()),
            Change::Restocked { sku, total } => Self::Restocked(name(*sku)?, *total),
            Change::Opened | Change::Closed => Self::Other,
        })
    }

    /// The reservations that end.
    pub(crate) fn ends(&self) -> &[u64] {
        match self {
            Self::Confirmed(id) => std::slice::from_ref(id),
            Self::Ended(ids) => ids,
            _ => &[],
        }
    }
}

/// The units of a SKU. Signed, for what is compared may be wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Units {
    pub(crate) total: i64,
    pub(crate) held: i64,
    pub(crate) confirmed: i64,
}

/// The units of each SKU, by name.
pub(crate) type Stock = BTreeMap<String, Units>;

/// Adds events to what PostgreSQL has. `holds` are its held orders, at least those that the events end. An end of a
/// reservation that is not held there does nothing, as in PostgreSQL.
pub(crate) fn fold<'a>(
    mut stock: Stock,
    mut holds: HashMap<u64, OrderItems>,
    steps: impl IntoIterator<Item = (u64, &'a Step)>,
) -> Stock {
    for (seq, step) in steps {
        match step {
            // The totals of a sale that is there already stay what they are.
            Step::Warmed(totals) if stock.is_empty() => {
                stock = totals
                    .iter()
                    .map(|(sku, total)| (sku.clone(), Units { total: signed(*total), ..Units::default() }))
                    .collect();
            }
            Step::Reserved { items, held: true } => {
                add(&mut stock, items, |units, quantity| units.held += quantity);
                holds.insert(seq, items.clone());
            }
            Step::Reserved { items, held: false } => {
                add(&mut stock, items, |units, quantity| units.confirmed += quantity);
            }
            Step::Restocked(sku, total) => stock.entry(sku.clone()).or_default().total = signed(*total),
            Step::Warmed(_) | Step::Confirmed(_) | Step::Ended(_) | Step::Other => {}
        }
        for id in step.ends() {
            let Some(items) = holds.remove(id) else { continue };
            add(&mut stock, &items, |units, quantity| units.held -= quantity);
            if let Step::Confirmed(_) = step {
                add(&mut stock, &items, |units, quantity| units.confirmed += quantity);
            }
        }
    }
    stock
}

fn add(stock: &mut Stock, items: &OrderItems, count: impl Fn(&mut Units, i64)) {
    for (sku, quantity) in items {
        count(stock.entry(sku.clone()).or_default(), signed(*quantity));
    }
}

/// Units have limits far below 2^63.
pub(crate) fn signed(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(total: i64, held: i64, confirmed: i64) -> Units {
        Units { total, held, confirmed }
    }

    /// Folds steps from event 11 on, onto ten units of which order 5 holds two and one is confirmed.
    fn check(steps: &[Step], want: Units) {
        let stock = Stock::from([("a".to_owned(), units(10, 2, 1))]);
        let holds = HashMap::from([(5, vec![("a".to_owned(), 2)])]);
        let got = fold(stock, holds, (11..).zip(steps));
        assert_eq!(got["a"], want, "{steps:?}");
    }

    #[test]
    fn events_move_units_as_postgresql_will() {
        let reserved = |held| Step::Reserved { items: vec![("a".to_owned(), 3)], held };
        check(&[], units(10, 2, 1));
        check(&[reserved(true)], units(10, 5, 1));
        check(&[reserved(false)], units(10, 2, 4));
        check(&[reserved(true), Step::Confirmed(11)], units(10, 2, 4));
        check(&[reserved(true), Step::Ended(vec![11, 5])], units(10, 0, 1));
        check(&[Step::Confirmed(5), Step::Ended(vec![5])], units(10, 0, 3));
        check(&[Step::Confirmed(4)], units(10, 2, 1));
        check(&[Step::Restocked("a".to_owned(), 12)], units(12, 2, 1));
        check(&[Step::Warmed(vec![("a".to_owned(), 99)]), Step::Other], units(10, 2, 1));
    }

    #[test]
    fn a_sale_that_postgresql_does_not_know_begins_with_its_warming() {
        let got = fold(Stock::new(), HashMap::new(), [(1, &Step::Warmed(vec![("a".to_owned(), 9)]))]);
        assert_eq!(got, Stock::from([("a".to_owned(), units(9, 0, 0))]));
    }
}
