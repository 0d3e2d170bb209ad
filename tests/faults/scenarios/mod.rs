//! The table of scenarios.

mod broker;
mod cuts;
mod postgres;
mod stops;

use anyhow::Result;

use crate::runner::Runner;

/// A kind of fault.
pub(crate) struct Scenario {
    /// Its number in docs/faults.md.
    pub(crate) number: &'static str,
    pub(crate) name: &'static str,
    /// Rounds in the CI, and at length.
    pub(crate) ci: u64,
    pub(crate) soak: u64,
    pub(crate) run: fn(&mut Runner) -> Result<()>,
}

/// All of them.
pub(crate) static SCENARIOS: &[Scenario] = &[
    Scenario { number: "5", name: "rabbitmq-killed", ci: 3, soak: 30, run: broker::killed },
    Scenario { number: "6", name: "postgres-trouble", ci: 10, soak: 100, run: postgres::trouble },
    Scenario { number: "7", name: "cut", ci: 300, soak: 3_000, run: cuts::run },
    Scenario { number: "9", name: "stopped", ci: 10, soak: 100, run: stops::run },
];
