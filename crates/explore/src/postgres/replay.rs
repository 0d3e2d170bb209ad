//! What went to the quarantine is written after all.

use flash_sale::State;

use super::{Order, Postgres, Why};
use crate::message::{Answer, Item};
use crate::model::{Change, Event, Ids};
use crate::rules::Rules;

impl Postgres {
    /// The oldest row that waits, and the reservation that it would make.
    pub(crate) fn waiting(&self) -> Answer {
        let Some(place) = self.quarantine.iter().position(|row| !row.is_done) else { return Answer::Done };
        let first = self.quarantine[place].events.first();
        let id = first.filter(|event| matches!(event.change, Change::Reserved { .. })).map(|event| event.seq);
        Answer::Waiting { place, id }
    }

    /// Writes a row that waits, or lets it wait on after the others. `known`: how its reservation is in Redis; none:
    /// Redis does not know it.
    pub(crate) fn replay(&mut self, place: usize, known: Option<State>, rules: &Rules) {
        let Some(row) = self.quarantine.get(place).filter(|row| !row.is_done).cloned() else { return };
        let is_done = match row.events[..] {
            _ if !row.is_readable => {
                self.write(&[Item::Events(row.events)], rules);
                true
            }
            [event] => self.replay_event(&event, known, rules),
            _ => false,
        };
        if is_done {
            self.quarantine[place].is_done = true;
        } else {
            let row = self.quarantine.remove(place);
            self.quarantine.push(row);
        }
    }

    /// Whether an event needs to wait no longer: it is written, or something else is in its place.
    fn replay_event(&mut self, event: &Event, known: Option<State>, rules: &Rules) -> bool {
        let Some(epoch) = self.epoch(event.epoch) else { return false };
        let is_sealed = epoch.sealed_at.is_some();
        let is_lost = is_sealed
            && if rules.replay_sees_gaps { epoch.is_lost(event.seq) } else { is_beyond(epoch.sealed_at, event.seq) };
        if !is_lost && epoch.head < event.seq {
            return false;
        }
        match event.change {
            Change::Reserved { buyer, .. } => {
                let is_order = self.order(event.seq).is_some_and(|order| order.buyer == buyer);
                if is_order {
                    return true;
                }
                if is_lost || is_sealed && rules.replay_sees_gaps {
                    self.reject(event, buyer, Why::Late);
                    return true;
                }
                known.is_some_and(|state| self.make_late(event, state))
            }
            Change::Warmed => true,
            // The next life has it as it was at the seal.
            Change::Confirmed { .. } | Change::Released { .. } | Change::Expired { .. }
                if is_sealed && rules.replay_sees_gaps =>
            {
                true
            }
            _ if is_lost => true,
            Change::Confirmed { id } => self.end_late(event, &[id], State::Confirmed),
            Change::Released { id } => self.end_late(event, &[id], State::Released),
            Change::Expired { ids } => self.end_late(event, ids.as_slice(), State::Expired),
            // It says how the sale was then.
            Change::Restocked { .. } | Change::Opened | Change::Closed => false,
        }
    }

    /// Makes an order that is in this state by now, if that is what comes of its events.
    fn make_late(&mut self, event: &Event, state: State) -> bool {
        let mut after = self.clone();
        let is_so = |order: &Order| state == State::Held || order.state == state;
        let is_done = after.attempt(&reserved_and_ended(event, state)) && after.order(event.seq).is_some_and(is_so);
        if is_done {
            *self = after;
        }
        is_done
    }

    /// Applies an end, if its orders are afterwards what it makes of them.
    fn end_late(&mut self, event: &Event, ids: &[u64], state: State) -> bool {
        let mut after = self.clone();
        after.apply(event);
        let ended: Vec<_> = ids.iter().filter_map(|id| after.order(*id)).collect();
        let is_there = !ended.is_empty() || state == State::Expired;
        let is_done = is_there && ended.iter().all(|order| order.state == state);
        if is_done {
            *self = after;
        }
        is_done
    }
}

/// The reservation, readable by now, and the event that led to where it is.
fn reserved_and_ended(event: &Event, state: State) -> Vec<Event> {
    let id = event.seq;
    let mut made = *event;
    if let Change::Reserved { is_bad, .. } = &mut made.change {
        *is_bad = false;
    }
    let end = match state {
        State::Held => None,
        State::Confirmed => Some(Change::Confirmed { id }),
        State::Released => Some(Change::Released { id }),
        State::Expired => Some(Change::Expired { ids: Ids::of(&[id]) }),
    };
    let end = end.map(|change| Event { change, ..*event });
    std::iter::once(made).chain(end).collect()
}

fn is_beyond(sealed_at: Option<u64>, seq: u64) -> bool {
    sealed_at.is_some_and(|last| last < seq)
}
