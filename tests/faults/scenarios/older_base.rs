//! PostgreSQL is restored from an older base: what was acknowledged since is known to Redis alone.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use super::lost::terms;
use super::recoveries::SIZE;
use crate::round;
use crate::runner::Runner;
use crate::strike::Strike;

/// A file-level copy of a server that was stopped.
const COPY: &str = "postgres-base";

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
    let time = strike.ms(300..2_000);
    strike.last(time);
    strike.note("PostgreSQL: it has again what it had then");
    strike.world.servers.postgres.server.stop()?;
    replace(&copy, &data)?;
    strike.world.servers.postgres.server.restart()?;
    let now = strike.now();
    strike.excuses.behind.push(base..now);
    strike.excuses.rejections = true;
    Ok(())
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
