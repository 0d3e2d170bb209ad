//! What went to the quarantine is written after all.

use flash_sale::State;

use super::Postgres;
use crate::message::{Answer, Item};
use crate::model::{Change, Event};
use crate::rules::Rules;

impl Postgres {
    /// The oldest row that waits, and the reservation that it would make.
    pub(crate) fn waiting(&self) -> Answer {
        let Some(place) = self.quarantine.iter().position(|row| !row.is_done) else { return Answer::Done };
        let first = self.quarantine[place].events.first();
        let id = first.filter(|event| matches!(event.change, Change::Reserved { .. })).map(|event| event.seq);
        Answer::Waiting { place, id }
    }

    /// Writes a row that waits. `known`: how its reservation was in Redis when someone looked there.
    pub(crate) fn replay(&mut self, place: usize, known: Option<State>, rules: &Rules) {
        let Some(row) = self.quarantine.get(place).filter(|row| !row.is_done).cloned() else { return };
        if !row.is_readable {
            self.write(&[Item::Events(row.events)], rules);
            self.quarantine[place].is_done = true;
            return;
        }
        let [event] = row.events[..] else { return };
        let Some(epoch) = self.epoch(event.epoch) else { return };
        if epoch.head < event.seq && !epoch.is_lost(event.seq) {
            return;
        }
        let is_over =
            if rules.replay_sees_gaps { epoch.sealed_at.is_some() } else { is_beyond(epoch.sealed_at, event.seq) };
        if is_over {
            if matches!(event.change, Change::Reserved { .. }) {
                self.refuse_late(&event, rules);
            }
            self.quarantine[place].is_done = true;
            return;
        }
        self.apply_late(&event, known, rules);
        self.quarantine[place].is_done = true;
    }

    /// An event whose successors are written already. Those that say how the sale was then are not repeated.
    fn apply_late(&mut self, event: &Event, known: Option<State>, rules: &Rules) {
        match event.change {
            Change::Reserved { buyer, slot, expires_at_ms, .. } => {
                let change = Change::Reserved { buyer, slot, expires_at_ms, is_bad: false };
                self.apply(&Event { change, ..*event });
                let end = self.loose_ends.iter().find(|(id, _)| *id == event.seq).map(|(_, state)| *state);
                let state = if rules.replay_locks { end } else { known };
                let id = event.seq;
                let change = match state {
                    Some(State::Confirmed) => Change::Confirmed { id },
                    Some(State::Released) => Change::Released { id },
                    Some(State::Expired) => Change::Expired { ids: crate::model::Ids::of(&[id]) },
                    Some(State::Held) | None => return,
                };
                self.apply(&Event { change, ..*event });
            }
            Change::Confirmed { .. } | Change::Released { .. } | Change::Expired { .. } => self.apply(event),
            Change::Warmed | Change::Restocked { .. } | Change::Opened | Change::Closed => {}
        }
    }
}

fn is_beyond(sealed_at: Option<u64>, seq: u64) -> bool {
    sealed_at.is_some_and(|last| last < seq)
}
