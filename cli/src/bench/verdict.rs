//! Compares the buyers' answers with what the sale counts.

use serde::{Deserialize, Serialize};

use crate::load::Stock;

/// What is to be thought of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Verdict {
    /// Every unit that was promised is counted, and no other.
    #[serde(rename = "exact")]
    Exact,
    /// Not so.
    #[serde(rename = "BROKEN")]
    Broken,
    /// The sale did not say what it counts.
    #[serde(rename = "unknown")]
    Unknown,
}

impl Verdict {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Broken => "BROKEN",
            Self::Unknown => "unknown: the sale did not say what it counts",
        }
    }
}

/// The faults of a sale that counted `before` the load and `after` it. By their answers `told` buyers have a unit; the
/// outcome of `unknown` requests is unknown.
pub(super) fn faults(before: Stock, after: Stock, told: u64, unknown: u64) -> Vec<String> {
    let mut faults = Vec::new();
    for (stock, when) in [(before, "before"), (after, "afterwards")] {
        if !stock.is_whole() {
            faults.push(format!("the sale's counts are inconsistent {when}: {stock}"));
        }
    }
    let (taken, told) = (after.taken() - before.taken(), i128::from(told));
    if !(told..=told + i128::from(unknown)).contains(&taken) {
        faults.push(format!(
            "{told} buyers got a unit by their answers, {unknown} outcomes are unknown, and the sale counts {taken} \
             more units"
        ));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stock(available: u64, held: u64, confirmed: u64) -> Stock {
        Stock { total: 100, available, held, confirmed }
    }

    fn check(before: Stock, after: Stock, (told, unknown): (u64, u64), want: &[&str]) {
        let faults = faults(before, after, told, unknown);
        let fits = faults.len() == want.len() && faults.iter().zip(want).all(|(fault, want)| fault.contains(want));
        assert!(fits, "{faults:?} instead of {want:?}");
    }

    #[test]
    fn the_sale_counts_as_many_units_as_buyers_got() {
        check(stock(100, 0, 0), stock(90, 10, 0), (10, 0), &[]);
        check(stock(90, 5, 5), stock(80, 0, 20), (10, 0), &[]);
        check(stock(100, 0, 0), stock(91, 0, 9), (10, 0), &["the sale counts 9 more units"]);
        check(stock(100, 0, 0), stock(89, 0, 11), (10, 0), &["the sale counts 11 more units"]);
        check(stock(90, 0, 10), stock(100, 0, 0), (0, 0), &["the sale counts -10 more units"]);
    }

    #[test]
    fn a_request_without_an_answer_may_have_been_one_or_none() {
        for (taken, want) in [(9, 1), (10, 0), (11, 0), (12, 0), (13, 1)] {
            check(stock(100, 0, 0), stock(100 - taken, 0, taken), (10, 2), &["more units"][..want]);
        }
    }

    #[test]
    fn a_unit_that_is_nowhere_or_twice_is_a_fault_whatever_the_other_numbers_are() {
        check(stock(100, 0, 0), stock(89, 0, 10), (10, 0), &["inconsistent afterwards: 100 = 89 available"]);
        check(stock(100, 1, 0), stock(91, 0, 10), (9, 0), &["inconsistent before", "inconsistent afterwards"]);
        let wild = Stock { total: u64::MAX, available: u64::MAX, held: u64::MAX, confirmed: u64::MAX };
        check(wild, wild, (u64::MAX, u64::MAX), &["before", "afterwards", "the sale counts 0 more units"]);
    }
}
