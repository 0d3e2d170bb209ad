//! Random schedules by seed.

use crate::model::mixed;
use crate::redis::Offer;
use crate::rules::Rules;
use crate::step::{Fault, Step};
use crate::witness::Broken;
use crate::world::{Actor, Shape, World};

/// Steps of a schedule before it heals, at most.
const STEPS_MAX: u64 = 2_000;
/// Rounds in which everything must come to rest after the last fault.
const HEAL_ROUNDS_MAX: usize = 400;
/// For how many steps an actor does nothing, at most: longer than a whole recovery.
const SLEEP_STEPS_MAX: u64 = 400;
/// One step in so many is a fault while someone recovers, in every other schedule.
const KEEN_FAULT_EVERY: u64 = 24;
/// Where faults are rare, and calls fail often: one step in so many, each.
const RARE_FAULT_EVERY: u64 = 150;
const FREQUENT_GIVE_UP_EVERY: u64 = 8;
/// Passes in each round of healing, milliseconds.
const HEAL_ROUND_MS: u64 = 50;

/// `SplitMix64` (Steele, Lea and Flood, 2014).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// Less than `bound`.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        ((self.bits() as u128 * bound as u128) >> 64) as u64
    }

    pub(crate) fn small(&mut self, bound: usize) -> u8 {
        u8::try_from(self.below(bound as u64)).unwrap_or(0)
    }

    const fn is_one_of(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

/// What came of a schedule.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Steps that happened, healing included.
    pub steps: u64,
    /// The promise that was broken, if one was.
    pub broken: Option<Broken>,
}

/// Which faults a schedule may have. Each has some of them: rare combinations are not drowned by frequent ones.
#[derive(Debug, Clone, Default)]
struct Swarm {
    faults: Vec<Fault>,
    /// One step in so many is a fault.
    fault_every: u64,
    give_up_every: u64,
    late_every: u64,
    kill_every: u64,
    sleep_every: u64,
    tick_every: u64,
    /// Faults strike above all while someone recovers.
    is_keen: bool,
}

impl Swarm {
    fn new(random: &mut Random) -> Self {
        use Fault::*;
        const ALL: [&[Fault]; 8] = [
            &[Persist, Persist, Persist, Persist, Restart],
            &[Dump, Dump, Dump, Restore(0), Restore(1), Restore(2)],
            &[LoseRedis],
            &[Rename],
            &[WarmByHand],
            &[Backup, Backup, Failover(0), Failover(1)],
            &[LoseQueue, Disconnect],
            &[Repeat(0), Delay(0), Delay(1), CatchUp, Spoil(0), Spoil(1)],
        ];
        // Half of the schedules have one or two kinds of faults, the others some of all.
        let faults = if random.is_one_of(2) {
            let two = [0, 1].map(|_| ALL[usize::from(random.small(ALL.len()))]);
            two.iter().take(1 + usize::from(random.small(2))).flat_map(|faults| faults.iter().copied()).collect()
        } else {
            let chosen = ALL.iter().filter(|_| random.is_one_of(3)).flat_map(|faults| faults.iter().copied());
            chosen.collect()
        };
        let mut every = |least: u64, span: u64| least + random.below(span);
        Self {
            faults,
            fault_every: every(10, 120),
            give_up_every: every(8, 100),
            late_every: every(10, 100),
            kill_every: every(60, 1_000),
            sleep_every: every(10, 200),
            tick_every: every(10, 100),
            is_keen: every(0, 2) > 0,
        }
    }
}

/// The world of a seed: some have pay windows, some a limit of two, some two gateways and some three.
fn shape(random: &mut Random) -> Shape {
    let hold_ms = random.is_one_of(2).then_some(crate::model::HOLD_MS);
    let offer = Offer { total: 2 + random.below(5), limit: 1 + u32::from(random.is_one_of(3)), hold_ms };
    Shape {
        gateways: 2 + random.small(2),
        syncers: 1 + random.small(2),
        buyers: 2 + random.small(5),
        offer,
        operator: !random.is_one_of(3),
    }
}

/// The world that belongs to a seed.
pub(crate) fn world_of(seed: u64, rules: Rules) -> World {
    World::new(shape(&mut Random::new(seed)), rules)
}

