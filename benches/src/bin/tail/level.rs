//! The durability levels, how each loses its Redis, and what it may lose with it.

use std::time::Duration;

/// How long PostgreSQL is silent before the loss, where the plight is the worst.
pub(crate) const SILENT: Duration = Duration::from_millis(1_500);
/// How long the link to the replica holds back what it carries before the loss, at most. It is less than the 300 ms
/// that a gateway waits for a replica, so that an answer may still come.
pub(crate) const LAG_MS_MAX: u64 = 250;

/// What lies between an answer and the commit of its order, at most, while PostgreSQL keeps up. Usually a few
/// milliseconds: the relay lingers for 3, reads, and PostgreSQL commits. The rest is for a busy machine.
const RELAY_MS_MAX: u64 = 1_000;
/// How long a sync of the file takes, at most. While one is under way, `everysec` holds back in the memory of Redis
/// what is to be written, for up to two seconds, and still answers.
const SYNC_MS_MAX: u64 = 1_000;
/// `everysec` begins a sync once a second. What came after the beginning of the last one that ended is not on the disk.
const EVERYSEC_MS_MAX: u64 = 1_000 + SYNC_MS_MAX;
/// An answer that the replica has not may be as much older than the held-back link as its way takes.
const REPLICA_MS_MAX: u64 = LAG_MS_MAX + 250;

/// How Redis is lost. It comes back by itself each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// SIGKILL, and it has no file.
    Emptied,
    /// SIGKILL. The kernel keeps what was written to the file.
    Killed,
    /// SIGKILL, and the file ends where it was synced last, as after a loss of power.
    PowerCut,
    /// SIGKILL of the primary, whose last bytes the replica never got; the replica is promoted.
    Promoted,
}

impl Loss {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Emptied => "SIGKILL, comes back empty",
            Self::Killed => "SIGKILL",
            Self::PowerCut => "power: SIGKILL, file cut to its last sync",
            Self::Promoted => "primary gone, replica promoted",
        }
    }
}

/// What else is in trouble when Redis is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plight {
    /// Nothing: PostgreSQL has each order within milliseconds.
    Alone,
    /// PostgreSQL is silent for [`SILENT`] before, and the gateway is killed too, with all that it has read.
    Worst,
}

impl Plight {
    pub(crate) const BOTH: [Self; 2] = [Self::Alone, Self::Worst];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Alone => "nothing else",
            Self::Worst => "PostgreSQL silent, gateway killed",
        }
    }
}

/// One durability level, and its loss.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level {
    /// What chooses it on the command line.
    pub(crate) name: &'static str,
    /// What each request asks for: `Flash-Durability`.
    pub(crate) durability: &'static str,
    /// The setting of Redis' file, as the report shows it.
    pub(crate) file: &'static str,
    /// The value of `appendfsync`; none: there is no file.
    pub(crate) appendfsync: Option<&'static str>,
    pub(crate) loss: Loss,
    /// How old an answer may be that the surviving Redis does not have; none: however old.
    copy_ms_max: Option<u64>,
}

impl Level {
    /// How old an acknowledged reservation may be that is missing in the end; none: nothing may be missing. It is
    /// missing only if neither the surviving Redis nor PostgreSQL has it, so that the smaller of both ages counts.
    pub(crate) fn oldest_missing_max(self, plight: Plight) -> Option<Duration> {
        let silent = if plight == Plight::Worst { SILENT } else { Duration::ZERO };
        let vault = silent + Duration::from_millis(RELAY_MS_MAX);
        let bound = self.copy_ms_max.map_or(vault, |copy_ms| vault.min(Duration::from_millis(copy_ms)));
        (!bound.is_zero()).then_some(bound)
    }

    /// All of them. `fsync` on `everysec` is refused, so that nothing is acknowledged.
    pub(crate) const ALL: [Self; 8] = [
        Self::of("memory", "memory", None, Loss::Emptied, None),
        Self::of("everysec-power", "memory", Some("everysec"), Loss::PowerCut, Some(EVERYSEC_MS_MAX)),
        Self::of("everysec-killed", "memory", Some("everysec"), Loss::Killed, Some(SYNC_MS_MAX)),
        Self::of("always", "memory", Some("always"), Loss::PowerCut, Some(0)),
        Self::of("fsync", "fsync", Some("always"), Loss::PowerCut, Some(0)),
        Self::of("fsync-everysec", "fsync", Some("everysec"), Loss::Killed, Some(0)),
        Self::of("replica", "memory", Some("everysec"), Loss::Promoted, Some(REPLICA_MS_MAX)),
        Self::of("replicas=1", "replicas=1", Some("everysec"), Loss::Promoted, Some(0)),
    ];

    const fn of(
        name: &'static str,
        durability: &'static str,
        appendfsync: Option<&'static str>,
        loss: Loss,
        copy_ms_max: Option<u64>,
    ) -> Self {
        let file = match appendfsync {
            Some(appendfsync) => appendfsync,
            None => "none",
        };
        Self { name, durability, file, appendfsync, loss, copy_ms_max }
    }
}
