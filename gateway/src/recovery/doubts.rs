//! The sales that are in doubt, and what was done about each.

use std::collections::BTreeMap;

use flash_client::Backoff;
use tokio::time::Instant;

use super::limits::{SALE_REST_MS, SALE_REST_MS_MAX, SALES_MAX};

/// Sales by their id. Bounded: what has no place is found again when there is room.
#[derive(Debug, Default)]
pub(crate) struct Doubts {
    sales: BTreeMap<String, Doubt>,
}

/// One sale in doubt.
#[derive(Debug)]
pub(crate) struct Doubt {
    /// Since when.
    since: Instant,
    /// Everything that was queued before is in PostgreSQL.
    pub(crate) is_behind_barrier: bool,
    /// PostgreSQL has refused what Redis counts as sold.
    pub(crate) has_rejections: bool,
    /// Not to be touched before: something that is wrong with this sale alone was in the way.
    rests_until: Option<Instant>,
    rest: Backoff,
}

impl Doubts {
    /// Takes a sale in. True: it is new here.
    pub(crate) fn add(&mut self, sale: &str, now: Instant) -> bool {
        if self.sales.contains_key(sale) || self.sales.len() >= SALES_MAX {
            return false;
        }
        let rest = Backoff::new(SALE_REST_MS, SALE_REST_MS_MAX);
        let doubt = Doubt { since: now, is_behind_barrier: false, has_rejections: false, rests_until: None, rest };
        self.sales.insert(sale.to_owned(), doubt);
        true
    }

    pub(crate) fn get_mut(&mut self, sale: &str) -> Option<&mut Doubt> {
        self.sales.get_mut(sale)
    }

    /// There is nothing to do for it any more. Gives since when there was.
    pub(crate) fn remove(&mut self, sale: &str) -> Option<Instant> {
        self.sales.remove(sale).map(|doubt| doubt.since)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sales.is_empty()
    }

    /// Those that do not rest.
    pub(crate) fn names(&self, now: Instant) -> Vec<String> {
        let is_due = |doubt: &Doubt| doubt.rests_until.is_none_or(|until| now >= until);
        self.sales.iter().filter(|(_, doubt)| is_due(doubt)).map(|(sale, _)| sale.clone()).collect()
    }

    /// Leaves a sale alone for a while, each time for longer. True: it has not rested before.
    pub(crate) fn rest(&mut self, sale: &str, now: Instant) -> bool {
        let Some(doubt) = self.sales.get_mut(sale) else { return false };
        let until = now + doubt.rest.wait();
        doubt.rests_until.replace(until).is_none()
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
        assert_eq!((doubts.remove("b"), doubts.remove("b")), (Some(now), None));
        assert!(!doubts.need_barrier() && doubts.names(now) == ["a"]);
    }

    #[tokio::test]
    async fn a_sale_that_cannot_be_recovered_rests_and_the_others_do_not() {
        let (mut doubts, now) = (Doubts::default(), Instant::now());
        doubts.add("a", now);
        doubts.add("b", now);
        assert!(doubts.rest("a", now), "the first time is worth a line in the log");
        assert_eq!(doubts.names(now), ["b"]);
        assert_eq!(doubts.names(now + std::time::Duration::from_millis(SALE_REST_MS)), ["a", "b"]);
        assert!(!doubts.rest("a", now));
    }

    #[tokio::test]
    async fn doubts_are_bounded() {
        let (mut doubts, now) = (Doubts::default(), Instant::now());
        for sale in 0..=SALES_MAX {
            doubts.add(&sale.to_string(), now);
        }
        assert_eq!(doubts.names(now).len(), SALES_MAX);
    }
}
