//! PostgreSQL is restored from an older base: what was acknowledged since is known to Redis alone.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use flash_tests::wait;

use super::lost::{ON_ITS_WAY, terms};
use super::recoveries::SIZE;
use crate::eyes::Eyes;
use crate::round;
use crate::runner::Runner;
use crate::strike::Strike;

/// A file-level copy of a server that was stopped.
const COPY: &str = "postgres-base";

/// How many events are to be lost with the newer files.
const EVENTS: u64 = 20;
/// How long that may take.
const WRITTEN: Duration = Duration::from_secs(6);

pub(super) fn run(runner: &mut Runner) -> Result<()> {
    runner.rounds(&terms("always"), |world, seed| round::run(world, seed, SIZE, restore))
}

fn restore(strike: &mut Strike) -> Result<()> {
    let copy = strike.world.folder(COPY);
    let server = &mut strike.world.servers.postgres.server;
    let data = server.dir().join("data");
    server.stop()?;
    strike.note("PostgreSQL: its files are copied");
    let base = strike.now();
    replace(&data, &copy)?;
    strike.world.servers.postgres.server.restart()?;
    let eyes = strike.eyes()?;
    let before = wait::within(WRITTEN, || acked(strike, &eyes).ok()).context("Redis does not answer")?;
    let is_written =
        wait::within(WRITTEN, || acked(strike, &eyes).is_ok_and(|now| now > before + EVENTS).then_some(()));
    strike.note(if is_written.is_some() { "events were acknowledged since" } else { "nothing was acknowledged since" });
    strike.note("PostgreSQL: it has again what it had then");
    strike.world.servers.postgres.server.stop()?;
    // Of what was made from now on, nothing was written to the files that are lost.
    let lost = strike.now();
    replace(&copy, &data)?;
    strike.world.servers.postgres.server.restart()?;
    // What was answered shortly before the copy was made may have been written after it.
    strike.excuses.behind.push(base.saturating_sub(ON_ITS_WAY)..lost);
    strike.excuses.rejections = true;
    Ok(())
}

/// Events of the round's sales that PostgreSQL has, as far as Redis knows.
fn acked(strike: &Strike, eyes: &Eyes) -> Result<u64> {
    strike.sales.iter().map(|sale| Ok(eyes.status(sale)?.acked)).sum()
}

/// `to` becomes what `from` is.
fn replace(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    let status = Command::new("cp").arg("-a").args([from, to]).status()?;
    ensure!(status.success(), "{from:?} cannot be copied to {to:?}");
    Ok(())
}
