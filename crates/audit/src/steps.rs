//! What events do to the units and the content of a sale, as PostgreSQL will write them. Pure: no sockets here.

use std::collections::{BTreeMap, HashMap};

use flash_vault::HeldOrder;
use flash_wire::digest::{element, sku_hash};
use flash_wire::{Change, Content, State};

/// SKU names, and units of each.
pub(crate) type Items = Vec<(String, u32)>;

/// An event, as far as units and buyers go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The sale came to be, with these totals.
    Warmed(Vec<(String, u64)>),
    Reserved {
        buyer: String,
        items: Items,
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
                let items = reserved.items.iter().map(|item| Some((name(item.sku)?, item.quantity)));
                Self::Reserved {
                    buyer: reserved.buyer.to_string(),
                    items: items.collect::<Option<_>>()?,
                    held: reserved.expires_at_ms.is_some(),
                }
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

/// What a sale has: its units, and its active reservations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) stock: Stock,
    pub(crate) content: Content,
}

/// Adds events to what PostgreSQL has. `holds` are its held orders, at least those that the events end. An end of a
/// reservation that is not held there does nothing, as in PostgreSQL.
pub(crate) fn fold<'a>(
    mut sale: Standing,
    holds: Vec<HeldOrder>,
    steps: impl IntoIterator<Item = (u64, &'a Step)>,
) -> Standing {
    let mut holds: HashMap<_, _> = holds.into_iter().map(|hold| (hold.id, (hold.buyer, hold.items))).collect();
    for (seq, step) in steps {
        match step {
            // The totals of a sale that is there already stay what they are.
            Step::Warmed(totals) if sale.stock.is_empty() => {
                let units = |total: &u64| Units { total: signed(*total), ..Units::default() };
                sale.stock = totals.iter().map(|(sku, total)| (sku.clone(), units(total))).collect();
            }
            Step::Reserved { buyer, items, held } => {
                sale.add(seq, buyer, items, if *held { State::Held } else { State::Confirmed });
                if *held {
                    holds.insert(seq, (buyer.clone(), items.clone()));
                }
            }
            Step::Restocked(sku, total) => sale.stock.entry(sku.clone()).or_default().total = signed(*total),
            Step::Warmed(_) | Step::Confirmed(_) | Step::Ended(_) | Step::Other => {}
        }
        for id in step.ends() {
            let Some((buyer, items)) = holds.remove(id) else { continue };
            sale.remove_hold(*id, &buyer, &items);
            if let Step::Confirmed(_) = step {
                sale.add(*id, &buyer, &items, State::Confirmed);
            }
        }
    }
    sale
}

impl Standing {
    fn add(&mut self, id: u64, buyer: &str, items: &Items, state: State) {
        self.content.add(of(id, buyer, items, state));
        for (sku, quantity) in items {
            let units = self.stock.entry(sku.clone()).or_default();
            let count = if state == State::Held { &mut units.held } else { &mut units.confirmed };
            *count += i64::from(*quantity);
        }
    }

    fn remove_hold(&mut self, id: u64, buyer: &str, items: &Items) {
        self.content.remove(of(id, buyer, items, State::Held));
        for (sku, quantity) in items {
            self.stock.entry(sku.clone()).or_default().held -= i64::from(*quantity);
        }
    }
}

fn of(id: u64, buyer: &str, items: &Items, state: State) -> u64 {
    element(id, buyer, items.iter().map(|(sku, quantity)| (sku_hash(sku), *quantity)), state)
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

    fn standing(stock: Units, reservations: &[(u64, &str, u32, State)]) -> Standing {
        let mut content = Content::default();
        for (id, buyer, quantity, state) in reservations {
            content.add(of(*id, buyer, &vec![("a".to_owned(), *quantity)], *state));
        }
        Standing { stock: Stock::from([("a".to_owned(), stock)]), content }
    }

    /// Folds steps from event 11 on, onto ten units of which ada's order 5 holds two and bob's 6 has one.
    fn check(steps: &[Step], units: Units, reservations: &[(u64, &str, u32, State)]) {
        let before = standing(self::units(10, 2, 1), &[(5, "ada", 2, State::Held), (6, "bob", 1, State::Confirmed)]);
        let hold = HeldOrder { id: 5, buyer: "ada".to_owned(), items: vec![("a".to_owned(), 2)] };
        let got = fold(before, vec![hold], (11..).zip(steps));
        assert_eq!(got, standing(units, reservations), "{steps:?}");
    }

    #[test]
    fn events_move_units_and_content_as_postgresql_will() {
        use State::{Confirmed, Held};
        let reserved = |held| Step::Reserved { buyer: "eve".to_owned(), items: vec![("a".to_owned(), 3)], held };
        let (ada, bob) = ((5, "ada", 2, Held), (6, "bob", 1, Confirmed));
        let (eve_held, eve) = ((11, "eve", 3, Held), (11, "eve", 3, Confirmed));
        check(&[], units(10, 2, 1), &[ada, bob]);
        check(&[reserved(true)], units(10, 5, 1), &[ada, bob, eve_held]);
        check(&[reserved(false)], units(10, 2, 4), &[ada, bob, eve]);
        check(&[reserved(true), Step::Confirmed(11)], units(10, 2, 4), &[ada, bob, eve]);
        check(&[reserved(true), Step::Ended(vec![11, 5])], units(10, 0, 1), &[bob]);
        check(&[Step::Confirmed(5), Step::Ended(vec![5])], units(10, 0, 3), &[(5, "ada", 2, Confirmed), bob]);
        check(&[Step::Confirmed(4)], units(10, 2, 1), &[ada, bob]);
        check(&[Step::Restocked("a".to_owned(), 12)], units(12, 2, 1), &[ada, bob]);
        check(&[Step::Warmed(vec![("a".to_owned(), 99)]), Step::Other], units(10, 2, 1), &[ada, bob]);
    }

    #[test]
    fn a_sale_that_postgresql_does_not_know_begins_with_its_warming() {
        let got = fold(Standing::default(), Vec::new(), [(1, &Step::Warmed(vec![("a".to_owned(), 9)]))]);
        assert_eq!(got, standing(units(9, 0, 0), &[]));
    }
}
