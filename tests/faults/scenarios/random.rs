//! Everything at once, for long: a fault every few seconds, whichever.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use flash_tests::wait;
use rand::RngExt;

use super::{broker, cuts, lost, network, postgres, redis, stops};
use crate::links::PROCESSES;
use crate::load::Size;
use crate::round;
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::{Which, World};
use flash_tests::proxy::{Direction, Flow};

/// Of one round; then everything heals and is checked.
const ROUND: Duration = Duration::from_secs(50);
/// Rounds at either end whose memory is compared.
const ROUNDS_COMPARED: usize = 5;
/// By how much a process may have grown between them: what an allocator keeps back differs from run to run.
const GROWTH_KB_MAX: u64 = 16 * 1024;
/// Between two faults.
const BETWEEN_MS: std::ops::Range<u64> = 3_000..10_000;
/// Buyers who do not pause: there are to be many requests.
const SIZE: Size = Size { wishes: 12, pause: Duration::from_millis(1) };

/// A round lasts about a minute.
pub(super) fn soak(runner: &mut Runner) -> Result<()> {
    let mut memories: Vec<Vec<u64>> = Vec::new();
    let mut settled = false;
    runner.rounds(&lost::terms("always"), |world, seed| {
        if !std::mem::replace(&mut settled, true) {
            world.settle_rabbitmq()?;
        }
        let tally = round::run(world, seed, SIZE, strikes)?;
        memories.push(memory(world)?);
        eprintln!("    memory of gateways and syncers in KB: {:?}", memories.last());
        ensure_flat(&memories)?;
        Ok(tally)
    })
}

/// What is kept of a sale, and a leak is what is kept for ever, would show in the later rounds: each process' least of
/// the last [`ROUNDS_COMPARED`] is beside its greatest of the first ones. (A process that was just started has less.)
fn ensure_flat(memories: &[Vec<u64>]) -> Result<()> {
    if memories.len() < 2 * ROUNDS_COMPARED {
        return Ok(());
    }
    let of = |rounds: &[Vec<u64>], process: usize| rounds.iter().map(|round| round[process]).collect::<Vec<_>>();
    for process in 0..PROCESSES {
        let early = of(&memories[..ROUNDS_COMPARED], process).into_iter().max().unwrap_or_default();
        let late = of(&memories[memories.len() - ROUNDS_COMPARED..], process).into_iter().min().unwrap_or_default();
        if late > early + GROWTH_KB_MAX {
            bail!("process {process} had at most {early} KB in the first rounds, and has at least {late} KB now");
        }
    }
    Ok(())
}

fn strikes(strike: &mut Strike) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < ROUND {
        let between = strike.ms(BETWEEN_MS);
        strike.last(between);
        one(strike)?;
    }
    Ok(())
}

fn one(strike: &mut Strike) -> Result<()> {
    match strike.random.random_range(0..12) {
        0..3 => restart(strike),
        3..5 => cuts::cut(strike),
        5..7 => {
            let link = network::any_link(strike, None);
            network::flow(strike, &[link], &Direction::BOTH, Flow::Stall);
            let time = strike.ms(100..4_000);
            strike.last(time);
            network::flow(strike, &[link], &Direction::BOTH, Flow::Pass);
            Ok(())
        }
        7..9 => {
            let target = strike.random.random_range(0..PROCESSES + Which::ALL.len());
            let time = strike.ms(100..3_000);
            stops::stop_for(strike, target, time);
            Ok(())
        }
        9 => redis::kill(strike),
        10 => postgres::kill(strike),
        _ => broker::kill(strike),
    }
}

fn restart(strike: &mut Strike) -> Result<()> {
    let target = strike.random.random_range(0..PROCESSES);
    let process = &mut strike.world.processes[target];
    process.kill()?;
    let name = process.name;
    strike.note(format!("{name}: SIGKILL"));
    let away = strike.ms(0..2_000);
    strike.last(away);
    strike.note(format!("{name}: started"));
    strike.world.processes[target].start()
}

/// Resident memory of our processes, in KB.
fn memory(world: &World) -> Result<Vec<u64>> {
    let of = |pid: Option<u32>| {
        let path = format!("/proc/{}/status", pid.context("it runs")?);
        // A process that has just been started is not yet what it will be.
        let line = wait::within(Duration::from_secs(5), || {
            let status = std::fs::read_to_string(&path).ok()?;
            status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().split(' ').next()?.parse().ok()
        });
        line.context("its memory")
    };
    world.processes.iter().map(|process| of(process.pid())).collect()
}
