//! A table of ids that is bounded: where it is full, the id that came first goes.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Values by id.
#[derive(Debug)]
pub(crate) struct Table<V> {
    values: HashMap<Arc<str>, V>,
    /// The ids, in the order in which they came.
    order: VecDeque<Arc<str>>,
    ids_max: usize,
}

impl<V> Table<V> {
    pub(crate) fn new(ids_max: usize) -> Self {
        Self { values: HashMap::new(), order: VecDeque::new(), ids_max }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&V> {
        self.values.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut V> {
        self.values.get_mut(id)
    }

    /// Sets the value of an id. One that is there keeps its place in the order.
    pub(crate) fn insert(&mut self, id: &str, value: V) {
        if let Some(known) = self.values.get_mut(id) {
            *known = value;
            return;
        }
        if self.order.len() >= self.ids_max
            && let Some(first) = self.order.pop_front()
        {
            self.values.remove(&first);
        }
        let id: Arc<str> = id.into();
        self.order.push_back(id.clone());
        self.values.insert(id, value);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(inserted: &[(&str, u8)], want: &[(&str, Option<u8>)]) {
        let mut table = Table::new(2);
        for (id, value) in inserted {
            table.insert(id, *value);
            assert!(table.values.len() <= 2 && table.values.len() == table.order.len(), "{table:?}");
        }
        for (id, value) in want {
            assert_eq!(table.get(id), value.as_ref(), "{id} after {inserted:?}");
        }
    }

    #[test]
    fn a_full_table_forgets_what_came_first() {
        check(&[("a", 1), ("b", 2)], &[("a", Some(1)), ("b", Some(2)), ("c", None)]);
        check(&[("a", 1), ("b", 2), ("c", 3)], &[("a", None), ("b", Some(2)), ("c", Some(3))]);
        check(&[("a", 1), ("b", 2), ("a", 3)], &[("a", Some(3)), ("b", Some(2))]);
        check(&[("a", 1), ("b", 2), ("a", 3), ("c", 4)], &[("a", None), ("b", Some(2)), ("c", Some(4))]);
    }
}
