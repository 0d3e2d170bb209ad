//! An operator: restocks, closes, opens, and replays what lies in the quarantine.

use flash_sale::{Refusal, State};

use crate::message::{Answer, Command, Request, Transaction};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    Change(Command),
    LookAtQuarantine,
    /// The old way: what Redis says of a reservation is read before it is written.
    LookAtRedis(usize, u64),
    Replay(usize, Option<State>),
}

/// The operator.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Operator {
    stage: Stage,
}

impl Operator {
    pub(crate) const fn new() -> Self {
        Self { stage: Stage::Idle }
    }

    /// What the operator does next. `choice`: any byte.
    pub(crate) fn ask(&mut self, choice: u8) -> Request {
        if self.stage == Stage::Idle {
            self.stage = match choice % 8 {
                0 | 1 => Stage::Change(Command::Restock { delta: 1 }),
                2 => Stage::Change(Command::Restock { delta: -1 }),
                3 => Stage::Change(Command::Close),
                4 => Stage::Change(Command::Open),
                _ => Stage::LookAtQuarantine,
            };
        }
        match &self.stage {
            Stage::Change(command) => Request::Redis(command.clone()),
            Stage::LookAtRedis(_, id) => Request::Redis(Command::Reservation { id: *id }),
            &Stage::Replay(place, known) => Request::Postgres(Transaction::Replay { place, known }),
            Stage::Idle | Stage::LookAtQuarantine => Request::Postgres(Transaction::Waiting),
        }
    }

    /// The event of the last answer, with the total and whether the sale is closed after it.
    pub(crate) fn hear(&mut self, answer: Option<&Answer>) -> Option<(u64, u64, u64, bool)> {
        let stage = std::mem::replace(&mut self.stage, Stage::Idle);
        match (stage, answer?) {
            (Stage::Change(_), &Answer::Made { epoch, seq, total, is_closed }) => {
                return Some((epoch, seq, total, is_closed));
            }
            (Stage::LookAtQuarantine, &Answer::Waiting { place, id }) => {
                self.stage = id.map_or(Stage::Replay(place, None), |id| Stage::LookAtRedis(place, id));
            }
            (Stage::LookAtRedis(place, _), &Answer::Refused(Refusal::Replayed { state, .. })) => {
                self.stage = Stage::Replay(place, Some(state));
            }
            (Stage::LookAtRedis(place, _), Answer::Refused(_)) => self.stage = Stage::Replay(place, None),
            _ => {}
        }
        None
    }
}
