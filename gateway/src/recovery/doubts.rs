//! The sales that are in doubt, and what was done about each.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::limits::SALES_MAX;

/// Sales by their id. Bounded: what has no place is found again when there is room.
#[derive(Debug, Default)]
pub(crate) struct Doubts {
    sales: BTreeMap<String, Doubt>,
}

/// One sale in doubt.
#[derive(Debug)]
pub(crate) struct Doubt {
    /// Since when.
    pub(crate) since: Instant,
    /// Everything that was queued before is in PostgreSQL.
    pub(crate) is_behind_barrier: bool,
    /// PostgreSQL has refused what Redis counts as sold.
    pub(crate) has_rejections: bool,
}

impl Doubts {
    /// Takes a sale in. True: it is new here.
    pub(crate) fn add(&mut self, sale: &str, now: Instant) -> bool {
        if self.sales.contains_key(sale) || self.sales.len() >= SALES_MAX {
            return false;
        }
        let doubt = Doubt { since: now, is_behind_barrier: false, has_rejections: false };
        self.sales.insert(sale.to_owned(), doubt);
        true
    }

    pub(crate) fn get_mut(&mut self, sale: &str) -> Option<&mut Doubt> {
        self.sales.get_mut(sale)
    }

    /// There is nothing to do for it any more.
    pub(crate) fn remove(&mut self, sale: &str) {
        self.sales.remove(sale);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sales.is_empty()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.sales.keys().cloned().collect()
    }

    /// Whether one of them has not waited for a barrier yet.
    pub(crate) fn need_barrier(&self) -> bool {
        self.sales.values().any(|doubt| !doubt.is_behind_barrier)
    }

    /// A barrier that was sent after all of these were fenced has come.
    pub(crate) fn passed_barrier(&mut self) {
        self.sales.values_mut().for_each(|doubt| doubt.is_behind_barrier = true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sale_is_in_doubt_once_and_a_barrier_is_for_those_that_were_there() {
        let (mut doubts, now) = (Doubts::default(), Instant::now());
        assert!(doubts.is_empty() && !doubts.need_barrier());
        assert!(doubts.add("a", now) && !doubts.add("a", now) && doubts.need_barrier());
        doubts.passed_barrier();
        assert!(!doubts.need_barrier());
        assert!(doubts.add("b", now) && doubts.need_barrier());
        doubts.remove("b");
        assert!(!doubts.need_barrier() && doubts.names() == ["a"]);
    }

    #[tokio::test]
    async fn doubts_are_bounded() {
        let (mut doubts, now) = (Doubts::default(), Instant::now());
        for sale in 0..=SALES_MAX {
            doubts.add(&sale.to_string(), now);
        }
        assert_eq!(doubts.names().len(), SALES_MAX);
    }
}
