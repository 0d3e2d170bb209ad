//! What is to be thought of a run.

use std::time::Duration;

use crate::strategy::Strategy;
use crate::tally::Tally;

/// How selling by one strategy went.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Which.
    pub strategy: Strategy,
    /// What there was.
    pub units: u64,
    /// What the buyers were told.
    pub tally: Tally,
    /// From the first request to the last answer.
    pub took: Duration,
    /// What PostgreSQL has afterwards.
    pub orders: u64,
    /// Buyers who have more than one of them.
    pub duplicates: u64,
    /// CPU time of each server, by its name.
    pub cpu: Vec<(&'static str, Duration)>,
}

/// Whether the strategy kept what it promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Exactly what there was was sold, once to each buyer, and PostgreSQL has it.
    Exact,
    /// It did not, and nobody expects it of this strategy.
    AsExpected,
    /// It did not, and should have.
    Broken,
}

impl Verdict {
    /// In a word or two.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::AsExpected => "wrong, as expected",
            Self::Broken => "BROKEN",
        }
    }
}

impl Outcome {
    /// Units that were sold beyond those that there were: whether as a row, or only by a word to a buyer.
    #[must_use]
    pub fn oversold(&self) -> u64 {
        self.orders.max(self.tally.sold).saturating_sub(self.units)
    }

    /// Units that are left although buyers were sent away.
    #[must_use]
    pub fn undersold(&self) -> u64 {
        let wanted = self.units.min(self.tally.sold + self.tally.sold_out + self.tally.failed);
        wanted.saturating_sub(self.orders)
    }

    /// What is to be thought of it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let (oversold, undersold) = (self.oversold() > 0 || self.duplicates > 0, self.undersold() > 0);
        if !oversold && !undersold && self.orders == self.tally.sold {
            return Verdict::Exact;
        }
        let is_expected = (!oversold || self.strategy.may_oversell()) && (!undersold || self.strategy.may_undersell());
        if is_expected { Verdict::AsExpected } else { Verdict::Broken }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(strategy: Strategy, told: (u64, u64), orders: u64, duplicates: u64, want: (u64, u64, Verdict)) {
        let (sold, sold_out) = told;
        let tally = Tally { sold, sold_out, ..Tally::new().unwrap() };
        let outcome = Outcome { strategy, units: 10, tally, took: Duration::ZERO, orders, duplicates, cpu: Vec::new() };
        assert_eq!((outcome.oversold(), outcome.undersold(), outcome.verdict()), want, "{outcome:?}");
    }

    #[test]
    fn naive_may_fail_and_ours_may_not() {
        check(Strategy::Flash, (10, 90), 10, 0, (0, 0, Verdict::Exact));
        check(Strategy::Flash, (4, 0), 4, 0, (0, 0, Verdict::Exact));
        check(Strategy::Flash, (11, 90), 11, 0, (1, 0, Verdict::Broken));
        check(Strategy::Flash, (11, 90), 10, 0, (1, 0, Verdict::Broken));
        check(Strategy::Flash, (10, 90), 9, 0, (0, 1, Verdict::Broken));
        check(Strategy::Flash, (10, 90), 10, 1, (0, 0, Verdict::Broken));
        check(Strategy::Naive, (30, 70), 30, 0, (20, 0, Verdict::AsExpected));
        check(Strategy::Optimistic, (8, 92), 8, 0, (0, 2, Verdict::AsExpected));
        check(Strategy::Optimistic, (12, 88), 12, 0, (2, 0, Verdict::Broken));
        check(Strategy::AtomicDecrement, (8, 92), 8, 0, (0, 2, Verdict::Broken));
    }
}
