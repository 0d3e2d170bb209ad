//! One of our processes dies at a system call: before a command is sent, between an answer and what is done with it,
//! after a commit and before its acknowledgement.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use flash_tests::wait;
use rand::RngExt;
use rand::seq::IndexedRandom;

use crate::links::{GATEWAYS, PROCESSES};
use crate::round::{self, USUAL};
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::Terms;

/// The calls by which a process of ours acts or learns. The signal comes before the call is carried out, so that a kill
/// at the one is a kill after the other.
const CALLS: [&str; 5] = ["sendto", "writev", "recvfrom", "epoll_wait", "write"];
/// The last call that may be meant: two to the power of so much. They count from the process' start.
const CALLS_LOG2_MAX: f64 = 9.5;
/// A process that makes fewer calls lives on, and is killed then.
const WAIT: Duration = Duration::from_millis(1_500);

pub(super) fn run(runner: &mut Runner) -> Result<()> {
    if !has_strace() {
        runner.skip("there is no strace: run scripts/bootstrap");
        return Ok(());
    }
    runner.rounds(&Terms::default(), |world, seed| round::run(world, seed, USUAL, kill))
}

fn has_strace() -> bool {
    Command::new("strace").arg("--version").output().is_ok()
}

fn kill(strike: &mut Strike) -> Result<()> {
    let target = strike.random.random_range(0..PROCESSES);
    let call = *CALLS.choose(&mut strike.random).expect("there are some");
    let nth = strike.random.random_range(0.0..CALLS_LOG2_MAX).exp2().floor();
    let inject = format!("inject={call}:signal=SIGKILL:when={nth}");
    let trace = format!("trace={call}");
    let tracer = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    if target >= GATEWAYS {
        // RabbitMQ gives the queue to one syncer at a time: without the other, to this one.
        let other = &mut strike.world.processes[PROCESSES - 1 - target + GATEWAYS];
        other.kill()?;
    }
    let process = &mut strike.world.processes[target];
    let name = process.name;
    process.start_under(&tracer.map(str::to_owned))?;
    strike.note(format!("{name}: started anew, SIGKILL at its {nth}th {call}"));
    let process = &mut strike.world.processes[target];
    let died = wait::within(WAIT, || (!process.is_alive()).then_some(()));
    process.kill()?;
    strike.note(if died.is_some() { "it is dead" } else { "so many calls never came; SIGKILL" });
    Ok(())
}
