//! The table of scenarios.

mod broker;
mod clocks;
mod cuts;
mod disks;
mod elsewhere;
mod errors;
mod forged;
mod forms;
mod garbage;
mod incident;
mod kills;
mod late;
mod lost;
mod network;
mod older_base;
mod postgres;
mod random;
mod recoveries;
mod redis;
mod reloads;
mod restarts;
mod stops;
mod unread;

use anyhow::Result;

use crate::runner::Runner;

/// A kind of fault.
pub(crate) struct Scenario {
    /// Its number in docs/explanation/faults.md.
    pub(crate) number: &'static str,
    pub(crate) name: &'static str,
    /// Rounds in the CI, and at length.
    pub(crate) ci: u64,
    pub(crate) soak: u64,
    /// About how long a round takes: by this, scenarios share the time.
    pub(crate) round_ms: u64,
    pub(crate) run: fn(&mut Runner) -> Result<()>,
}

/// All of them.
pub(crate) static SCENARIOS: &[Scenario] = &[
    Scenario { number: "1", name: "killed-at-a-call", ci: 150, soak: 1_000, round_ms: 1_500, run: kills::run },
    Scenario { number: "2", name: "redis-killed", ci: 50, soak: 300, round_ms: 1_800, run: redis::killed },
    Scenario { number: "2", name: "redis-fenced", ci: 10, soak: 60, round_ms: 2_500, run: lost::whole },
    Scenario { number: "2", name: "redis-tail-lost", ci: 5, soak: 60, round_ms: 3_000, run: lost::tail },
    Scenario { number: "2", name: "redis-file-cut", ci: 3, soak: 30, round_ms: 3_500, run: lost::cut_short },
    Scenario { number: "2", name: "redis-flushed", ci: 3, soak: 30, round_ms: 4_000, run: lost::flushed },
    Scenario { number: "2", name: "redis-empty", ci: 3, soak: 30, round_ms: 4_000, run: lost::empty },
    // Each point of a recovery in its turn, by the seed.
    Scenario { number: "21", name: "recovery-stopped", ci: 30, soak: 500, round_ms: 6_500, run: recoveries::stopped },
    Scenario { number: "21", name: "lost-again", ci: 30, soak: 500, round_ms: 3_000, run: recoveries::lost_again },
    Scenario { number: "21", name: "older-dump", ci: 30, soak: 500, round_ms: 4_000, run: recoveries::older_dump },
    Scenario { number: "21", name: "lost-at-rest", ci: 30, soak: 500, round_ms: 6_000, run: recoveries::lost_at_rest },
    Scenario { number: "21", name: "late-delivery", ci: 30, soak: 500, round_ms: 6_000, run: late::run },
    Scenario { number: "21", name: "older-base", ci: 30, soak: 500, round_ms: 11_000, run: older_base::run },
    Scenario { number: "3", name: "aof-cut", ci: 0, soak: 20_000, round_ms: 8, run: elsewhere::aof_prefix },
    // Twenty commands each.
    Scenario { number: "4", name: "reloaded", ci: 10, soak: 250, round_ms: 1_500, run: reloads::reloaded },
    Scenario { number: "4", name: "defrag", ci: 0, soak: 20, round_ms: 5_000, run: elsewhere::defrag },
    Scenario { number: "5", name: "rabbitmq-killed", ci: 3, soak: 30, round_ms: 8_500, run: broker::killed },
    Scenario { number: "6", name: "postgres-trouble", ci: 10, soak: 100, round_ms: 2_200, run: postgres::trouble },
    Scenario { number: "6", name: "postgres-read-only", ci: 6, soak: 90, round_ms: 6_000, run: postgres::read_only },
    Scenario { number: "7", name: "cut", ci: 300, soak: 3_000, round_ms: 1_300, run: cuts::run },
    Scenario { number: "8", name: "blackhole", ci: 8, soak: 60, round_ms: 7_000, run: network::blackhole },
    Scenario { number: "8", name: "latency", ci: 8, soak: 60, round_ms: 6_000, run: network::latency },
    Scenario { number: "8", name: "slicer", ci: 8, soak: 60, round_ms: 4_000, run: network::slicer },
    Scenario { number: "8", name: "one-way", ci: 8, soak: 60, round_ms: 5_500, run: network::one_way },
    Scenario { number: "8", name: "swizzle", ci: 8, soak: 60, round_ms: 6_000, run: network::swizzle },
    Scenario { number: "9", name: "stopped", ci: 10, soak: 100, round_ms: 5_000, run: stops::run },
    Scenario { number: "10", name: "broker-alarms", ci: 2, soak: 20, round_ms: 6_000, run: broker::alarms },
    Scenario { number: "10", name: "queue-deleted", ci: 1, soak: 20, round_ms: 3_000, run: broker::queue_deleted },
    Scenario { number: "10", name: "publish-refused", ci: 1, soak: 20, round_ms: 4_000, run: broker::refused },
    Scenario { number: "10", name: "poison", ci: 1, soak: 20, round_ms: 3_000, run: broker::poison },
    Scenario { number: "11", name: "postgres-errors", ci: 7, soak: 140, round_ms: 4_500, run: errors::run },
    Scenario { number: "12", name: "disk-full", ci: 3, soak: 30, round_ms: 15_000, run: disks::full },
    Scenario { number: "13", name: "replica-promoted", ci: 1, soak: 20, round_ms: 5_000, run: lost::promoted },
    Scenario { number: "15", name: "memory-full", ci: 0, soak: 20, round_ms: 2_000, run: elsewhere::memory_full },
    Scenario { number: "16", name: "rolling-restart", ci: 1, soak: 10, round_ms: 5_000, run: restarts::rolling },
    Scenario {
        number: "17",
        name: "hostile-restore",
        ci: 0,
        soak: 1_000_000,
        round_ms: 1,
        run: elsewhere::hostile_restore,
    },
    // A thousand inputs each.
    Scenario { number: "18", name: "http-garbage", ci: 10, soak: 1_000, round_ms: 1_500, run: garbage::http },
    // Their clock steps back and forth.
    Scenario { number: "14, 19", name: "model", ci: 0, soak: 200_000, round_ms: 3, run: elsewhere::model },
    Scenario { number: "14", name: "clocks", ci: 15, soak: 300, round_ms: 4_000, run: clocks::run },
    Scenario { number: "22", name: "unread", ci: 2, soak: 30, round_ms: 18_000, run: unread::run },
    Scenario { number: "22", name: "form-times-data", ci: 3, soak: 60, round_ms: 6_000, run: forms::run },
    Scenario { number: "23", name: "forged", ci: 4, soak: 100, round_ms: 6_000, run: forged::run },
    // A minute each.
    Scenario { number: "20", name: "random", ci: 5, soak: 120, round_ms: 62_000, run: random::soak },
];
