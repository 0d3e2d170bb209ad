//! A buyer: reserves until there is an answer, then pays, gives back or lets the hold run out, and comes again.

use flash_sale::{Refusal, State};

use crate::message::{Answer, Command, Request};
use crate::model::Buyer;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    Reserve { is_bad: bool },
    Holds(u64),
    Confirm(u64),
    Release(u64),
}

/// One buyer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Buying {
    buyer: Buyer,
    stage: Stage,
    /// The id of the request that has no answer yet.
    request: u32,
    has_holds: bool,
}

/// The answers that a buyer got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Reserved { id: u64, buyer: Buyer, state: Option<State> },
    Ended { id: u64, state: State },
}

impl Buying {
    pub(crate) const fn new(buyer: Buyer, has_holds: bool) -> Self {
        Self { buyer, stage: Stage::Idle, request: 0, has_holds }
    }

    /// What the buyer wants next. `choice`: any byte.
    pub(crate) fn ask(&mut self, choice: u8) -> Request {
        self.stage = match self.stage {
            Stage::Idle => Stage::Reserve { is_bad: choice >= 240 },
            Stage::Holds(id) if choice < 90 => Stage::Confirm(id),
            Stage::Holds(id) if choice < 160 => Stage::Release(id),
            Stage::Holds(_) => Stage::Reserve { is_bad: false },
            ref stage => stage.clone(),
        };
        let (buyer, request) = (self.buyer, self.request);
        Request::Redis(match self.stage {
            Stage::Confirm(id) => Command::Confirm { id },
            Stage::Release(id) => Command::Release { id },
            Stage::Reserve { is_bad } => Command::Reserve { buyer, request, is_bad },
            Stage::Idle | Stage::Holds(_) => Command::Reserve { buyer, request, is_bad: false },
        })
    }

    /// What the buyer has learnt. After silence the buyer asks the same again.
    pub(crate) fn hear(&mut self, answer: Option<&Answer>) -> Option<Told> {
        let answer = answer?;
        let buyer = self.buyer;
        let (stage, told) = match (&self.stage, answer) {
            (Stage::Reserve { .. }, &Answer::Reserved { id, .. }) => {
                (self.after(id), Some(Told::Reserved { id, buyer, state: None }))
            }
            (Stage::Reserve { .. }, &Answer::Refused(Refusal::Replayed { id, state, .. })) => {
                let stage = if state == State::Held { Stage::Holds(id) } else { Stage::Idle };
                (stage, Some(Told::Reserved { id, buyer, state: Some(state) }))
            }
            (&Stage::Confirm(id), Answer::Made { .. }) => {
                (Stage::Idle, Some(Told::Ended { id, state: State::Confirmed }))
            }
            (&Stage::Release(id), Answer::Made { .. }) => {
                (Stage::Idle, Some(Told::Ended { id, state: State::Released }))
            }
            (_, Answer::Refused(Refusal::Fenced | Refusal::NotWarmed)) => return None,
            _ => (Stage::Idle, None),
        };
        self.request += u32::from(stage == Stage::Idle || matches!(stage, Stage::Holds(_)));
        self.stage = stage;
        told
    }

    const fn after(&self, id: u64) -> Stage {
        if self.has_holds { Stage::Holds(id) } else { Stage::Idle }
    }
}
