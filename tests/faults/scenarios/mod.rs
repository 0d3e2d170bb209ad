//! The table of scenarios.

mod broker;
mod cuts;
mod errors;
mod kills;
mod network;
mod postgres;
mod redis;
mod restarts;
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
    Scenario { number: "1", name: "killed-at-a-call", ci: 150, soak: 1_000, run: kills::run },
    Scenario { number: "2", name: "redis-killed", ci: 50, soak: 300, run: redis::killed },
    Scenario { number: "5", name: "rabbitmq-killed", ci: 3, soak: 30, run: broker::killed },
    Scenario { number: "6", name: "postgres-trouble", ci: 10, soak: 100, run: postgres::trouble },
    Scenario { number: "7", name: "cut", ci: 300, soak: 3_000, run: cuts::run },
    Scenario { number: "8", name: "blackhole", ci: 8, soak: 60, run: network::blackhole },
    Scenario { number: "8", name: "latency", ci: 8, soak: 60, run: network::latency },
    Scenario { number: "8", name: "slicer", ci: 8, soak: 60, run: network::slicer },
    Scenario { number: "8", name: "one-way", ci: 8, soak: 60, run: network::one_way },
    Scenario { number: "8", name: "swizzle", ci: 8, soak: 60, run: network::swizzle },
    Scenario { number: "9", name: "stopped", ci: 10, soak: 100, run: stops::run },
    Scenario { number: "11", name: "postgres-errors", ci: 7, soak: 140, run: errors::run },
    Scenario { number: "16", name: "rolling-restart", ci: 1, soak: 10, run: restarts::rolling },
];
