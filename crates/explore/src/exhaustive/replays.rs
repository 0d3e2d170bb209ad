//! Every order of a few moves around the quarantine: a buyer reserves, pays or gives back, one message comes late,
//! Redis goes back to an older state once, and an operator replays what was put aside.
//!
//! Recoveries are whole here, one move each. An operator's replay is one call a move: what it has read may be over when
//! it writes.

use super::{Explored, History, actors, consume, search, serve};
use crate::redis::Offer;
use crate::rules::Rules;
use crate::step::{Fault, Step};
use crate::witness::Broken;
use crate::world::{Actor, Shape, World};

/// What a buyer asks for in one history.
const PURCHASES_MAX: u8 = 3;
/// Rounds that a recovery may take, in each of which everyone works once.
const RECOVERY_ROUNDS_MAX: u32 = 100;
/// Different states, lest memory runs out.
const STATES_MAX: u64 = 5_000_000;
/// What a buyer and an operator choose by these: see `actors`.
const PAY: u8 = 0;
const GIVE_BACK: u8 = 100;
const RESERVE_UNWRITABLE: u8 = 240;
const LOOK_AT_QUARANTINE: u8 = 5;

#[derive(Clone)]
struct Node {
    world: World,
    purchases: u8,
    persists: u8,
    restarts: u8,
    delays: u8,
}

#[derive(Debug, Clone, Copy)]
enum Move {
    /// The buyer reserves or, with a hold, does that with it.
    Buy(u8),
    /// The relay publishes what is new as one message.
    Publish,
    /// The syncer writes what is queued.
    Consume,
    Fault(Fault),
    /// The recovery brings the sale back.
    Recover,
    /// The operator's next call: a look at the quarantine, or a replay.
    Replay,
}

/// Explores them all.
#[must_use]
pub fn explore_replays(rules: Rules) -> Explored {
    let start = start(Rules { patient: true, ..rules }).expect("nothing breaks before the first fault");
    search(start, STATES_MAX)
}

/// Two units for one buyer; the sale is in PostgreSQL.
fn start(rules: Rules) -> Result<Node, Broken> {
    let offer = Offer { total: 2, limit: 2, hold_ms: Some(crate::model::HOLD_MS) };
    let shape = Shape { gateways: 1, syncers: 1, buyers: 1, offer, operator: true };
    let mut node = Node { world: World::new(shape, rules), purchases: 0, persists: 0, restarts: 0, delays: 0 };
    node.carry_out(Move::Publish)?;
    node.carry_out(Move::Consume)?;
    Ok(node)
}

impl History for Node {
    type Move = Move;
    const HEALED_EVERY: u64 = 1;

    fn world(&self) -> &World {
        &self.world
    }

    fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    fn counts(&self) -> [u8; 4] {
        [self.purchases, self.persists, self.restarts, self.delays]
    }

    fn moves(&self) -> Vec<Move> {
        let World { redis, broker, postgres, .. } = &self.world;
        let is_open = redis.key.as_ref().is_some_and(|key| !key.is_fenced());
        let mut moves = Vec::new();
        if is_open && self.purchases < PURCHASES_MAX {
            moves.extend([PAY, GIVE_BACK, RESERVE_UNWRITABLE].map(Move::Buy));
        }
        if self.has_unsent() {
            moves.push(Move::Publish);
        }
        if !broker.queue.is_empty() {
            moves.push(Move::Consume);
        }
        if !is_open {
            moves.push(Move::Recover);
        }
        if postgres.quarantine.iter().any(|row| !row.is_done) {
            moves.push(Move::Replay);
        }
        moves.extend(self.faults().into_iter().map(Move::Fault));
        moves
    }

    fn carry_out(&mut self, one: Move) -> Result<(), Broken> {
        match one {
            Move::Buy(choice) => {
                self.purchases += 1;
                self.serve(|actor| matches!(actor, Actor::Buyer(_)), 1, choice)
            }
            Move::Publish => self.serve(|actor| matches!(actor, Actor::Relay(_)), 2, 0),
            Move::Consume => consume(&mut self.world),
            Move::Replay => self.serve(|actor| matches!(actor, Actor::Operator(_)), 1, LOOK_AT_QUARANTINE),
            Move::Recover => self.recover(),
            Move::Fault(fault) => {
                self.persists += u8::from(fault == Fault::Persist);
                self.restarts += u8::from(fault == Fault::Restart);
                self.delays += u8::from(fault == Fault::Delay(0));
                self.world.step(Step::Fault(fault)).map(drop)
            }
        }
    }
}

impl Node {
    fn has_unsent(&self) -> bool {
        let Some(key) = &self.world.redis.key else { return false };
        let is_unsent = |actor: &Actor| matches!(actor, Actor::Relay(relay) if relay.sent() < key.seq());
        key.sale().journal_events() > 0 && self.world.actors.iter().any(is_unsent)
    }

    fn faults(&self) -> Vec<Fault> {
        let World { broker, .. } = &self.world;
        let faults = [
            (Fault::Persist, self.persists == 0),
            (Fault::Restart, self.restarts == 0 && self.persists > 0),
            (Fault::Delay(0), self.delays == 0 && !broker.queue.is_empty()),
            (Fault::CatchUp, !broker.delayed.is_empty()),
        ];
        faults.into_iter().filter_map(|(fault, may_be)| may_be.then_some(fault)).collect()
    }

    fn serve(&mut self, is_it: impl Fn(&Actor) -> bool, calls: usize, choice: u8) -> Result<(), Broken> {
        actors(&self.world, is_it).into_iter().try_for_each(|actor| serve(&mut self.world, actor, calls, choice))
    }

    /// Everyone but the operator and the buyer works until the sale is open.
    fn recover(&mut self) -> Result<(), Broken> {
        for _ in 0..RECOVERY_ROUNDS_MAX {
            self.serve(|actor| !matches!(actor, Actor::Buyer(_) | Actor::Operator(_)), 1, 0)?;
            let is_open = self.world.redis.key.as_ref().is_some_and(|key| !key.is_fenced());
            if is_open && !self.world.is_busy() {
                break;
            }
        }
        Ok(())
    }
}
