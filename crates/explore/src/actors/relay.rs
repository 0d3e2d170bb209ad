//! One gateway's relay: from the journal to the broker. It takes no lease here: two relays at once are allowed.

use crate::message::{Answer, Command, Frame, Item, Request};
use crate::model::Event;

/// Events that one PULL gives, and one message carries.
const RUN: usize = 3;
/// Looks without progress before everything that is not acknowledged is sent again.
const PATIENCE: u8 = 20;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    Publish(Vec<Event>),
}

/// The relay of one gateway.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Relay {
    stage: Stage,
    epoch: u64,
    acked: u64,
    /// Published up to here.
    sent: u64,
    idle_looks: u8,
}

impl Relay {
    pub(crate) const fn new() -> Self {
        Self { stage: Stage::Idle, epoch: 0, acked: 0, sent: 0, idle_looks: 0 }
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.stage != Stage::Idle
    }

    /// The newest event that it has published.
    pub(crate) const fn sent(&self) -> u64 {
        self.sent
    }

    pub(crate) fn ask(&self) -> Request {
        match &self.stage {
            Stage::Idle => Request::Redis(Command::Pull { after: self.sent, count: RUN }),
            Stage::Publish(events) => Request::Broker(Frame::Publish(Item::Events(events.clone()))),
        }
    }

    pub(crate) fn hear(&mut self, answer: Option<&Answer>) {
        let stage = std::mem::replace(&mut self.stage, Stage::Idle);
        match (stage, answer) {
            (Stage::Idle, Some(Answer::Pulled { epoch, acked, events })) => self.pulled(*epoch, *acked, events),
            (Stage::Publish(events), Some(Answer::Done)) => {
                self.sent = events.last().map_or(self.sent, |last| last.seq);
            }
            (Stage::Publish(_), _) => self.sent = 0,
            _ => {}
        }
    }

    fn pulled(&mut self, epoch: u64, acked: u64, events: &[Event]) {
        let has_moved = (self.epoch, self.acked) != (epoch, acked);
        if has_moved {
            (self.epoch, self.acked, self.idle_looks) = (epoch, acked, 0);
        }
        if !events.is_empty() {
            self.stage = Stage::Publish(events.to_vec());
            return;
        }
        self.idle_looks += 1;
        if self.idle_looks >= PATIENCE {
            (self.sent, self.idle_looks) = (0, 0);
        }
    }
}
