//! How much an answer promises to survive.

use std::fmt;
use std::str::FromStr;

/// Replicas that may be asked for.
pub const REPLICAS_MAX: u8 = 16;

/// What an answer promises beyond Redis's memory. Promises add up: `fsync, replicas=2` is both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Durability {
    /// What was done is on the disk of the Redis that did it.
    pub fsync: bool,
    /// What was done is in the memory of so many replicas.
    pub replicas: u8,
}

/// Words that name no durability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("durability is memory, fsync, replicas=n (1 to {REPLICAS_MAX}), or a list of these")]
pub struct DurabilityError;

impl Durability {
    /// No promise beyond Redis's memory.
    pub const MEMORY: Self = Self { fsync: false, replicas: 0 };

    /// Whether nothing is promised beyond Redis's memory.
    #[must_use]
    pub const fn is_memory(self) -> bool {
        !self.fsync && self.replicas == 0
    }

    /// What both promise together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { fsync: self.fsync || other.fsync, replicas: self.replicas.max(other.replicas) }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.fsync, self.replicas) {
            (false, 0) => f.write_str("memory"),
            (true, 0) => f.write_str("fsync"),
            (false, replicas) => write!(f, "replicas={replicas}"),
            (true, replicas) => write!(f, "fsync, replicas={replicas}"),
        }
    }
}

impl FromStr for Durability {
    type Err = DurabilityError;

    fn from_str(words: &str) -> Result<Self, DurabilityError> {
        words.split(',').try_fold(Self::MEMORY, |all, word| Ok(all.and(one(word.trim())?)))
    }
}

fn one(word: &str) -> Result<Durability, DurabilityError> {
    match word {
        "memory" => return Ok(Durability::MEMORY),
        "fsync" => return Ok(Durability { fsync: true, replicas: 0 }),
        _ => {}
    }
    let replicas = word.strip_prefix("replicas=").and_then(|count| count.parse().ok()).unwrap_or(0);
    if !(1..=REPLICAS_MAX).contains(&replicas) {
        return Err(DurabilityError);
    }
    Ok(Durability { fsync: false, replicas })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &str, want: Result<&str, DurabilityError>) {
        assert_eq!(words.parse::<Durability>().map(|level| level.to_string()), want.map(str::to_owned), "{words}");
    }

    #[test]
    fn promises_are_read_and_shown_and_add_up() {
        for word in ["memory", "fsync", "replicas=1", "replicas=16", "fsync, replicas=2"] {
            check(word, Ok(word));
        }
        check("replicas=2,fsync", Ok("fsync, replicas=2"));
        check("replicas=2, replicas=1, memory", Ok("replicas=2"));
    }

    #[test]
    fn what_is_no_promise_is_refused() {
        for words in
            ["", "Fsync", "fsync,", "disk", "replicas", "replicas=0", "replicas=17", "replicas=-1", "replicas=x"]
        {
            check(words, Err(DurabilityError));
        }
    }
}
