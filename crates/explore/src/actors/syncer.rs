//! A syncer: from the broker into PostgreSQL. It settles a delivery and acknowledges a journal after the commit.

use crate::message::{Answer, Command, Frame, Item, Request, Transaction};

/// Messages in one batch.
const BATCH: usize = 3;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    Write(Vec<Item>),
    Ack(usize, Vec<(u64, u64)>),
    Settle(usize),
    Disconnect,
}

/// One syncer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Syncer {
    /// The number of its session with the broker: no two have the same.
    session: u32,
    stage: Stage,
}

impl Syncer {
    pub(crate) const fn new(session: u32) -> Self {
        Self { session, stage: Stage::Idle }
    }

    pub(crate) const fn session(&self) -> u32 {
        self.session
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.stage != Stage::Idle
    }

    pub(crate) fn ask(&self) -> Request {
        let syncer = self.session;
        match &self.stage {
            Stage::Idle => Request::Broker(Frame::Consume { syncer, count: BATCH }),
            Stage::Write(items) => Request::Postgres(Transaction::Write { items: items.clone() }),
            Stage::Settle(count) => Request::Broker(Frame::Settle { syncer, count: *count }),
            Stage::Ack(_, heads) => {
                let (epoch, seq) = heads.last().copied().unwrap_or_default();
                Request::Redis(Command::Ack { epoch, seq })
            }
            Stage::Disconnect => Request::Broker(Frame::Disconnect { syncer }),
        }
    }

    /// `session`: the number of the next one, should it need one.
    pub(crate) fn hear(&mut self, answer: Option<&Answer>, session: u32) {
        let stage = std::mem::replace(&mut self.stage, Stage::Idle);
        self.stage = match (stage, answer) {
            (Stage::Idle, Some(Answer::Items(items))) if !items.is_empty() => Stage::Write(items.clone()),
            (Stage::Write(items), Some(Answer::Written { heads })) if heads.is_empty() => Stage::Settle(items.len()),
            (Stage::Write(items), Some(Answer::Written { heads })) => Stage::Ack(items.len(), heads.clone()),
            (Stage::Ack(count, mut heads), _) => {
                heads.pop();
                if heads.is_empty() { Stage::Settle(count) } else { Stage::Ack(count, heads) }
            }
            (Stage::Disconnect, _) => {
                self.session = session;
                Stage::Idle
            }
            (Stage::Idle | Stage::Write(_) | Stage::Settle(..), None | Some(Answer::Is(false))) => Stage::Disconnect,
            _ => Stage::Idle,
        };
    }
}
