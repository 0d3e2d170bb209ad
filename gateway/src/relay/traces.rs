//! Which trace the events belong to that wait to be published. The journal has no room for it, so this is best effort: it is
//! lost with the process, and known to the gateway alone that took the request, whose relay may not be the one that sends.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use flash_wire::TraceParent;

use super::limits::TRACES_MAX;

/// The traces, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    /// How many there are, so that nobody takes the lock for none.
    count: AtomicUsize,
    waiting: Mutex<VecDeque<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    sale: String,
    seq: u64,
    trace: TraceParent,
}

impl Traces {
    /// An event belongs to a trace. Where there are too many, the oldest is forgotten.
    pub(crate) fn note(&self, sale: &str, seq: u64, trace: TraceParent) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= TRACES_MAX {
            waiting.pop_front();
        }
        waiting.push_back(Waiting { sale: sale.to_owned(), seq, trace });
        self.count.store(waiting.len(), Ordering::Relaxed);
    }

    /// The events are published now: the trace of the first of them that has one. A message has room for one.
    pub(crate) fn take(&self, sale: &str, seqs: &RangeInclusive<u64>) -> Option<TraceParent> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut first: Option<(u64, TraceParent)> = None;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|one| {
            let is_published = one.sale == sale && seqs.contains(&one.seq);
            if is_published && first.is_none_or(|(seq, _)| one.seq < seq) {
                first = Some((one.seq, one.trace));
            }
            !is_published
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
        assert_eq!(traces.take("drop", &(1..=9)), None);
        for (sale, seq) in [("drop", 5), ("other", 4), ("drop", 3), ("drop", 10)] {
            traces.note(sale, seq, trace(seq));
        }
        assert_eq!(traces.take("drop", &(1..=2)), None);
        assert_eq!(traces.take("drop", &(1..=9)), Some(trace(3)));
        assert_eq!(traces.take("drop", &(1..=9)), None);
        assert_eq!(traces.take("drop", &(10..=10)), Some(trace(10)));
        assert_eq!(traces.take("other", &(4..=4)), Some(trace(4)));
        assert_eq!(traces.count.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_nobody_takes_is_forgotten_the_oldest_first() {
        let traces = Traces::default();
        for seq in 0..=TRACES_MAX as u64 {
            traces.note("drop", seq, trace(seq));
        }
        assert_eq!(traces.take("drop", &(0..=0)), None);
        assert_eq!(traces.take("drop", &(1..=1)), Some(trace(1)));
    }
}
