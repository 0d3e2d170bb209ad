//! Redis dies with its append-only file whole: `appendfsync always`, so that nothing that was answered may be missing.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use flash_tests::wait;

use crate::round::{self, USUAL};
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::Terms;

/// How long a Redis whose disk fails may take to give up.
const GIVE_UP: Duration = Duration::from_secs(3);

/// SIGKILL, or a disk that is slow, fails or is full.
pub(super) fn killed(runner: &mut Runner) -> Result<()> {
    runner.rounds(&Terms::default(), |world, seed| {
        round::run(world, seed, USUAL, |strike| match seed % 5 {
            0 => failing_disk(strike, "fdatasync:delay_enter=200000"),
            1 => failing_disk(strike, "fdatasync:error=EIO"),
            2 => failing_disk(strike, "write:error=ENOSPC"),
            _ => kill(strike),
        })
    })
}

/// Kills it and starts it again.
pub(super) fn kill(strike: &mut Strike) -> Result<()> {
    strike.note("Redis: SIGKILL");
    strike.world.servers.redis.server.kill()?;
    let away = strike.ms(0..400);
    strike.last(away);
    strike.note("Redis: started");
    strike.world.servers.redis.server.restart()?;
    Ok(())
}

/// What Redis asks of its disk is answered otherwise for a while; then it dies, if it has not ended by itself.
fn failing_disk(strike: &mut Strike, injection: &str) -> Result<()> {
    let server = &mut strike.world.servers.redis.server;
    let mut tracer = Tracer::attach(server.pid().context("Redis runs")?, injection)?;
    strike.note(format!("Redis: {injection}"));
    let time = strike.ms(100..1_500);
    strike.last(time);
    let server = &mut strike.world.servers.redis.server;
    // A Redis that must sync before it answers, and cannot, ends: that is what is wanted of it.
    wait::within(if injection.contains("error") { GIVE_UP } else { Duration::ZERO }, || server.ensure_running().err());
    tracer.detach();
    kill(strike)
}

/// strace, attached to a server.
struct Tracer(Child);

impl Tracer {
    fn attach(pid: u32, injection: &str) -> Result<Self> {
        let call = injection.split(':').next().unwrap_or_default();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "strace", "-f", "-qq", "-o", "/dev/null"]);
        command.args(["-e", &format!("trace={call}"), "-e", &format!("inject={injection}")]);
        command.args(["-p", &pid.to_string()]).stdin(Stdio::null()).stderr(Stdio::null());
        Ok(Self(command.spawn().context("strace, which scripts/bootstrap installs")?))
    }

    /// Killed, it lets go of what it traces.
    fn detach(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        self.detach();
    }
}
