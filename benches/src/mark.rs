//! What was wanted, and what was measured.

use std::fmt;

/// A figure beside its bound.
#[derive(Debug)]
pub struct Mark {
    what: String,
    measured: f64,
    wanted: f64,
    is_least: bool,
}

impl Mark {
    /// A figure that should be at least `wanted`.
    pub fn least(what: &str, measured: f64, wanted: f64) -> Self {
        Self { what: what.to_owned(), measured, wanted, is_least: true }
    }

    /// A figure that should be at most `wanted`.
    pub fn most(what: &str, measured: f64, wanted: f64) -> Self {
        Self { what: what.to_owned(), measured, wanted, is_least: false }
    }

    /// Whether it is.
    pub fn is_met(&self) -> bool {
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
