//! A run of events as messages.

use std::collections::BTreeMap;

use flash_transport::Outgoing;
use flash_wire::message::UnreadableJournal;
use flash_wire::{Change, Event, Message, PullAnswer};

use crate::limits::MESSAGE_BYTES;

/// One message, and what of its sale is sent with it.
#[derive(Debug)]
pub(crate) struct Run {
    /// The last event's seq.
    pub(crate) last: u64,
    /// The reservations whose holds buyers or shops ended, each with the seq of that.
    pub(crate) ends: BTreeMap<u64, u64>,
    pub(crate) outgoing: Outgoing,
}

/// A journal that this release cannot read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the events behind seq {after}: {reason}; they stay in the journal")]
pub(crate) struct Unreadable {
    after: u64,
    #[source]
    reason: UnreadableJournal,
}

/// Cuts what was pulled `after` a seq into messages of bounded size, each of one epoch and at most `run_max` events.
/// They are published `now_ms`, Unix milliseconds.
pub(crate) fn runs(
    sale: &str,
    after: u64,
    pulled: &PullAnswer,
    run_max: u64,
    now_ms: u64,
) -> Result<Vec<Run>, Unreadable> {
    let unreadable = |reason| Unreadable { after, reason };
    let mut runs = Vec::new();
    let mut events: Vec<Event> = Vec::new();
    let mut bytes = 0;
    for encoded in &pulled.events {
        let event = Event::decode(encoded).map_err(|error| unreadable(error.into()))?;
        let begins = events.first().is_some_and(|first| first.epoch != event.epoch);
        let full = events.len() as u64 >= run_max || bytes >= MESSAGE_BYTES;
        if begins || full {
            runs.push(run(sale, &pulled.skus, &events, now_ms).map_err(|error| unreadable(error.into()))?);
            events.clear();
            bytes = 0;
        }
        bytes += encoded.len();
        events.push(event);
    }
    if !events.is_empty() {
        runs.push(run(sale, &pulled.skus, &events, now_ms).map_err(|error| unreadable(error.into()))?);
    }
    Ok(runs)
}

fn run(sale: &str, skus: &[String], events: &[Event], now_ms: u64) -> Result<Run, flash_wire::message::BadMessage> {
    let (epoch, last) = events.last().map_or((0, 0), |event| (event.epoch, event.seq));
    let message = Message::new(sale, epoch, skus, events)?.published(now_ms);
    Ok(Run { last, ends: events.iter().filter_map(end).collect(), outgoing: Outgoing::of(message) })
}

fn end(event: &Event) -> Option<(u64, u64)> {
    match event.change {
        Change::Confirmed { id } | Change::Released { id } => Some((id, event.seq)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use flash_wire::{Change, Details, Items, Reserved};

    use super::*;
    use crate::limits::RUN_EVENTS_MAX;

    const NOW_MS: u64 = 1_796_000_000_000;

    fn encoded(epoch: u64, seq: u64, data_bytes: usize) -> Vec<u8> {
        let data = "x".repeat(data_bytes);
        let items = Items::one(0, 1).unwrap();
        let change = Change::Reserved(Reserved {
            buyer: "ada",
            slot: 0,
            items,
            expires_at_ms: None,
            details: Details { data: Some(&data), ..Details::NONE },
        });
        let mut bytes = Vec::new();
        Event { epoch, seq, at_ms: 1, change }.encode(&mut bytes);
        bytes
    }

    fn check(events: Vec<Vec<u8>>, want: Result<&[u64], &str>) {
        check_run(RUN_EVENTS_MAX, events, want);
    }

    fn check_run(run_max: u64, events: Vec<Vec<u8>>, want: Result<&[u64], &str>) {
        let pulled = PullAnswer { epoch: 1, head: 9, skus: vec!["default".to_owned()], events };
        let got = runs("drop", 0, &pulled, run_max, NOW_MS).map_err(|error| error.to_string());
        let got = got.map(|runs| runs.iter().map(|run| run.last).collect::<Vec<_>>());
        match want {
            Ok(want) => assert_eq!(got.as_deref(), Ok(want)),
            Err(want) => assert!(got.as_ref().is_err_and(|error| error.contains(want)), "{got:?}"),
        }
    }

    #[test]
    fn a_run_is_cut_where_a_message_is_full_or_an_epoch_begins() {
        let many = (1..=RUN_EVENTS_MAX + 1).map(|seq| encoded(1, seq, 0)).collect();
        check(vec![], Ok(&[]));
        check(vec![encoded(1, 1, 0)], Ok(&[1]));
        check(many, Ok(&[RUN_EVENTS_MAX, RUN_EVENTS_MAX + 1]));
        check(vec![encoded(1, 1, 0), encoded(2, 2, 0)], Ok(&[1, 2]));
        let five = || (1..=5).map(|seq| encoded(1, seq, 0)).collect();
        check_run(1, five(), Ok(&[1, 2, 3, 4, 5]));
        check_run(2, five(), Ok(&[2, 4, 5]));
        let large = MESSAGE_BYTES / 16;
        let heavy = (1..=17).map(|seq| encoded(1, seq, large)).collect();
        check(heavy, Ok(&[16, 17]));
    }

    #[test]
    fn a_run_knows_whose_holds_it_ends_by_which_events() {
        let changes = [Change::Confirmed { id: 2 }, Change::Expired { ids: vec![3] }, Change::Released { id: 1 }];
        let events = changes.into_iter().zip(5..).map(|(change, seq)| {
            let mut bytes = Vec::new();
            Event { epoch: 1, seq, at_ms: 1, change }.encode(&mut bytes);
            bytes
        });
        let pulled = PullAnswer { epoch: 1, head: 9, skus: vec!["default".to_owned()], events: events.collect() };
        let runs = runs("drop", 4, &pulled, RUN_EVENTS_MAX, NOW_MS).unwrap();
        assert_eq!(runs[0].ends, BTreeMap::from([(1, 7), (2, 5)]));
    }

    /// The other end keeps an unreadable message once, by its body.
    #[test]
    fn events_that_are_published_again_are_the_same_body_with_another_moment_beside_it() {
        let events = vec![encoded(1, 1, 0)];
        let pulled = PullAnswer { epoch: 1, head: 1, skus: vec!["default".to_owned()], events };
        let published = |now_ms| runs("drop", 0, &pulled, RUN_EVENTS_MAX, now_ms).unwrap().remove(0).outgoing;
        let (first, again) = (published(NOW_MS), published(NOW_MS + 1));
        assert_eq!((first.published_at_ms, again.published_at_ms), (Some(NOW_MS), Some(NOW_MS + 1)));
        assert_eq!((first.id, first.body), (again.id, again.body));
    }

    #[test]
    fn events_that_cannot_be_read_or_leave_a_gap_are_not_sent() {
        check(vec![encoded(1, 1, 0), vec![9]], Err("cannot read the events behind seq 0"));
        check(vec![encoded(1, 1, 0), encoded(1, 3, 0)], Err("seq must grow by one"));
    }
}
