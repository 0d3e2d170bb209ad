//! Every order of the moves of a small history.
//!
//! The search goes depth first over whole states: servers, actors, messages under way. A state that was met is not met
//! again; from some states everything is healed as well.

mod recoveries;
mod replays;

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};

pub use recoveries::{Bounds, explore};
pub use replays::explore_replays;

use crate::random::heal;
use crate::step::Step;
use crate::witness::Broken;
use crate::world::{Actor, World};

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

/// A world, and how much of what is bounded has happened in it.
trait History: Clone {
    /// What leads from one state to the next.
    type Move: Copy + Debug;
    /// Of so many states one is healed.
    const HEALED_EVERY: u64;

    fn world(&self) -> &World;
    fn world_mut(&mut self) -> &mut World;
    /// What is bounded, besides the world.
    fn counts(&self) -> [u8; 4];
    fn moves(&self) -> Vec<Self::Move>;
    fn carry_out(&mut self, one: Self::Move) -> Result<(), Broken>;
}

/// A state on the way, the moves from it that are still to be tried, and the last one that was.
type Node<H> = (H, Vec<<H as History>::Move>, Option<<H as History>::Move>);

/// Explores all that comes of a state, until it has met so many.
fn search<H: History>(start: H, states_max: u64) -> Explored {
    let mut explored = Explored { states: 0, moves: 0, depth: 0, healed: 0, is_complete: true, broken: None };
    let mut met = HashSet::from([mark(&start)]);
    let moves = start.moves();
    let mut path: Vec<Node<H>> = vec![(start, moves, None)];
    while let Some((node, moves, _)) = path.last_mut() {
        let Some(one) = moves.pop() else {
            path.pop();
            continue;
        };
        explored.moves += 1;
        let mut after = node.clone();
        let outcome = after.carry_out(one);
        let mark = mark(&after);
        let is_new = outcome.is_err() || met.insert(mark);
        let healed = if outcome.is_ok() && is_new && mark.is_multiple_of(H::HEALED_EVERY) {
            explored.healed += 1;
            heal(after.clone().world_mut(), |_, _| {})
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
        if met.len() as u64 >= states_max {
            explored.is_complete = false;
            break;
        }
        let moves = after.moves();
        path.push((after, moves, Some(one)));
        explored.depth = explored.depth.max(path.len());
    }
    explored.states = met.len() as u64;
    explored
}

fn mark<H: History>(node: &H) -> u64 {
    let mut hasher = DefaultHasher::new();
    node.world().hash_all(&mut hasher);
    node.counts().hash(&mut hasher);
    hasher.finish()
}

fn actors(world: &World, is_it: impl Fn(&Actor) -> bool) -> Vec<u8> {
    let places = world.actors.iter().enumerate().filter(|(_, actor)| is_it(actor)).map(|(place, _)| place);
    places.filter_map(|place| u8::try_from(place).ok()).collect()
}

const fn is_recovery(actor: &Actor) -> bool {
    matches!(actor, Actor::Recovery(_) | Actor::Planned(_))
}

/// Lets an actor do so many whole calls.
fn serve(world: &mut World, actor: u8, calls: usize, choice: u8) -> Result<(), Broken> {
    for _ in 0..calls {
        for step in [Step::Ask { actor, choice }, Step::Carry { actor }, Step::Hear { actor }] {
            world.step(step)?;
        }
    }
    Ok(())
}

/// The syncers take what is queued, and write it.
fn consume(world: &mut World) -> Result<(), Broken> {
    for actor in actors(world, |actor| matches!(actor, Actor::Syncer(_))) {
        serve(world, actor, 1, 0)?;
        while world.is_at_work(actor.into()) {
            serve(world, actor, 1, 0)?;
        }
    }
    Ok(())
}
