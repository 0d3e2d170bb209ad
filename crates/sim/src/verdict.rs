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
    /// People who wanted one unit each.
    pub buyers: u64,
    /// The answers that they got.
    pub tally: Tally,
    /// From the first request to the last answer.
    pub took: Duration,
    /// What PostgreSQL has afterwards.
    pub orders: u64,
    /// Those among them whose buyer has another one.
    pub duplicates: u64,
    /// CPU time of each server, by its name.
    pub cpu: Vec<(&'static str, Duration)>,
}

/// Whether the strategy kept what it promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Exactly what there was was sold, once to each buyer, and PostgreSQL has it.
    Exact,
    /// The same, of a strategy that oversells wherever two buyers meet: this time none did.
    Lucky,
    /// Not so, and it is not expected of this strategy.
    AsExpected,
    /// Not so, and it should have been.
    Broken,
}

impl Verdict {
    /// In a word or two.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Lucky => "exact, by luck",
            Self::AsExpected => "wrong, as expected",
            Self::Broken => "BROKEN",
        }
    }

    /// Whether every unit was sold once.
    #[must_use]
    pub const fn is_exact(self) -> bool {
        matches!(self, Self::Exact | Self::Lucky)
    }
}

impl Outcome {
    /// Units that were sold beyond those that there were: whether as a row, or only by a word to a buyer.
    #[must_use]
    pub fn oversold(&self) -> u64 {
        self.orders.max(self.tally.sold).saturating_sub(self.units)
    }

    /// Units that are left although somebody wanted them.
    #[must_use]
    pub fn undersold(&self) -> u64 {
        self.units.min(self.buyers).saturating_sub(self.orders)
    }

    /// Requests a second, from the first to the last answer.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "requests are far below 2^52")]
    pub fn requests_per_s(&self) -> f64 {
        self.tally.requests as f64 / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// What is to be thought of it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        // After an error it is unknown whether there is an order.
        let told = self.tally.sold..=self.tally.sold + self.tally.errors;
        let is_consistent = self.tally.contradicted == 0 && told.contains(&self.orders);
        let is_right = self.oversold() == 0 && self.duplicates == 0 && is_consistent;
        match (is_right, self.undersold() == 0) {
            (true, true) if self.strategy.oversells() => Verdict::Lucky,
            (true, true) => Verdict::Exact,
            (true, false) if self.strategy.gives_up() => Verdict::AsExpected,
            _ if self.strategy.oversells() => Verdict::AsExpected,
            _ => Verdict::Broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Live;

    /// Ten units and a hundred buyers, some of whom got one.
    fn check(strategy: Strategy, [sold, errors, orders, duplicates]: [u64; 4], want: (u64, u64, Verdict)) {
        let tally = Tally { sold, errors, ..Live::new().unwrap().look() };
        let (units, buyers, took, cpu) = (10, 100, Duration::from_secs(1), Vec::new());
        let outcome = Outcome { strategy, units, buyers, tally, took, orders, duplicates, cpu };
        assert_eq!((outcome.oversold(), outcome.undersold(), outcome.verdict()), want, "{outcome:?}");
    }

    #[test]
    fn naive_may_oversell_and_no_other_may() {
        check(Strategy::Naive, [30, 0, 30, 0], (20, 0, Verdict::AsExpected));
        check(Strategy::Naive, [10, 0, 10, 2], (0, 0, Verdict::AsExpected));
        check(Strategy::Naive, [10, 0, 10, 0], (0, 0, Verdict::Lucky));
        for strategy in Strategy::ALL.into_iter().filter(|strategy| *strategy != Strategy::Naive) {
            check(strategy, [10, 0, 10, 0], (0, 0, Verdict::Exact));
            check(strategy, [11, 0, 11, 0], (1, 0, Verdict::Broken));
        }
    }

    #[test]
    fn what_was_promised_must_be_in_postgresql_once() {
        check(Strategy::Flash, [11, 0, 10, 0], (1, 0, Verdict::Broken));
        check(Strategy::Flash, [10, 0, 9, 0], (0, 1, Verdict::Broken));
        check(Strategy::Flash, [10, 0, 10, 1], (0, 0, Verdict::Broken));
        check(Strategy::Lua, [9, 0, 10, 0], (0, 0, Verdict::Broken));
        check(Strategy::Lua, [9, 1, 10, 0], (0, 0, Verdict::Exact));
    }

    #[test]
    fn no_buyer_gets_two_answers() {
        let tally = Tally { sold: 10, contradicted: 1, ..Live::new().unwrap().look() };
        let (strategy, took, cpu) = (Strategy::Flash, Duration::from_secs(1), Vec::new());
        let outcome = Outcome { strategy, units: 10, buyers: 100, tally, took, orders: 10, duplicates: 0, cpu };
        assert_eq!(outcome.verdict(), Verdict::Broken);
    }

    #[test]
    fn who_gives_up_may_leave_units() {
        check(Strategy::Optimistic, [8, 20, 8, 0], (0, 2, Verdict::AsExpected));
        check(Strategy::RedisLock, [8, 20, 8, 0], (0, 2, Verdict::AsExpected));
        check(Strategy::Optimistic, [9, 0, 8, 0], (0, 2, Verdict::Broken));
        check(Strategy::AtomicDecrement, [8, 0, 8, 0], (0, 2, Verdict::Broken));
    }
}
