//! What was wanted, and what was measured.

use std::fmt;

#[derive(Debug)]
pub(crate) struct Mark {
    what: String,
    measured: f64,
    wanted: f64,
    is_least: bool,
}

impl Mark {
    pub(crate) fn least(what: &str, measured: f64, wanted: f64) -> Self {
        Self { what: what.to_owned(), measured, wanted, is_least: true }
    }

    pub(crate) fn most(what: &str, measured: f64, wanted: f64) -> Self {
        Self { what: what.to_owned(), measured, wanted, is_least: false }
    }

    pub(crate) fn is_met(&self) -> bool {
        if self.is_least { self.measured >= self.wanted } else { self.measured <= self.wanted }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bound, met) =
            (if self.is_least { "at least" } else { "at most" }, if self.is_met() { "met" } else { "missed" });
        write!(f, "| {} | {:.2} | {bound} {} | {met} |", self.what, self.measured, self.wanted)
    }
}
