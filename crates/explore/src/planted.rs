//! Old decisions, planted again: each history that once broke a promise, with the mechanisms taken away that prevent
//! it. The simulator must find every one of them.

use std::ops::RangeInclusive;

use crate::rules::Rules;
use crate::step::Fault::{self, Backup, Dump, Failover, LoseRedis, Persist, Rename, Restart, Restore};
use crate::witness::Broken;

/// A bug by the name of its history.
#[derive(Debug, Clone)]
pub struct Planted {
    /// The history's name.
    pub name: &'static str,
    /// What happens.
    pub what: &'static str,
    /// The promise that it breaks.
    pub breaks: Broken,
    /// The protocol without what prevents it.
    pub rules: Rules,
    /// The faults that lead to it; none: any may.
    pub faults: &'static [Fault],
    /// Where it is found.
    pub found: Found,
}

/// The histories among which one breaks the promise.
#[derive(Debug, Clone)]
pub enum Found {
    /// The schedules of these seeds.
    Seeds(RangeInclusive<u64>),
    /// All small histories of the quarantine: too many things must come in one order for a random schedule.
    Replays,
}

use Found::{Replays, Seeds};

const ALL: Rules = Rules::ALL;

/// All of them.
pub const PLANTED: [Planted; 16] = [
    Planted {
        name: "R1",
        what: "a recovery that stalled brings a difference of totals to a life that has it already",
        breaks: Broken::Total,
        rules: Rules { terms: false, absolute: false, fenced_is_silent: false, expected: false, ..ALL },
        faults: &[],
        found: Seeds(1..=400),
    },
    Planted {
        name: "R2",
        what: "a sale that is rebuilt by half is taken for whole",
        breaks: Broken::OpenedUnequal,
        rules: Rules { epochs_once: false, expected: false, ..ALL },
        faults: &[LoseRedis],
        found: Seeds(1..=30_000),
    },
    Planted {
        name: "R3",
        what: "one epoch is begun twice",
        breaks: Broken::OpenedUnequal,
        rules: Rules { epochs_once: false, ..ALL },
        faults: &[Persist, Persist, Persist, Restart],
        found: Seeds(1..=2_000),
    },
    Planted {
        name: "R4",
        what: "an operator's change of a fenced sale is answered and undone",
        breaks: Broken::OperatorUndone,
        rules: Rules { fenced_is_silent: false, ..ALL },
        faults: &[],
        found: Seeds(1..=400),
    },
    Planted {
        name: "R5",
        what: "a sale opens that lost a part of its rebuilding",
        breaks: Broken::OpenedUnequal,
        rules: Rules { expected: false, instances: false, ..ALL },
        faults: &[Dump, Dump, Restore(0), Restore(1), Restore(2)],
        found: Seeds(1..=4_000),
    },
    Planted {
        name: "R6",
        what: "a sale is open in an epoch that is sealed, and no one minds",
        breaks: Broken::OpenInOldEpoch,
        rules: Rules { terms: false, ..ALL },
        faults: &[],
        found: Seeds(1..=400),
    },
    Planted {
        name: "R7",
        what: "a sale that was warmed by hand after a loss is not noticed",
        breaks: Broken::Drift,
        rules: Rules { forgetful_fences: false, content_doubts: false, ..ALL },
        faults: &[],
        found: Seeds(1..=1_000),
    },
    Planted {
        name: "P1",
        what: "events far beyond a gap are acknowledged and dropped",
        breaks: Broken::AcknowledgedWithoutCommit,
        rules: Rules { early_unbounded: false, ..ALL },
        faults: &[],
        found: Seeds(1..=400),
    },
    Planted {
        name: "P5",
        what: "a barrier of an earlier incident counts for a later one",
        breaks: Broken::Rejected,
        rules: Rules { barrier_per_incident: false, ..ALL },
        faults: &[Persist, Restart],
        found: Seeds(1..=4_000),
    },
    Planted {
        name: "P6",
        what: "a replay writes what Redis said before the lock",
        breaks: Broken::Lost,
        rules: Rules { replay_locks: false, ..ALL },
        faults: &[],
        found: Replays,
    },
    Planted {
        name: "P8",
        what: "a replay writes what a seal has counted as lost",
        breaks: Broken::Drift,
        rules: Rules { replay_sees_gaps: false, content_doubts: false, ..ALL },
        faults: &[],
        found: Replays,
    },
    Planted {
        name: "F1",
        what: "PostgreSQL takes over a life that never opened",
        breaks: Broken::Lost,
        rules: Rules { restore_from_whole: false, ..ALL },
        faults: &[Backup, LoseRedis, Failover(0), Failover(1)],
        found: Seeds(1..=8_000),
    },
    Planted {
        name: "F2",
        what: "terms repeat after PostgreSQL went back to an older state",
        breaks: Broken::NotHealed,
        rules: Rules { terms_above_redis: false, ..ALL },
        faults: &[Backup, LoseRedis, Failover(0), Failover(1)],
        found: Seeds(1..=8_000),
    },
    Planted {
        name: "F2b",
        what: "terms repeat where Redis lost the sale and PostgreSQL went back as well",
        breaks: Broken::OpenInOldEpoch,
        rules: Rules { terms_unique: false, ..ALL },
        faults: &[Backup, Rename, LoseRedis, Failover(0), Failover(1)],
        found: Seeds(1..=400),
    },
    Planted {
        name: "F3",
        what: "late events of restored orders are rejected",
        breaks: Broken::OrderAndRejection,
        rules: Rules { late_sees_orders: false, ..ALL },
        faults: &[],
        found: Seeds(1..=1_000),
    },
    Planted {
        name: "F4",
        what: "a life gets the number of one that both servers have forgotten",
        breaks: Broken::Lost,
        rules: Rules { epochs_unique: false, ..ALL },
        faults: &[Backup, LoseRedis, Failover(0), Failover(1)],
        found: Seeds(31_514..=31_514),
    },
];
