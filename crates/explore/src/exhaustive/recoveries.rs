//! Every order of the messages of two recoveries of a small sale, with one loss and one older state somewhere in
//! between.
//!
//! Sweep, syncer and buyers do their work at once here, as one step each, so that the orders are those of the
//! recoveries' own messages. A message of a recovery is carried out and answered, or carried out with its answer lost,
//! or given up on and carried out later, or never.

use super::{Explored, History, actors, consume, is_recovery, search, serve};
use crate::redis::Offer;
use crate::rules::Rules;
use crate::step::{Fault, Step};
use crate::witness::Broken;
use crate::world::{Actor, Shape, World};

/// How much may happen in one history.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Losses and older states of Redis, after the one that the history begins with.
    pub faults: u8,
    /// Reservations that buyers make.
    pub sales: u8,
    /// Messages of recoveries whose answers are lost, or that are carried out late or never.
    pub given_up: u8,
    /// Attempts that begin.
    pub attempts: u8,
    /// Different states, lest memory runs out.
    pub states: u64,
}

impl Bounds {
    /// What a CI run explores: both attempts in every order, with one message that is lost, late, or answered in vain.
    pub const CI: Self = Self { faults: 0, sales: 0, given_up: 1, attempts: 2, states: 20_000_000 };
}

/// One state, and how much of what is bounded has happened.
#[derive(Clone)]
struct Node {
    world: World,
    bounds: Bounds,
    faults: u8,
    sales: u8,
    given_up: u8,
    attempts: u8,
}

/// What leads from one state to the next.
#[derive(Debug, Clone, Copy)]
enum Move {
    /// A server carries a message of a recovery out, and the recovery hears the answer.
    Serve(u8),
    /// The same, but the answer is lost.
    LoseAnswer(u8),
    /// A recovery gives up on a message that is still on its way.
    Abandon(u8),
    /// That message is carried out.
    Late,
    /// The lease of a recovery runs out.
    Lapse,
    /// The journal and the queue come to PostgreSQL.
    Drain,
    /// A buyer reserves, and hears of it.
    Buy(u8),
    Fault(Fault),
}

/// Explores all histories of two recoveries within bounds.
#[must_use]
pub fn explore(rules: Rules, bounds: Bounds) -> Explored {
    let start = start(Rules { patient: true, ..rules }, bounds).expect("nothing breaks before the first fault");
    search(start, bounds.states)
}

/// Two units, two buyers, one of whom has bought; everything is in PostgreSQL. Redis has just been loaded.
fn start(rules: Rules, bounds: Bounds) -> Result<Node, Broken> {
    let offer = Offer { total: 2, limit: 1, hold_ms: None };
    let shape = Shape { gateways: 2, syncers: 1, buyers: 2, offer, operator: false };
    let mut node = Node { world: World::new(shape, rules), bounds, faults: 0, sales: 0, given_up: 0, attempts: 0 };
    node.world.step(Step::Fault(Fault::Dump))?;
    node.carry_out(Move::Drain)?;
    for buyer in actors(&node.world, is_buyer).into_iter().take(1) {
        serve(&mut node.world, buyer, 1, 0)?;
    }
    node.carry_out(Move::Drain)?;
    node.world.step(Step::Fault(Fault::Dump))?;
    node.world.step(Step::Fault(Fault::Restore(1)))?;
    for actor in actors(&node.world, is_recovery) {
        node.world.step(Step::Ask { actor, choice: 0 })?;
    }
    Ok(node)
}

const fn is_buyer(actor: &Actor) -> bool {
    matches!(actor, Actor::Buyer(_))
}

impl History for Node {
    type Move = Move;
    const HEALED_EVERY: u64 = 512;

    fn world(&self) -> &World {
        &self.world
    }

    fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    fn counts(&self) -> [u8; 4] {
        [self.faults, self.sales, self.given_up, self.attempts]
    }

    fn moves(&self) -> Vec<Move> {
        let Self { world, bounds, faults, sales, given_up, attempts } = self;
        let mut moves = Vec::new();
        for actor in actors(world, is_recovery) {
            if *attempts >= bounds.attempts && world.is_about_to_take(actor.into()) {
                continue;
            }
            moves.push(Move::Serve(actor));
            if *given_up < bounds.given_up && world.is_attempting(actor.into()) {
                moves.extend([Move::LoseAnswer(actor), Move::Abandon(actor)]);
            }
        }
        if !world.orphans.is_empty() {
            moves.push(Move::Late);
        }
        if world.now_ms < world.postgres.until_ms {
            moves.push(Move::Lapse);
        }
        moves.push(Move::Drain);
        if *sales < bounds.sales {
            moves.extend(actors(world, is_buyer).into_iter().skip(1).map(Move::Buy));
        }
        if *faults < bounds.faults {
            moves.extend([Fault::LoseRedis, Fault::Restore(0), Fault::Restore(1)].map(Move::Fault));
        }
        moves
    }

    fn carry_out(&mut self, one: Move) -> Result<(), Broken> {
        let world = &mut self.world;
        match one {
            Move::Serve(actor) => {
                self.attempts += u8::from(world.is_about_to_take(actor.into()));
                world.step(Step::Carry { actor })?;
                world.step(Step::Hear { actor })?;
                world.step(Step::Ask { actor, choice: 0 })?;
            }
            Move::LoseAnswer(actor) | Move::Abandon(actor) => {
                self.given_up += 1;
                if matches!(one, Move::LoseAnswer(_)) {
                    world.step(Step::Carry { actor })?;
                }
                world.step(Step::GiveUp { actor })?;
                world.step(Step::Ask { actor, choice: 0 })?;
            }
            Move::Late => drop(world.step(Step::Late { orphan: 0 })?),
            Move::Lapse => world.postgres.until_ms = 0,
            Move::Drain => drain(world)?,
            Move::Buy(actor) => {
                self.sales += 1;
                serve(world, actor, 1, 0)?;
            }
            Move::Fault(fault) => {
                self.faults += 1;
                world.step(Step::Fault(fault))?;
            }
        }
        Ok(())
    }
}

fn drain(world: &mut World) -> Result<(), Broken> {
    for actor in actors(world, |actor| matches!(actor, Actor::Sweep(_))).into_iter().take(1) {
        serve(world, actor, 3, 0)?;
    }
    consume(world)
}
