//! A table that never holds more than it may: what was not asked for of late is forgotten.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// Two tables. What is used moves into the new one; once that is half of all, it becomes the old one, and what was left
/// there is gone. So nothing is searched for the oldest, and no list is kept in order.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    new: HashMap<K, V>,
    old: HashMap<K, V>,
    half_max: usize,
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// An empty table of at most `max`.
    pub(crate) fn new(max: usize) -> Self {
        Self { new: HashMap::new(), old: HashMap::new(), half_max: (max / 2).max(1) }
    }

    pub(crate) fn get<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(value) = self.new.get(key) {
            return Some(value.clone());
        }
        let (key, value) = self.old.remove_entry(key)?;
        self.insert(key, value.clone());
        Some(value)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.new.len() >= self.half_max && !self.new.contains_key(&key) {
            self.old = std::mem::take(&mut self.new);
        }
        self.new.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes_when_it_is_full() {
        let mut table = Recent::new(4);
        for key in 0..100 {
            table.insert(key, key * 10);
            assert_eq!(table.get(&0), Some(0), "it is asked for all the time");
            assert!(table.new.len() + table.old.len() <= 4, "{table:?}");
        }
        assert_eq!(table.get(&99), Some(990));
        assert_eq!(table.get(&1), None);
    }

    #[test]
    fn the_newest_value_of_a_key_counts() {
        let mut table = Recent::new(4);
        for (key, value) in [(1, "a"), (2, "b"), (3, "c"), (1, "d")] {
            table.insert(key, value);
        }
        assert_eq!(table.get(&1), Some("d"));
        for key in [4, 5] {
            table.insert(key, "e");
        }
        assert_ne!(table.get(&1), Some("a"));
    }
}
