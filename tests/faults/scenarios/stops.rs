//! SIGSTOP: a process stops, its connections stay open, and later it goes on as if nothing had been: a zombie.

use std::time::Duration;

use anyhow::Result;
use rand::RngExt;

use crate::links::PROCESSES;
use crate::load::Size;
use crate::round;
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::{Terms, Which};

/// Buyers go on as long as it lasts, but not at full speed: a stop may be long.
const SIZE: Size = Size { wishes: 12, pause: Duration::from_millis(20) };

pub(super) fn run(runner: &mut Runner) -> Result<()> {
    runner.rounds(&Terms::default(), |world, seed| round::run(world, seed, SIZE, stop))
}

/// Short stops are many; some are longer than any heartbeat.
fn stop(strike: &mut Strike) -> Result<()> {
    let target = strike.random.random_range(0..PROCESSES + Which::ALL.len());
    let time = match strike.random.random_range(0..10) {
        0 => strike.ms(8_000..40_000),
        1 | 2 => strike.ms(2_000..8_000),
        _ => strike.ms(100..2_000),
    };
    stop_for(strike, target, time);
    Ok(())
}

/// Stops one of our processes, or a server, for so long.
pub(super) fn stop_for(strike: &mut Strike, target: usize, time: Duration) {
    let name = name(strike, target);
    strike.note(format!("{name}: SIGSTOP for {} ms", time.as_millis()));
    pause(strike, target);
    strike.last(time);
    strike.note(format!("{name}: SIGCONT"));
    resume(strike, target);
}

fn pause(strike: &mut Strike, target: usize) {
    match strike.world.processes.get(target) {
        Some(process) => process.pause(),
        None => strike.world.server(Which::ALL[target - PROCESSES]).pause(),
    }
}

fn resume(strike: &mut Strike, target: usize) {
    match strike.world.processes.get(target) {
        Some(process) => process.resume(),
        None => strike.world.server(Which::ALL[target - PROCESSES]).resume(),
    }
}

fn name(strike: &Strike, target: usize) -> String {
    let process = strike.world.processes.get(target).map(|process| process.name.to_owned());
    process.unwrap_or_else(|| format!("{:?}", Which::ALL[target - PROCESSES]))
}
