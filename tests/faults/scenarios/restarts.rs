//! A rolling restart: each process is asked to stop, finishes what it has, and comes back.

use anyhow::Result;

use crate::links::PROCESSES;
use crate::round::{self, USUAL};
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::Terms;

pub(super) fn rolling(runner: &mut Runner) -> Result<()> {
    runner.rounds(&Terms::default(), |world, seed| round::run(world, seed, USUAL, roll))
}

fn roll(strike: &mut Strike) -> Result<()> {
    for at in 0..PROCESSES {
        let process = &mut strike.world.processes[at];
        process.stop()?;
        process.start()?;
        let name = process.name;
        strike.note(format!("{name}: stopped in order and started"));
        let pause = strike.ms(0..300);
        strike.last(pause);
    }
    Ok(())
}
