//! The sales that are in doubt, and the recovery of each.

use std::collections::BTreeMap;

use flash_plan::{Action, Recovery, Why};
use tokio::time::Instant;

use crate::barriers::Waiting;
use crate::limits::{LOOK_EVERY_MS, SALES_MAX};
use crate::trouble::Trouble;

/// Sales by their id. Bounded: what has no place is found again when there is room.
#[derive(Debug, Default)]
pub(crate) struct Doubts {
    sales: BTreeMap<String, Doubt>,
}

/// One sale in doubt.
#[derive(Debug)]
pub(crate) struct Doubt {
    why: Why,
    since: Instant,
    pub(crate) recovery: Recovery,
    /// Whether its recovery was logged.
    has_begun: bool,
    /// Whether it was logged that it cannot be brought back.
    has_failed: bool,
}

impl Doubts {
    /// Takes a sale in that may be in doubt.
    pub(crate) fn add(&mut self, sale: &str, why: Why) {
        if self.sales.len() < SALES_MAX && !self.sales.contains_key(sale) {
            self.sales.insert(sale.to_owned(), Doubt::new(why));
        }
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&String, &mut Doubt)> {
        self.sales.iter_mut()
    }

    /// Whether one of them has something to do, or soon will.
    pub(crate) fn are_busy(&mut self, now_ms: u64) -> bool {
        let soon_ms = now_ms + LOOK_EVERY_MS;
        let rests = |action| matches!(action, Action::Rest { until_ms } if until_ms > soon_ms);
        self.sales.values_mut().any(|doubt| !rests(doubt.recovery.next(now_ms)))
    }

    /// Those that wait for a barrier.
    pub(crate) fn waiting(&mut self, now_ms: u64) -> Vec<Waiting> {
        let waits = |(sale, doubt): (&String, &mut Doubt)| match doubt.recovery.next(now_ms) {
            Action::Barrier(attempt) => Some((sale.clone(), attempt)),
            _ => None,
        };
        self.sales.iter_mut().filter_map(waits).collect()
    }

    pub(crate) fn get_mut(&mut self, sale: &str) -> Option<&mut Doubt> {
        self.sales.get_mut(sale)
    }

    /// Forgets those that are in no doubt any more.
    pub(crate) fn forget_over(&mut self) {
        self.sales.retain(|sale, doubt| {
            let is_over = doubt.recovery.is_over();
            if is_over {
                doubt.end(sale);
            }
            !is_over
        });
    }
}

impl Doubt {
    fn new(why: Why) -> Self {
        Self { why, since: Instant::now(), recovery: Recovery::new(), has_begun: false, has_failed: false }
    }

    /// Its recovery begins.
    pub(crate) fn begin(&mut self, sale: &str) {
        if !std::mem::replace(&mut self.has_begun, true) {
            tracing::warn!(sale, why = %self.why, "a sale is in doubt: it sells nothing until it is known to be whole");
        }
    }

    /// It cannot be brought back for now, for a reason of its own.
    pub(crate) fn fail(&mut self, sale: &str, trouble: &Trouble) {
        if !std::mem::replace(&mut self.has_failed, true) {
            tracing::error!(sale, %trouble, "a sale cannot be brought back; it stays fenced, and is tried again");
        }
    }

    fn end(&self, sale: &str) {
        if self.has_begun {
            let ms = self.since.elapsed().as_millis();
            tracing::warn!(sale, ms, "a sale is no longer in doubt");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sale_is_in_doubt_once() {
        let mut doubts = Doubts::default();
        doubts.add("a", Why::Fenced);
        doubts.add("a", Why::Missing);
        assert_eq!(
            doubts.iter_mut().map(|(sale, doubt)| (sale.as_str(), doubt.why)).collect::<Vec<_>>(),
            [("a", Why::Fenced)]
        );
        assert!(doubts.are_busy(0) && doubts.waiting(0).is_empty());
    }

    #[tokio::test]
    async fn doubts_are_bounded() {
        let mut doubts = Doubts::default();
        for sale in 0..=SALES_MAX {
            doubts.add(&sale.to_string(), Why::Missing);
        }
        assert_eq!(doubts.iter_mut().count(), SALES_MAX);
    }
}
