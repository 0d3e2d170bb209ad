//! Clocks jump, forward and back, by seconds and by years, once and again, of one server, of several and of all: of
//! Redis, of PostgreSQL, of gateways and of syncers. Meanwhile sales are in doubt and a gateway dies, so that a lease
//! is in use.

use std::time::Duration;

use anyhow::Result;
use rand::RngExt;
use rand::seq::IndexedRandom;

use super::incident::Incident;
use super::lost::terms;
use crate::links::GATEWAYS;
use crate::round::{self, USUAL};
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::{NAMES, POSTGRES_CLOCK, Terms};

const HOUR_S: i64 = 60 * 60;
const YEAR_S: i64 = 365 * 24 * HOUR_S;
/// By how much a clock may be off.
const OFFSETS_S: [i64; 10] =
    [-10 * YEAR_S, -YEAR_S, -25 * HOUR_S, -HOUR_S, -5, 5, HOUR_S, 25 * HOUR_S, YEAR_S, 10 * YEAR_S];
/// Jumps of one round.
const JUMPS_MAX: u64 = 4;
/// What Redis' clock is called in a schedule.
const REDIS_CLOCK: &str = "redis";

pub(super) fn run(runner: &mut Runner) -> Result<()> {
    let terms = Terms { clocks: true, ..terms("always") };
    runner.rounds(&terms, |world, seed| round::run(world, seed, USUAL, strike))
}

fn strike(strike: &mut Strike) -> Result<()> {
    strike.excuses.clock = true;
    for _ in 0..strike.random.random_range(1..=JUMPS_MAX) {
        jump(strike)?;
        let pause = strike.ms(30..600);
        strike.last(pause);
        if strike.random.random_bool(0.4) {
            doubt(strike)?;
        }
    }
    // In every other round the next one begins with the clocks as they are.
    if strike.random.random_bool(0.5) {
        return Ok(());
    }
    clocks().try_for_each(|clock| set(strike, clock, 0))
}

fn clocks() -> impl Iterator<Item = &'static str> {
    [REDIS_CLOCK, POSTGRES_CLOCK].into_iter().chain(NAMES)
}

/// One clock jumps, or all of them by the same, or each by something else.
fn jump(strike: &mut Strike) -> Result<()> {
    let any = |strike: &mut Strike| *OFFSETS_S.choose(&mut strike.random).expect("there are some");
    match strike.random.random_range(0..4) {
        0 => {
            let offset_s = any(strike);
            clocks().try_for_each(|clock| set(strike, clock, offset_s))
        }
        1 => clocks().try_for_each(|clock| {
            let offset_s = any(strike);
            set(strike, clock, offset_s)
        }),
        _ => {
            let clock = *clocks().collect::<Vec<_>>().choose(&mut strike.random).expect("there are some");
            let offset_s = any(strike);
            set(strike, clock, offset_s)
        }
    }
}

fn set(strike: &mut Strike, clock: &str, offset_s: i64) -> Result<()> {
    strike.note(format!("the clock of {clock} is off by {offset_s} s"));
    if clock != REDIS_CLOCK {
        return strike.world.set_clock(clock, offset_s);
    }
    let mut redis = redis::Client::open(strike.world.servers.redis.url())?.get_connection()?;
    redis::cmd("FLASH.OFFSET").arg(offset_s * 1_000).query::<()>(&mut redis)?;
    Ok(())
}

/// The sales are in doubt. While a gateway recovers them, it may die, and PostgreSQL's clock may step back to before
/// the lease.
fn doubt(strike: &mut Strike) -> Result<()> {
    Incident::Fenced.happen(strike, Duration::ZERO)?;
    let pause = strike.ms(0..300);
    strike.last(pause);
    if strike.random.random_bool(0.5) {
        let gateway = strike.random.random_range(0..GATEWAYS);
        strike.note(format!("{}: SIGKILL", NAMES[gateway]));
        strike.world.processes[gateway].kill()?;
        let offset_s = *OFFSETS_S.choose(&mut strike.random).expect("there are some");
        set(strike, POSTGRES_CLOCK, offset_s)?;
    }
    Ok(())
}
