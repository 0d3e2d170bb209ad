//! Which trace the events belong to that wait to be published. The journal has no room for it, so this is best effort:
//! it is lost with the process, and known to the gateway alone that took the request, whose relay may not be the one
//! that sends.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use flash_wire::TraceParent;

use crate::limits::TRACES_MAX;

/// The traces, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    /// How many there are, so that an empty list costs no lock.
    count: AtomicUsize,
    waiting: Mutex<VecDeque<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    sale: String,
    what: Traced,
    trace: TraceParent,
}

/// An event that belongs to a trace, as Redis answered it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Traced {
    /// It made this reservation, whose id is its seq.
    Made(u64),
    /// It ended the hold of this reservation. Its seq is not answered.
    Ended(u64),
}

impl Traces {
    /// An event belongs to a trace. Where there are too many, the oldest is forgotten.
    pub(crate) fn note(&self, sale: &str, what: Traced, trace: TraceParent) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= TRACES_MAX {
            waiting.pop_front();
        }
        waiting.push_back(Waiting { sale: sale.to_owned(), what, trace });
        self.count.store(waiting.len(), Ordering::Relaxed);
    }

    /// The events are published now: the trace of the first of them that has one. A message has room for one. `ends`
    /// are the reservations whose holds they end, each with the seq of the event that does.
    pub(crate) fn take(
        &self,
        sale: &str,
        seqs: &RangeInclusive<u64>,
        ends: &BTreeMap<u64, u64>,
    ) -> Option<TraceParent> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut first: Option<(u64, TraceParent)> = None;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|one| {
            let published = match one.what {
                _ if one.sale != sale => None,
                Traced::Made(seq) => Some(seq).filter(|seq| seqs.contains(seq)),
                Traced::Ended(id) => ends.get(&id).copied(),
            };
            let Some(seq) = published else { return true };
            if first.is_none_or(|(earlier, _)| seq < earlier) {
                first = Some((seq, one.trace));
            }
            false
        });
        self.count.store(waiting.len(), Ordering::Relaxed);
        first.map(|(_, trace)| trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(number: u64) -> TraceParent {
        TraceParent::parse(format!("00-{:032x}-00f067aa0ba902b7-01", number + 1).as_bytes()).unwrap()
    }

    #[test]
    fn a_message_gets_the_first_trace_of_its_events_and_each_is_taken_once() {
        let traces = Traces::default();
        let take = |sale, seqs| traces.take(sale, &seqs, &BTreeMap::new());
        assert_eq!(take("drop", 1..=9), None);
        for (sale, seq) in [("drop", 5), ("other", 4), ("drop", 3), ("drop", 10)] {
            traces.note(sale, Traced::Made(seq), trace(seq));
        }
        assert_eq!(take("drop", 1..=2), None);
        assert_eq!(take("drop", 1..=9), Some(trace(3)));
        assert_eq!(take("drop", 1..=9), None);
        assert_eq!(take("drop", 10..=10), Some(trace(10)));
        assert_eq!(take("other", 4..=4), Some(trace(4)));
        assert_eq!(traces.count.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn the_end_of_a_hold_has_a_trace_of_its_own() {
        let traces = Traces::default();
        let take = |seqs, ends: &[(u64, u64)]| traces.take("drop", &seqs, &ends.iter().copied().collect());
        traces.note("drop", Traced::Ended(2), trace(2));
        traces.note("other", Traced::Ended(3), trace(3));
        traces.note("drop", Traced::Made(8), trace(8));
        assert_eq!(take(1..=6, &[(3, 5)]), None, "what made it is not what ended it, nor is another sale's");
        assert_eq!(take(7..=9, &[(2, 7)]), Some(trace(2)), "the end came first");
        assert_eq!(take(7..=9, &[(2, 7)]), None);
    }

    #[test]
    fn unused_traces_are_forgotten_oldest_first() {
        let traces = Traces::default();
        for seq in 0..=TRACES_MAX as u64 {
            traces.note("drop", Traced::Made(seq), trace(seq));
        }
        assert_eq!(traces.take("drop", &(0..=0), &BTreeMap::new()), None);
        assert_eq!(traces.take("drop", &(1..=1), &BTreeMap::new()), Some(trace(1)));
    }
}
