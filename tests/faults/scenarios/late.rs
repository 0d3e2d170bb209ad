//! A late delivery: a message is on its way for so long that its sender gives it up, connects anew and does something
//! else; then it arrives, and is carried out.

use anyhow::Result;
use flash_tests::proxy::Hold;
use flash_tests::wait;
use rand::RngExt;
use std::time::Duration;

use super::incident::{Incident, Point, dumps};
use super::lost::terms;
use super::recoveries::SIZE;
use crate::links::{Link, PROCESSES};
use crate::round;
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::Which;

/// How long the message may take to be sent.
const SENT: Duration = Duration::from_secs(1);

pub(super) fn run(runner: &mut Runner) -> Result<()> {
    runner.rounds(&terms("always"), |world, seed| {
        round::run(world, seed, SIZE, |strike| if seed % 3 == 0 { any(strike) } else { of_recovery(strike, seed / 3) })
    })
}

/// Any message of any process, to Redis or PostgreSQL.
fn any(strike: &mut Strike) -> Result<()> {
    let process = strike.random.random_range(0..PROCESSES);
    let server = if strike.random.random_bool(0.5) { Which::Redis } else { Which::Postgres };
    let link = Link { process, server };
    let hold = Hold::first(&[]).skip(strike.random.random_range(0..40));
    strike.note(format!("{}: message {} from now on will be held", link.name(), hold.skip));
    let proxy = strike.world.links.proxy(link);
    proxy.hold(hold);
    wait::within(SENT, || proxy.is_held().then_some(()));
    let time = strike.ms(500..4_000);
    strike.last(time);
    strike.note("it goes on");
    strike.world.links.proxy(link).let_go();
    Ok(())
}

/// A message of a recovery.
fn of_recovery(strike: &mut Strike, seed: u64) -> Result<()> {
    let (point, older) = (Point::of(seed), dumps(strike)?);
    point.arm(strike);
    let since = strike.now();
    Incident::any(strike, &older).happen(strike, since)?;
    point.is_reached(strike);
    let time = strike.ms(1_000..4_500);
    strike.last(time);
    point.let_go(strike);
    Ok(())
}
