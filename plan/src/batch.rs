//! Which events of an epoch are applied now, and which wait for a gap to close.

/// An event that has its place in an epoch.
pub trait Numbered {
    /// Its seq.
    fn seq(&self) -> u64;
    /// Whether it is the one that begins the epoch.
    fn begins(&self) -> bool;
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
pub fn plan<E: Numbered>(head: u64, mut events: Vec<E>) -> Batch<E> {
    events.sort_by_key(Numbered::seq);
    let run: Vec<E> = Vec::with_capacity(events.len());
    let mut batch = Batch { head: start(head, &events), run, early: Vec::new(), passed: Vec::new() };
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

/// An epoch begins with its warming, and a later epoch's numbers do not begin at 1.
fn start<E: Numbered>(head: u64, events: &[E]) -> u64 {
    match (head, events.iter().find(|event| event.begins())) {
        (0, Some(first)) => first.seq().saturating_sub(1),
        _ => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Event {
        seq: u64,
        begins: bool,
    }

    impl Numbered for Event {
        fn seq(&self) -> u64 {
            self.seq
        }

        fn begins(&self) -> bool {
            self.begins
        }
    }

    fn check(head: u64, seqs: &[u64], warmed: Option<u64>, want: (u64, &[u64], &[u64])) {
        let events = seqs.iter().map(|&seq| Event { seq, begins: warmed == Some(seq) }).collect();
        let batch = plan(head, events);
        assert_eq!(batch.run.len() + batch.early.len() + batch.passed.len(), seqs.len(), "nothing is dropped");
        let seqs = |events: &[Event]| events.iter().map(|event| event.seq).collect::<Vec<_>>();
        assert_eq!((batch.head, seqs(&batch.run).as_slice(), seqs(&batch.early).as_slice()), want);
    }

    #[test]
    fn what_is_consecutive_runs_and_the_rest_waits() {
        check(0, &[1, 2, 3], None, (3, &[1, 2, 3], &[]));
        check(0, &[3, 1, 2, 2, 1], None, (3, &[1, 2, 3], &[]));
        check(2, &[1, 2, 3, 5, 6], None, (3, &[3], &[5, 6]));
        check(5, &[1, 5], None, (5, &[], &[]));
        check(0, &[], None, (0, &[], &[]));
    }

    #[test]
    fn an_epoch_begins_where_it_was_warmed() {
        check(0, &[7, 8], Some(7), (8, &[7, 8], &[]));
        check(0, &[5, 6, 8], Some(6), (6, &[6], &[8]));
        check(3, &[7, 8], Some(7), (3, &[], &[7, 8]));
    }

    #[test]
    fn what_is_far_ahead_waits_too() {
        check(1, &[2, 1_000_000, u64::MAX], None, (2, &[2], &[1_000_000, u64::MAX]));
    }
}