/// Runs the schedule of a seed: with these faults only, should there be any. `keep` gets each step.
pub(crate) fn run(seed: u64, rules: Rules, faults: &[Fault], mut keep: impl FnMut(Step)) -> Outcome {
    let mut world = world_of(seed, rules);
    let mut random = Random::new(mixed(seed ^ 0x5bd1_e995));
    let mut swarm = Swarm::new(&mut random);
    if !faults.is_empty() {
        // A planted bug: faults in the middle of recoveries, or rare ones, and calls that fail.
        (swarm.faults, swarm.is_keen) = (faults.to_vec(), seed.is_multiple_of(2));
        if !swarm.is_keen {
            (swarm.fault_every, swarm.give_up_every) = (RARE_FAULT_EVERY, FREQUENT_GIVE_UP_EVERY);
        }
    }
    let length = 50 + random.below(STEPS_MAX);
    let mut asleep = vec![0u64; world.actors.len()];
    let mut steps = 0;
    let mut burst: Vec<Step> = Vec::new();
    for number in 0..length {
        let chosen = burst.pop().or_else(|| choose(&world, &mut random, &swarm, &mut asleep, number));
        let Some(step) = chosen else { continue };
        if let Step::Ask { actor, .. } = step
            && !random.is_one_of(3)
        {
            // Most calls meet nothing on their way.
            burst = vec![Step::Hear { actor }, Step::Carry { actor }];
        }
        keep(step);
        steps += 1;
        if let Err(broken) = world.step(step) {
            return Outcome { steps, broken: Some(broken) };
        }
    }
    let broken = heal(&mut world, |_, _| steps += 1).err();
    Outcome { steps, broken }
}

fn choose(world: &World, random: &mut Random, swarm: &Swarm, asleep: &mut [u64], number: u64) -> Option<Step> {
    let fault_every = if swarm.is_keen && world.is_recovering() { KEEN_FAULT_EVERY } else { swarm.fault_every };
    if !swarm.faults.is_empty() && random.is_one_of(fault_every) {
        return Some(Step::Fault(swarm.faults[usize::from(random.small(swarm.faults.len()))]));
    }
    if random.is_one_of(swarm.tick_every) {
        let ms = [10, 500, 4_000, 6_000][usize::from(random.small(4))];
        return Some(Step::Tick { ms });
    }
    if !world.orphans.is_empty() && random.is_one_of(swarm.late_every) {
        return Some(Step::Late { orphan: random.small(world.orphans.len()) });
    }
    let mut actor = random.small(world.actors.len());
    if swarm.is_keen && random.is_one_of(2) {
        // Recoveries come first in the list, three actors for each gateway.
        actor = 3 * random.small(usize::from(world.shape.gateways));
    }
    let place = usize::from(actor);
    if random.is_one_of(swarm.kill_every) {
        return Some(Step::Kill { actor });
    }
    if random.is_one_of(swarm.sleep_every) {
        asleep[place] = number + random.below(SLEEP_STEPS_MAX);
    }
    if asleep[place] > number {
        return None;
    }
    if matches!(world.actors[place], Actor::Sweep(_) | Actor::Operator(_))
        && world.calls[place].is_none()
        && !random.is_one_of(8)
    {
        return None;
    }
    let gives_up = random.is_one_of(swarm.give_up_every);
    Some(match world.progress(place) {
        None => Step::Ask { actor, choice: random.small(256) },
        Some(_) if gives_up => Step::GiveUp { actor },
        Some(false) => Step::Carry { actor },
        Some(true) => Step::Hear { actor },
    })
}

/// No more faults: requests that were given up on are carried out, and everyone works in turn.
pub(crate) fn heal(world: &mut World, mut look: impl FnMut(&World, Step)) -> Result<(), Broken> {
    while !world.orphans.is_empty() {
        look(world, Step::Late { orphan: 0 });
        world.step(Step::Late { orphan: 0 })?;
    }
    world.broker.catch_up();
    // Its heartbeat ends a consumer whose good-bye was lost.
    world.broker.disconnect();
    let mut end = Err(Broken::NotHealed);
    for round in 0..HEAL_ROUNDS_MAX {
        world.now_ms += HEAL_ROUND_MS;
        for actor in 0..world.actors.len() {
            if matches!(world.actors[actor], Actor::Buyer(_) | Actor::Operator(_)) {
                continue;
            }
            let actor = u8::try_from(actor).unwrap_or(0);
            for step in [Step::Ask { actor, choice: 0 }, Step::Carry { actor }, Step::Hear { actor }] {
                look(world, step);
                world.step(step)?;
            }
        }
        if round % 8 == 7 {
            end = world.witness.check_end(&world.redis, &world.postgres);
            if end.is_ok() && !world.is_busy() {
                return Ok(());
            }
        }
    }
    end
}

/// Replays a schedule, and heals. What is broken, if something is.
pub(crate) fn replay(seed: u64, rules: Rules, schedule: &[Step]) -> Option<Broken> {
    let mut world = world_of(seed, rules);
    for step in schedule {
        if let Err(broken) = world.step(*step) {
            return Some(broken);
        }
    }
    heal(&mut world, |_, _| {}).err()
}
