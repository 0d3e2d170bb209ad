//! Which events of an epoch are applied now, and which wait for a gap to close.

/// An event that has its place in an epoch.
pub trait Numbered {
    /// Its seq.
    fn seq(&self) -> u64;
}

/// What to do with the events at hand.
#[derive(Debug)]
pub struct Batch<E> {
    /// The head once `run` is applied.
    pub head: u64,
    /// Consecutive events, the first right after the old head.
    pub run: Vec<E>,
    /// Events beyond a gap, by their seq. They are kept, however many they are.
    pub early: Vec<E>,
    /// Events of which the number is written, or is another's here.
    pub passed: Vec<E>,
}

/// Plans events that come in any order, any of them twice, for an epoch that is written up to `head`: each is in one
/// of the lists. Of two with one number, the first counts.
///
/// A first life begins with event 1. A seal gives every later one its head before Redis hears of it. So events of a
/// later life in an epoch without a head show that PostgreSQL has forgotten a seal: they wait, until a recovery has
/// brought back what else it has forgotten.
pub fn plan<E: Numbered>(head: u64, mut events: Vec<E>) -> Batch<E> {
    events.sort_by_key(Numbered::seq);
    let run: Vec<E> = Vec::with_capacity(events.len());
    let mut batch = Batch { head, run, early: Vec::new(), passed: Vec::new() };
    for event in events {
        let seq = event.seq();
        let is_kept = batch.early.last().is_some_and(|early| early.seq() == seq);
        if seq <= batch.head || is_kept {
            batch.passed.push(event);
        } else if seq == batch.head + 1 {
            batch.head = seq;
            batch.run.push(event);
        } else {
            batch.early.push(event);
        }
    }
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Event {
        seq: u64,
    }

    impl Numbered for Event {
        fn seq(&self) -> u64 {
            self.seq
        }
    }

    fn check(head: u64, seqs: &[u64], want: (u64, &[u64], &[u64])) {
        let events = seqs.iter().map(|&seq| Event { seq }).collect();
        let batch = plan(head, events);
        assert_eq!(batch.run.len() + batch.early.len() + batch.passed.len(), seqs.len(), "nothing is dropped");
        let seqs = |events: &[Event]| events.iter().map(|event| event.seq).collect::<Vec<_>>();
        assert_eq!((batch.head, seqs(&batch.run).as_slice(), seqs(&batch.early).as_slice()), want);
    }

    #[test]
    fn what_is_consecutive_runs_and_the_rest_waits() {
        check(0, &[1, 2, 3], (3, &[1, 2, 3], &[]));
        check(0, &[3, 1, 2, 2, 1], (3, &[1, 2, 3], &[]));
        check(2, &[1, 2, 3, 5, 6], (3, &[3], &[5, 6]));
        check(5, &[1, 5], (5, &[], &[]));
        check(0, &[], (0, &[], &[]));
    }

    #[test]
    fn a_later_life_without_a_head_waits() {
        check(0, &[7, 8], (0, &[], &[7, 8]));
        check(6, &[7, 8], (8, &[7, 8], &[]));
    }

    #[test]
    fn what_is_far_ahead_waits_too() {
        check(1, &[2, 1_000_000, u64::MAX], (2, &[2], &[1_000_000, u64::MAX]));
    }
}
