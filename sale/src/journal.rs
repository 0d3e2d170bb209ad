//! The journal: a sale's unacknowledged events, as bytes, in the order of their seq.

use std::collections::VecDeque;

use crate::limits::DATA_BYTES_MAX;
use crate::memory::{Mover, PIECES_PER_STEP, allocated};

/// Events lie in segments of this size: large enough that they are few, small enough to give memory back soon.
const SEGMENT_BYTES: usize = 16 * 1024;
/// Each event has its length before it.
const LENGTH_BYTES: usize = 2;
/// No event is longer than its length's two bytes can say: the longest carry data, or the terms of 64 SKUs.
const _: () = assert!(DATA_BYTES_MAX + 2_048 <= u16::MAX as usize);

/// Segments that one ack or append gives back, so that an ack of a whole sale stalls nobody: 16 MiB. What is left goes
/// with the next ones.
const SEGMENTS_DROPPED_MAX: usize = 1_024;

/// Holds the events `acked + 1 ..= acked + len`.
#[derive(Debug)]
pub(crate) struct Journal {
    events_max: u64,
    acked: u64,
    segments: VecDeque<Segment>,
    /// What the segments' bytes take.
    segment_bytes: usize,
}

#[derive(Debug)]
struct Segment {
    first_seq: u64,
    events: u64,
    bytes: Vec<u8>,
    /// Where the first unacknowledged event begins.
    start: usize,
}

impl Journal {
    /// An empty journal behind the event `acked`.
    pub(crate) const fn new(events_max: u64, acked: u64) -> Self {
        Self { events_max, acked, segments: VecDeque::new(), segment_bytes: 0 }
    }

    /// PostgreSQL has every event up to here.
    pub(crate) const fn acked(&self) -> u64 {
        self.acked
    }

    pub(crate) fn len(&self) -> u64 {
        self.segments.back().map_or(0, |newest| newest.first_seq + newest.events - 1 - self.acked)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= self.events_max
    }

    /// Takes the event `seq`, which follows the newest.
    pub(crate) fn append(&mut self, seq: u64, bytes: &[u8]) {
        let segment = self.segment_for(seq, LENGTH_BYTES + bytes.len());
        let length = u16::try_from(bytes.len()).expect("an event is shorter than 64 KiB");
        let before = segment.memory_bytes();
        segment.bytes.extend_from_slice(&length.to_le_bytes());
        segment.bytes.extend_from_slice(bytes);
        segment.events += 1;
        let grown = segment.memory_bytes() - before;
        self.segment_bytes += grown;
    }

    /// The events behind `after`, as bytes.
    pub(crate) fn after(&self, after: u64) -> impl Iterator<Item = &[u8]> {
        let after = after.max(self.acked);
        let first = self.segments.partition_point(|segment| segment.first_seq + segment.events <= after + 1);
        let segments = self.segments.range(first..);
        segments.flat_map(move |segment| segment.events().filter(move |(seq, _)| *seq > after).map(|(_, bytes)| bytes))
    }

    /// Drops every event up to `seq`.
    pub(crate) fn ack(&mut self, seq: u64) {
        self.acked = self.acked.max(seq);
        self.give_back();
    }

    /// What the journal takes from the allocator.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.segment_bytes + allocated(self.segments.capacity() * size_of::<Segment>())
    }

    pub(crate) fn allocations(&self) -> usize {
        self.segments.len()
    }

    /// Moves some segments, from the one that holds the seq `from` on; gives the next one's first seq, if there is one.
    pub(crate) fn defrag(&mut self, from: u64, mover: &mut impl Mover) -> Option<u64> {
        let first = self.segments.partition_point(|segment| segment.first_seq + segment.events <= from);
        let mut segments = self.segments.range_mut(first..);
        segments.by_ref().take(PIECES_PER_STEP).for_each(|segment| {
            segment.bytes = mover.moved(std::mem::take(&mut segment.bytes));
        });
        segments.next().map(|segment| segment.first_seq)
    }

    /// Gives the memory of acknowledged events back.
    fn give_back(&mut self) {
        for _ in 0..SEGMENTS_DROPPED_MAX {
            let Some(oldest) = self.segments.front_mut() else { return };
            if oldest.first_seq + oldest.events > self.acked + 1 {
                return oldest.drop_until(self.acked);
            }
            self.segment_bytes -= oldest.memory_bytes();
            self.segments.pop_front();
        }
    }

    fn segment_for(&mut self, seq: u64, bytes: usize) -> &mut Segment {
        let room = self.segments.back().is_some_and(|newest| newest.bytes.len() + bytes <= SEGMENT_BYTES);
        if !room {
            self.give_back();
            // The first segment grows as it must, for most sales are small; the ones behind it will be filled.
            let capacity = if self.segments.is_empty() { 0 } else { SEGMENT_BYTES };
            let segment = Segment { first_seq: seq, events: 0, bytes: Vec::with_capacity(capacity), start: 0 };
            self.segment_bytes += segment.memory_bytes();
            self.segments.push_back(segment);
        }
        self.segments.back_mut().expect("pushed above, if it was not there")
    }
}

