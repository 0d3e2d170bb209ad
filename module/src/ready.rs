//! The sales of this server that may need a relay: those with events in their journal, or with holds. It is a hint, not
//! a truth: a name that is not (or no longer) such a sale is dropped when its turn comes.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Names looked at in one READY: enough to find those that need a relay among thousands that wait for holds to fall
/// due, few enough for a fraction of a millisecond.
const SCANNED_SALES_MAX: usize = 1_000;

static LIST: Mutex<Option<List>> = Mutex::new(None);

#[derive(Default)]
struct List {
    queue: VecDeque<Name>,
    names: HashSet<Name>,
}

type Name = (i32, Box<[u8]>);

/// What is to become of a name that was looked at.
pub(crate) enum Verdict {
    /// It may need a relay again.
    Keep,
    /// There is nothing to do for it.
    Drop,
}

/// Takes the key `name` of database `db` into the list.
pub(crate) fn list(db: i32, name: &[u8]) {
    with_list(|list| {
        let name: Name = (db, name.into());
        if list.names.insert(name.clone()) {
            list.queue.push_back(name);
        }
    });
}

/// Looks at names of database `db` in turn until `look` has said yes `count` times, or enough were looked at.
pub(crate) fn scan(db: i32, count: usize, mut look: impl FnMut(&[u8]) -> (bool, Verdict)) {
    let mut found = 0;
    let names = with_list(|list| list.queue.len());
    for _ in 0..names.min(SCANNED_SALES_MAX) {
        let Some(name) = with_list(|list| list.queue.pop_front()) else { return };
        let (is_ready, verdict) = if name.0 == db { look(&name.1) } else { (false, Verdict::Keep) };
        with_list(|list| match verdict {
            Verdict::Keep => list.queue.push_back(name),
            Verdict::Drop => drop(list.names.remove(&name)),
        });
        found += usize::from(is_ready);
        if found == count {
            return;
        }
    }
}

/// Two databases have changed places, and so have the keys in them.
pub(crate) fn swap_dbs(first: i32, second: i32) {
    with_list(|list| {
        for (db, _) in &mut list.queue {
            *db = match *db {
                db if db == first => second,
                db if db == second => first,
                db => db,
            };
        }
        list.names = list.queue.iter().cloned().collect();
    });
}

fn with_list<T>(f: impl FnOnce(&mut List) -> T) -> T {
    let mut list = LIST.lock().unwrap_or_else(PoisonError::into_inner);
    f(list.get_or_insert_default())
}
