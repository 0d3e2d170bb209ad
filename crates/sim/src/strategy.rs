//! The table of strategies.

/// A way to sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// Reads the stock in PostgreSQL, then writes it.
    Naive,
    /// The same with a version that must not have changed, and three tries more.
    Optimistic,
    /// `UPDATE … SET available = available - 1 WHERE available > 0`.
    AtomicDecrement,
    /// A row for each unit, and whichever of them is not locked.
    SkipLocked,
    /// A lock in Redis (`SET NX PX` with a token) around PostgreSQL.
    RedisLock,
    /// `DECR` in Redis, taken back where it went below zero or PostgreSQL failed.
    RedisDecr,
    /// A Lua script in Redis that checks, deduplicates and decrements; then PostgreSQL.
    Lua,
    /// FLASH.RESERVE; the order comes to PostgreSQL by the sale's journal.
    Flash,
}

impl Strategy {
    /// All of them, from the simplest to ours.
    pub const ALL: [Self; 8] = [
        Self::Naive,
        Self::Optimistic,
        Self::AtomicDecrement,
        Self::SkipLocked,
        Self::RedisLock,
        Self::RedisDecr,
        Self::Lua,
        Self::Flash,
    ];

    /// As people name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::Optimistic => "optimistic",
            Self::AtomicDecrement => "atomic-decrement",
            Self::SkipLocked => "skip-locked",
            Self::RedisLock => "redis-lock",
            Self::RedisDecr => "redis-decr",
            Self::Lua => "lua",
            Self::Flash => "flash",
        }
    }

    /// The one of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strategy| strategy.name() == name)
    }

    /// Whether it sells the same unit to two buyers who come at once: that is no surprise then.
    #[must_use]
    pub const fn oversells(self) -> bool {
        matches!(self, Self::Naive)
    }

    /// Whether it sends buyers away after some tries, though there may be units left.
    #[must_use]
    pub const fn gives_up(self) -> bool {
        matches!(self, Self::Optimistic | Self::RedisLock)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = Strategy::ALL.iter().map(|strategy| strategy.name()).collect();
        assert_eq!(names.len(), Strategy::ALL.len());
    }
}
