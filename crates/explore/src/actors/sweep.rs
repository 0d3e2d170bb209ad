//! One gateway's sweep: from the journal into PostgreSQL, without the broker.

use crate::message::{Answer, Command, Item, Request, Transaction};
use crate::model::Event;

/// Events that it takes at once.
const RUN: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    Write(Vec<Event>),
    Ack(u64, u64),
}

/// The sweep of one gateway.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Sweep {
    stage: Stage,
}

impl Sweep {
    pub(crate) const fn new() -> Self {
        Self { stage: Stage::Idle }
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.stage != Stage::Idle
    }

    pub(crate) fn ask(&self) -> Request {
        match &self.stage {
            Stage::Idle => Request::Redis(Command::Pull { after: 0, count: RUN }),
            Stage::Write(events) => Request::Postgres(Transaction::Write { items: vec![Item::Events(events.clone())] }),
            &Stage::Ack(epoch, seq) => Request::Redis(Command::Ack { epoch, seq }),
        }
    }

    pub(crate) fn hear(&mut self, answer: Option<&Answer>) {
        let stage = std::mem::replace(&mut self.stage, Stage::Idle);
        self.stage = match (stage, answer) {
            (Stage::Idle, Some(Answer::Pulled { events, .. })) if !events.is_empty() => Stage::Write(events.clone()),
            (Stage::Write(_), Some(Answer::Written { heads })) => {
                heads.first().map_or(Stage::Idle, |&(epoch, head)| Stage::Ack(epoch, head))
            }
            _ => Stage::Idle,
        };
    }
}
