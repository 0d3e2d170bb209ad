//! RabbitMQ dies.

use anyhow::Result;

use crate::round::{self, USUAL};
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::Terms;

/// SIGKILL in the midst of publishing, and a start on the same data.
pub(super) fn killed(runner: &mut Runner) -> Result<()> {
    let mut settled = false;
    runner.rounds(&Terms::default(), |world, seed| {
        if !std::mem::replace(&mut settled, true) {
            world.settle_rabbitmq()?;
        }
        round::run(world, seed, USUAL, kill)
    })
}

fn kill(strike: &mut Strike) -> Result<()> {
    strike.note("RabbitMQ: SIGKILL");
    strike.world.servers.rabbitmq.server.kill()?;
    let away = strike.ms(0..1_000);
    strike.last(away);
    strike.note("RabbitMQ: started");
    strike.world.servers.rabbitmq.server.restart()?;
    Ok(())
}
