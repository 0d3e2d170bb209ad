//! What PostgreSQL says of an id that Redis does not have, and how gateways tell each other.

use std::hash::{DefaultHasher, Hash, Hasher};

use flash_client::LOOKUP_BUCKETS;
use flash_vault::SaleFacts;

/// What there is by an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No sale.
    Nothing,
    /// A sale that is over for long. It is not brought back.
    Over,
    /// A sale that Redis has forgotten. It is to be brought back.
    Forgotten,
}

impl Verdict {
    const WORDS: [(Self, &str); 3] = [(Self::Nothing, "nothing"), (Self::Over, "over"), (Self::Forgotten, "forgotten")];

    pub(crate) fn of(facts: Option<&SaleFacts>) -> Self {
        match facts {
            None => Self::Nothing,
            Some(facts) if facts.is_over => Self::Over,
            Some(_) => Self::Forgotten,
        }
    }

    /// As another gateway reads it. An id has no blanks.
    pub(crate) fn write(self, sale: &str) -> String {
        let word = Self::WORDS.iter().find(|(verdict, _)| *verdict == self).map_or("", |(_, word)| *word);
        format!("{sale} {word}")
    }

    /// What another gateway wrote, if it is about this id.
    pub(crate) fn read(seen: &str, sale: &str) -> Option<Self> {
        let (_, said) = seen.split_once(' ').filter(|(id, _)| *id == sale)?;
        Self::WORDS.iter().find(|(_, word)| *word == said).map(|(verdict, _)| *verdict)
    }
}

/// In which bucket an id is looked up. (Gateways that were built with different hashes do not hear of each other, and
/// ask once each.)
pub(crate) fn bucket(sale: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    sale.hash(&mut hasher);
    hasher.finish() % LOOKUP_BUCKETS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_gateway_writes_another_one_reads() {
        for (verdict, _) in Verdict::WORDS {
            assert_eq!(Verdict::read(&verdict.write("drop"), "drop"), Some(verdict));
            assert_eq!(Verdict::read(&verdict.write("drop"), "other"), None);
        }
        for seen in ["", "drop", "drop ", "drop what", "dropnothing"] {
            assert_eq!(Verdict::read(seen, "drop"), None, "{seen:?}");
        }
    }

    #[test]
    fn an_id_has_one_bucket_of_a_fixed_number() {
        assert_eq!(bucket("drop"), bucket("drop"));
        assert!((0..1_000).all(|id| bucket(&id.to_string()) < LOOKUP_BUCKETS));
    }
}
