//! What is known of one sale, as plain data.

use crate::expected::Expected;

/// What a FENCE of a recovery attempt has established: no command of an earlier attempt changes this value any more, and a
/// command of this attempt changes no other value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// The recovery attempt.
    pub term: u64,
    /// The value that the FENCE met in Redis.
    pub instance: u64,
}

/// A sale in Redis, as STATUS shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InRedis {
    /// Which life of the sale; 0: nothing but a fence (a shell).
    pub epoch: u64,
    /// The newest event's seq.
    pub seq: u64,
    /// PostgreSQL has said that it has everything up to here.
    pub acked: u64,
    /// Its value, and the newest attempt that has fenced it; term 0: none has.
    pub hold: Hold,
    /// Whether it decides nothing.
    pub is_fenced: bool,
    /// Whether its events come to PostgreSQL.
    pub has_journal: bool,
    /// What it has: reservations, units, and whether it is closed.
    pub state: Expected,
}

impl InRedis {
    /// Whether there is nothing but a fence.
    #[must_use]
    pub const fn is_shell(&self) -> bool {
        self.epoch == 0
    }
}

/// A sale in PostgreSQL, all of it as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InPostgres {
    /// The newest epoch.
    pub epoch: u64,
    /// How far that is written; none: nothing of it is.
    pub head: Option<u64>,
    /// The newest recovery attempt; 0: there was none.
    pub term: u64,
    /// Rejections of the newest epoch that Redis may still count as sold.
    pub has_rejections: bool,
    /// Rejections of earlier epochs that are not settled: events came from a life that is over.
    pub has_old_rejections: bool,
    /// How long ago the sale was created, seconds.
    pub age_s: u64,
    /// What it has: active orders, units, and whether it is closed.
    pub state: Expected,
}

/// One look at both, Redis first: what it has acknowledged by then, PostgreSQL has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// None: Redis does not have the sale.
    pub redis: Option<InRedis>,
    /// None: PostgreSQL does not know the sale.
    pub postgres: Option<InPostgres>,
}

/// Whether both sides have the same, whatever the order of their SKUs.
pub(crate) fn agree(one: &Expected, other: &Expected) -> bool {
    let has = |sku| other.skus.contains(sku);
    (one.content, one.is_closed, one.skus.len()) == (other.content, other.is_closed, other.skus.len())
        && one.skus.iter().all(has)
}
