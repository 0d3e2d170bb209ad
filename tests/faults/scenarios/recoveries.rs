//! One recovery is stopped at a point of it, for each point, while another runs or Redis forgets again.

use std::time::Duration;

use anyhow::Result;
use flash_vault::RECOVERY_LEASE_S;

use super::incident::{Incident, Point, dumps};
use super::lost::terms;
use crate::checker::Tally;
use crate::load::Size;
use crate::round;
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::World;

/// Buyers go on as long as it lasts, but not at full speed.
pub(super) const SIZE: Size = Size { wishes: 8, pause: Duration::from_millis(20) };

fn rounds(runner: &mut Runner, fault: fn(&mut Strike, Point) -> Result<()>) -> Result<()> {
    let round = |world: &mut World, seed| -> Result<Tally> {
        round::run(world, seed, SIZE, |strike| fault(strike, Point::of(seed)))
    };
    runner.rounds(&terms("always"), round)
}

/// A gateway stops at a message of its recovery for longer than its lease; the other one recovers meanwhile. Then the
/// message arrives, and the gateway goes on.
pub(super) fn stopped(runner: &mut Runner) -> Result<()> {
    rounds(runner, |strike, point| {
        first_incident(strike, &point)?;
        if point.is_reached(strike) {
            strike.world.processes[point.link.process].pause();
            strike.note("SIGSTOP for it; SIGCONT for the other gateway");
            strike.world.processes[point.other()].resume();
            let lease = Duration::from_secs_f64(RECOVERY_LEASE_S);
            let longer = strike.ms(200..1_500);
            strike.last(lease + longer);
        }
        point.let_go(strike);
        let process = point.link.process;
        strike.world.processes[process].resume();
        Ok(())
    })
}

/// Redis forgets again, at that point.
pub(super) fn lost_again(runner: &mut Runner) -> Result<()> {
    rounds(runner, |strike, point| {
        let since = first_incident(strike, &point)?;
        point.is_reached(strike);
        Incident::Gone.happen(strike, since)?;
        point.let_go(strike);
        Ok(())
    })
}

/// Redis is replaced by what it was before, at that point.
pub(super) fn older_dump(runner: &mut Runner) -> Result<()> {
    rounds(runner, |strike, point| {
        let older = dumps(strike)?;
        let time = strike.ms(0..200);
        strike.last(time);
        let since = first_incident(strike, &point)?;
        point.is_reached(strike);
        Incident::Older(older).happen(strike, since)?;
        point.let_go(strike);
        Ok(())
    })
}

/// Nothing can be rebuilt for want of memory, so that each gateway lets the sales rest; before they are looked at
/// again, Redis forgets a second time, perhaps after one gateway has brought them back.
pub(super) fn lost_at_rest(runner: &mut Runner) -> Result<()> {
    rounds(runner, |strike, point| {
        let mut redis = redis::Client::open(strike.world.servers.redis.url())?.get_connection()?;
        let mut memory =
            |bytes: u64| redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(bytes).query::<()>(&mut redis);
        strike.note("Redis: no memory");
        memory(1)?;
        let since = strike.now();
        Incident::Gone.happen(strike, since)?;
        let time = strike.ms(300..800);
        strike.last(time);
        let process = point.link.process;
        strike.note("SIGSTOP for one gateway; Redis has memory again");
        strike.world.processes[process].pause();
        memory(0)?;
        let time = strike.ms(500..3_500);
        strike.last(time);
        let again = Incident::any(strike, &[]);
        let again = if matches!(again, Incident::Older(_)) { Incident::Gone } else { again };
        let now = strike.now();
        again.happen(strike, now)?;
        strike.world.processes[process].resume();
        Ok(())
    })
}

/// The other gateway is stopped, so that the recovery is the point's. Gives when it happened.
fn first_incident(strike: &mut Strike, point: &Point) -> Result<Duration> {
    let older = dumps(strike)?;
    point.arm(strike);
    strike.world.processes[point.other()].pause();
    let since = strike.now();
    Incident::any(strike, &older).happen(strike, since)?;
    Ok(since)
}
