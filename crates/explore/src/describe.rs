//! Steps in words.

use crate::message::{Command, Frame, Request, Transaction};
use crate::step::Step;
use crate::world::{Actor, World};

impl World {
    /// A step in words.
    pub(crate) fn describe(&self, step: Step) -> String {
        let name = |actor: u8| match self.actors.get(usize::from(actor)) {
            Some(Actor::Recovery(_) | Actor::Planned(_)) => format!("recovery {}", actor / 3),
            Some(Actor::Relay(_)) => format!("relay {}", actor / 3),
            Some(Actor::Sweep(_)) => format!("sweep {}", actor / 3),
            Some(Actor::Syncer(_)) => format!("syncer {actor}"),
            Some(Actor::Buyer(_)) => format!("buyer {actor}"),
            _ => "operator".to_owned(),
        };
        let call = |actor: u8| self.calls.get(usize::from(actor)).and_then(Option::as_ref);
        match step {
            Step::Ask { actor, .. } => format!("{} asks", name(actor)),
            Step::Carry { actor } => {
                format!("{} is served: {:?}", name(actor), call(actor).map(|call| &call.request))
            }
            Step::Hear { actor } => {
                format!("{} hears {:?}", name(actor), call(actor).and_then(|call| call.answer.as_ref()))
            }
            Step::GiveUp { actor } => format!("{} gives up", name(actor)),
            Step::Late { orphan } => {
                let place = self.orphans.len().checked_sub(1 + usize::from(orphan));
                let late = place.map(|place| &self.orphans[place].request);
                format!("late: {late:?}")
            }
            Step::Kill { actor } => format!("{} dies", name(actor)),
            other => format!("{other:?}"),
        }
    }

    /// Whether a step is one of those that change nothing and go on for ever.
    pub(crate) fn is_a_look(&self, step: Step) -> bool {
        let Step::Carry { actor } = step else { return false };
        let call = self.calls.get(usize::from(actor)).and_then(Option::as_ref);
        let is_read = |request: &Request| match request {
            Request::Redis(command) => matches!(command, Command::Status | Command::Pull { .. }),
            Request::Postgres(transaction) => matches!(transaction, Transaction::Standing { .. }),
            Request::Broker(frame) => matches!(frame, Frame::Consume { .. }),
        };
        call.is_none_or(|call| is_read(&call.request))
    }

    /// What is asked and answered in a step, in words.
    pub(crate) fn describe_call(&self, step: Step) -> String {
        self.describe(step)
    }
}