impl Segment {
    fn events(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let mut left = &self.bytes[self.start..];
        let bytes = std::iter::from_fn(move || {
            let (length, rest) = left.split_first_chunk::<LENGTH_BYTES>()?;
            let (event, rest) = rest.split_at(u16::from_le_bytes(*length).into());
            left = rest;
            Some(event)
        });
        (self.first_seq..).zip(bytes)
    }

    fn memory_bytes(&self) -> usize {
        allocated(self.bytes.capacity())
    }

    fn drop_until(&mut self, seq: u64) {
        let dropped = self.events().take_while(|(at, _)| *at <= seq);
        let (events, bytes) =
            dropped.fold((0, 0), |(n, bytes), (_, event)| (n + 1, bytes + LENGTH_BYTES + event.len()));
        self.first_seq += events;
        self.events -= events;
        self.start += bytes;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn journal(seqs: std::ops::RangeInclusive<u64>) -> Journal {
        let mut journal = Journal::new(100_000, seqs.start() - 1);
        for seq in seqs {
            journal.append(seq, &seq.to_le_bytes());
        }
        journal
    }

    fn check(journal: &Journal, after: u64, want: std::ops::RangeInclusive<u64>) {
        let seqs: Vec<u64> = journal.after(after).map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap())).collect();
        assert_eq!(seqs, want.collect::<Vec<_>>());
    }

    #[test]
    fn events_come_back_in_order_from_any_place() {
        let journal = journal(1..=5_000);
        assert_eq!(journal.len(), 5_000);
        for after in [0, 1, 1_638, 1_639, 4_999] {
            check(&journal, after, after + 1..=5_000);
        }
        assert_eq!(journal.after(5_000).count(), 0);
    }

    #[test]
    fn an_ack_drops_what_is_acknowledged_and_nothing_else() {
        for seq in [0, 1, 700, 1_638, 1_639, 4_999] {
            let mut journal = journal(1..=5_000);
            journal.ack(seq);
            assert_eq!((journal.acked(), journal.len()), (seq, 5_000 - seq));
            check(&journal, 0, seq + 1..=5_000);
            journal.ack(seq / 2);
            check(&journal, 0, seq + 1..=5_000);
        }
    }

    #[test]
    fn an_empty_journal_goes_on_where_it_stopped() {
        let mut journal = journal(1..=3);
        journal.ack(3);
        assert_eq!((journal.acked(), journal.len()), (3, 0));
        journal.append(4, &4u64.to_le_bytes());
        check(&journal, 0, 4..=4);
    }

    #[test]
    fn acknowledged_memory_is_given_back() {
        let mut journal = journal(1..=100_000);
        let full = journal.memory_bytes();
        journal.ack(100_000);
        assert!(journal.memory_bytes() * 10 < full);
    }

    #[test]
    fn one_ack_gives_back_a_bounded_number_of_segments_and_the_next_goes_on() {
        let event = [0; SEGMENT_BYTES - LENGTH_BYTES];
        let (mut journal, segments) = (Journal::new(100_000, 0), 2 * SEGMENTS_DROPPED_MAX + 1);
        (1..=segments as u64).for_each(|seq| journal.append(seq, &event));
        for left in [SEGMENTS_DROPPED_MAX + 1, 1, 0] {
            journal.ack(segments as u64);
            assert_eq!((journal.len(), journal.after(0).count(), journal.allocations()), (0, 0, left));
        }
    }

    proptest! {
        #[test]
        fn what_a_journal_takes_is_known_without_counting(
            steps in prop::collection::vec((0..5_000usize, prop::option::of(0..9u64)), 1..200),
        ) {
            let (mut journal, mut seq) = (Journal::new(100_000, 0), 0);
            for (bytes, acks) in steps {
                seq += 1;
                journal.append(seq, &vec![0; bytes]);
                if let Some(left) = acks {
                    journal.ack(seq.saturating_sub(left));
                }
                prop_assert_eq!(journal.segment_bytes, journal.segments.iter().map(Segment::memory_bytes).sum::<usize>());
            }
        }
    }
}
