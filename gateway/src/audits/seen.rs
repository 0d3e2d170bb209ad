//! What audits of all sales have found so far: where there are more sales than one of them comes to, the next one goes
//! on.

use std::collections::{BTreeMap, HashSet};

use flash_audit::{Finding, Report, Verdict};

use crate::limits::AUDIT_PART_MS_MAX;

/// So much later a sale is looked at anew that was whole, and once more as much, if it is over.
const LATER_MS: u64 = 60_000;

/// What was found of one sale. None: there is none.
pub(super) type SaleAudit = Result<Option<Report>, Finding>;

/// The sales that were looked at, by their ids.
#[derive(Debug, Default)]
pub(super) struct AuditedSales {
    parts: BTreeMap<String, AuditedSale>,
}

#[derive(Debug)]
struct AuditedSale {
    at_ms: u64,
    found: SaleAudit,
}

impl AuditedSales {
    /// Puts sales in the order in which they are to be looked at: unseen ones come first. What is too old,
    /// or of other sales, is forgotten.
    pub(super) fn order(&mut self, sales: &mut [String], on_sale: &HashSet<String>, now_ms: u64) {
        let known: HashSet<&String> = sales.iter().collect();
        self.parts.retain(|sale, part| known.contains(sale) && now_ms.saturating_sub(part.at_ms) < AUDIT_PART_MS_MAX);
        sales.sort_by_cached_key(|sale| {
            let part = self.parts.get(sale);
            let waits = u64::from(part.is_none_or(AuditedSale::is_whole)) + u64::from(!on_sale.contains(sale));
            part.map_or(0, |part| part.at_ms) + waits * LATER_MS
        });
    }

    /// Remembers what was found of a sale.
    pub(super) fn note(&mut self, sale: String, at_ms: u64, found: SaleAudit) {
        self.parts.insert(sale, AuditedSale { at_ms, found });
    }

    /// What was found of each since then, and when that was.
    pub(super) fn since(&self, since_ms: u64) -> impl Iterator<Item = (u64, &SaleAudit)> {
        let parts = self.parts.values().map(|part| (part.at_ms, &part.found));
        parts.filter(move |(at_ms, _)| *at_ms >= since_ms)
    }
}

impl AuditedSale {
    fn is_whole(&self) -> bool {
        self.found.as_ref().is_ok_and(|found| found.as_ref().is_none_or(|report| report.verdict == Verdict::Whole))
    }
}

#[cfg(test)]
mod tests {
    use flash_audit::Kind;

    use super::*;

    const NOW_MS: u64 = 1_796_000_000_000;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    /// When each sale was looked at, by their ids.
    fn times(seen: &AuditedSales, since_ms: u64) -> Vec<u64> {
        seen.since(since_ms).map(|(at_ms, _)| at_ms).collect()
    }

    fn check(seen: &mut AuditedSales, sales: &[&str], on_sale: &[&str], now_ms: u64, want: &[&str]) {
        let mut sales = names(sales);
        seen.order(&mut sales, &names(on_sale).into_iter().collect(), now_ms);
        assert_eq!(sales, want);
    }

    #[test]
    fn unseen_sales_come_first_then_broken_and_oldest_ones_and_ended_ones_last() {
        let mut seen = AuditedSales::default();
        check(&mut seen, &["a", "b", "c", "d"], &["b", "d"], NOW_MS, &["b", "d", "a", "c"]);
        seen.note("b".to_owned(), NOW_MS, Ok(None));
        seen.note("d".to_owned(), NOW_MS + 1, Err(Finding::new(Kind::Moving, "")));
        check(&mut seen, &["a", "b", "c", "d"], &["b", "d"], NOW_MS + 2, &["a", "c", "d", "b"]);
        seen.note("c".to_owned(), NOW_MS + 2, Ok(None));
        seen.note("a".to_owned(), NOW_MS + 3, Ok(None));
        check(&mut seen, &["a", "b", "c", "d"], &["b", "d"], NOW_MS + 4, &["d", "b", "c", "a"]);
        assert_eq!(times(&seen, 0), [NOW_MS + 3, NOW_MS, NOW_MS + 2, NOW_MS + 1]);
        assert_eq!(times(&seen, NOW_MS + 2), [NOW_MS + 3, NOW_MS + 2]);
    }

    #[test]
    fn what_is_too_old_and_what_is_gone_is_forgotten() {
        let mut seen = AuditedSales::default();
        for (sale, at_ms) in [("a", NOW_MS), ("b", NOW_MS + 1), ("c", NOW_MS + 1)] {
            seen.note(sale.to_owned(), at_ms, Ok(None));
        }
        check(&mut seen, &["a", "b"], &[], NOW_MS + AUDIT_PART_MS_MAX, &["a", "b"]);
        assert_eq!(times(&seen, 0), [NOW_MS + 1]);
    }

    /// Half of the sales are over, and one is never whole: each is looked at, again and again.
    #[test]
    fn rounds_that_come_to_some_of_the_sales_come_to_all_of_them_and_none_waits_for_ever() {
        const ROUND_MS: u64 = 16_000;
        let all: Vec<String> = (0..2_000).map(|sale| format!("sale-{sale}")).collect();
        let on_sale: HashSet<String> = all.iter().step_by(2).cloned().collect();
        let mut seen = AuditedSales::default();
        for round in 0..100 {
            let (now_ms, mut sales) = (NOW_MS + round * ROUND_MS, all.clone());
            seen.order(&mut sales, &on_sale, now_ms);
            for sale in sales.into_iter().take(400) {
                let found = if sale == "sale-7" { Err(Finding::new(Kind::Moving, "")) } else { Ok(None) };
                seen.note(sale, now_ms, found);
            }
            let all_seen = round >= 4;
            assert_eq!(times(&seen, 0).len() == all.len(), all_seen, "round {round}");
            assert!(times(&seen, 0).iter().all(|at_ms| at_ms + AUDIT_PART_MS_MAX / 2 > now_ms), "round {round}");
        }
    }
}
