//! Every order of the messages of two recoveries of a small sale, with one loss and one older state somewhere in
//! between.
//!
//! The search goes depth first over whole states: servers, actors, messages under way. A state that was met is not met
//! again; from some states everything is healed as well. Sweep, syncer and buyers do their work at once here, as one
//! step each, so that the orders are those of the recoveries' own messages. A message of a recovery is carried out and
//! answered, or carried out with its answer lost, or given up on and carried out later, or never.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use crate::random::heal;
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

/// Of so many states one is healed.
const HEALED_EVERY: u64 = 512;

/// What an exploration has seen.
#[derive(Debug, Clone)]
pub struct Explored {
    /// Different states.
    pub states: u64,
    /// Moves between them.
    pub moves: u64,
    /// The longest history.
    pub depth: usize,
    /// States that were healed.
    pub healed: u64,
    /// Whether no state was left out.
    pub is_complete: bool,
    /// What was broken, and the moves that led there.
    pub broken: Option<(Broken, Vec<String>)>,
}

/// One state, and how much of what is bounded has happened.
struct Node {
    world: World,
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
    let mut explored = Explored { states: 0, moves: 0, depth: 0, healed: 0, is_complete: true, broken: None };
    let Some(start) = start(Rules { patient: true, ..rules }) else { return explored };
    let mut met = HashSet::from([hash(&start)]);
    let moves = possible(&start, &bounds);
    let mut path: Vec<(Node, Vec<Move>, Option<Move>)> = vec![(start, moves, None)];
    while let Some((node, moves, _)) = path.last_mut() {
        let Some(one) = moves.pop() else {
            path.pop();
            continue;
        };
        explored.moves += 1;
        let mut after = copy(node);
        let outcome = carry_out(&mut after, one);
        let mark = hash(&after);
        let is_new = outcome.is_err() || met.insert(mark);
        let healed = if outcome.is_ok() && is_new && mark.is_multiple_of(HEALED_EVERY) {
            explored.healed += 1;
            heal(&mut copy(&after).world, |_, _| {})
        } else {
            Ok(())
        };
        if let Err(broken) = outcome.and(healed) {
            let told = path.iter().filter_map(|(.., one)| *one).chain([one]).map(|one| format!("{one:?}"));
            explored.broken = Some((broken, told.collect()));
            break;
        }
        if !is_new {
            continue;
        }
        if met.len() as u64 >= bounds.states {
            explored.is_complete = false;
            break;
        }
        let moves = possible(&after, &bounds);
        path.push((after, moves, Some(one)));
        explored.depth = explored.depth.max(path.len());
    }
    explored.states = met.len() as u64;
    explored
}

fn copy(node: &Node) -> Node {
    let &Node { ref world, faults, sales, given_up, attempts } = node;
    Node { world: world.clone(), faults, sales, given_up, attempts }
}

/// Two units, two buyers, one of whom has bought; everything is in PostgreSQL. Redis has just been loaded.
fn start(rules: Rules) -> Option<Node> {
    let offer = Offer { total: 2, limit: 1, hold_ms: None };
    let shape = Shape { gateways: 2, syncers: 1, buyers: 2, offer, operator: false };
    let mut node = Node { world: World::new(shape, rules), faults: 0, sales: 0, given_up: 0, attempts: 0 };
    node.world.step(Step::Fault(Fault::Dump)).ok()?;
    carry_out(&mut node, Move::Drain).ok()?;
    let buyer = actors(&node.world, |actor| matches!(actor, Actor::Buyer(_))).first().copied()?;
    carry_out(&mut node, Move::Buy(buyer)).ok()?;
    carry_out(&mut node, Move::Drain).ok()?;
    node.world.step(Step::Fault(Fault::Dump)).ok()?;
    node.sales = 0;
    node.world.step(Step::Fault(Fault::Restore(1))).ok()?;
    for actor in actors(&node.world, is_recovery) {
        node.world.step(Step::Ask { actor, choice: 0 }).ok()?;
    }
    Some(node)
}

const fn is_recovery(actor: &Actor) -> bool {
    matches!(actor, Actor::Recovery(_) | Actor::Planned(_))
}

fn actors(world: &World, is_it: impl Fn(&Actor) -> bool) -> Vec<u8> {
    let places = world.actors.iter().enumerate().filter(|(_, actor)| is_it(actor)).map(|(place, _)| place);
    places.filter_map(|place| u8::try_from(place).ok()).collect()
}

fn possible(node: &Node, bounds: &Bounds) -> Vec<Move> {
    let Node { world, faults, sales, given_up, attempts } = node;
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
        moves.extend(actors(world, |actor| matches!(actor, Actor::Buyer(_))).into_iter().skip(1).map(Move::Buy));
    }
    if *faults < bounds.faults {
        moves.extend([Fault::LoseRedis, Fault::Restore(0), Fault::Restore(1)].map(Move::Fault));
    }
    moves
}

fn carry_out(node: &mut Node, one: Move) -> Result<(), Broken> {
    let world = &mut node.world;
    match one {
        Move::Serve(actor) => {
            node.attempts += u8::from(world.is_about_to_take(actor.into()));
            world.step(Step::Carry { actor })?;
            world.step(Step::Hear { actor })?;
            world.step(Step::Ask { actor, choice: 0 })?;
        }
        Move::LoseAnswer(actor) | Move::Abandon(actor) => {
            node.given_up += 1;
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
            node.sales += 1;
            serve(world, actor, 1)?;
        }
        Move::Fault(fault) => {
            node.faults += 1;
            world.step(Step::Fault(fault))?;
        }
    }
    Ok(())
}

fn drain(world: &mut World) -> Result<(), Broken> {
    for actor in actors(world, |actor| matches!(actor, Actor::Sweep(_))).into_iter().take(1) {
        serve(world, actor, 3)?;
    }
    for actor in actors(world, |actor| matches!(actor, Actor::Syncer(_))) {
        serve(world, actor, 1)?;
        while world.is_at_work(actor.into()) {
            serve(world, actor, 1)?;
        }
    }
    Ok(())
}

/// Lets an actor do so many whole calls.
fn serve(world: &mut World, actor: u8, calls: usize) -> Result<(), Broken> {
    for _ in 0..calls {
        for step in [Step::Ask { actor, choice: 0 }, Step::Carry { actor }, Step::Hear { actor }] {
            world.step(step)?;
        }
    }
    Ok(())
}

fn hash(node: &Node) -> u64 {
    let mut hasher = DefaultHasher::new();
    node.world.hash_all(&mut hasher);
    (node.faults, node.sales, node.given_up, node.attempts).hash(&mut hasher);
    hasher.finish()
}
