//! A network that swallows, delays, splits or forgets one direction, without telling anybody.

use std::time::Duration;

use anyhow::Result;
use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};

use crate::links::Link;
use crate::load::Size;
use crate::round;
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::{Terms, Which};
use flash_tests::proxy::{Direction, Flow};

/// Buyers go on as long as it lasts, but not at full speed.
const SIZE: Size = Size { wishes: 12, pause: Duration::from_millis(10) };
/// What a slow network takes for each piece.
const LATENCY: Duration = Duration::from_secs(2);
/// Bytes in a piece of a network that splits.
const SLICE_BYTES: usize = 7;

fn rounds(runner: &mut Runner, fault: fn(&mut Strike) -> Result<()>) -> Result<()> {
    runner.rounds(&Terms::default(), |world, seed| round::run(world, seed, SIZE, fault))
}

/// Nothing passes, in both directions, and no connection breaks.
pub(super) fn blackhole(runner: &mut Runner) -> Result<()> {
    rounds(runner, |strike| {
        let links = some_links(strike);
        flow(strike, &links, &Direction::BOTH, Flow::Stall);
        let time = strike.ms(300..6_000);
        strike.last(time);
        Ok(())
    })
}

/// Nothing passes in one direction: what is asked is done, and the answer never comes; or the reverse.
pub(super) fn one_way(runner: &mut Runner) -> Result<()> {
    rounds(runner, |strike| {
        let links = some_links(strike);
        let direction = *Direction::BOTH.choose(&mut strike.random).expect("there are two");
        flow(strike, &links, &[direction], Flow::Stall);
        let time = strike.ms(300..4_000);
        strike.last(time);
        Ok(())
    })
}

/// Everything takes two seconds.
pub(super) fn latency(runner: &mut Runner) -> Result<()> {
    rounds(runner, |strike| {
        let links = some_links(strike);
        flow(strike, &links, &Direction::BOTH, Flow::Delay(LATENCY));
        let time = strike.ms(1_000..6_000);
        strike.last(time);
        Ok(())
    })
}

/// Everything comes in pieces of a few bytes.
pub(super) fn slicer(runner: &mut Runner) -> Result<()> {
    rounds(runner, |strike| {
        let links = some_links(strike);
        flow(strike, &links, &Direction::BOTH, Flow::Slice(SLICE_BYTES));
        let time = strike.ms(300..3_000);
        strike.last(time);
        Ok(())
    })
}

/// Links stop one by one, and heal in another order.
pub(super) fn swizzle(runner: &mut Runner) -> Result<()> {
    rounds(runner, |strike| {
        let mut links: Vec<Link> = strike.world.links.all().collect();
        links.shuffle(&mut strike.random);
        links.truncate(strike.random.random_range(3..=links.len()));
        for link in &links {
            flow(strike, &[*link], &Direction::BOTH, Flow::Stall);
            let pause = strike.ms(0..300);
            strike.last(pause);
        }
        links.shuffle(&mut strike.random);
        for link in &links {
            flow(strike, &[*link], &Direction::BOTH, Flow::Pass);
            let pause = strike.ms(0..300);
            strike.last(pause);
        }
        Ok(())
    })
}

/// One link, all of one process, or all to one server.
fn some_links(strike: &mut Strike) -> Vec<Link> {
    let all: Vec<Link> = strike.world.links.all().collect();
    let one = *all.choose(&mut strike.random).expect("there are links");
    let chosen: fn(&Link, &Link) -> bool = match strike.random.random_range(0..4) {
        0 => |link, one| link.process == one.process,
        1 => |link, one| link.server == one.server,
        _ => |link, one| link == one,
    };
    all.into_iter().filter(|link| chosen(link, &one)).collect()
}

/// What happens to the bytes of these links.
pub(super) fn flow(strike: &mut Strike, links: &[Link], directions: &[Direction], flow: Flow) {
    for link in links {
        strike.note(format!("{}: {flow:?} {directions:?}", link.name()));
        for direction in directions {
            strike.world.links.proxy(*link).set(*direction, flow);
        }
    }
}

/// One link, for those who want any.
pub(super) fn any_link(strike: &mut Strike, server: Option<Which>) -> Link {
    let links: Vec<Link> =
        strike.world.links.all().filter(|link| server.is_none_or(|server| link.server == server)).collect();
    *links.choose(&mut strike.random).expect("there are links")
}
