//! The disk of a server is full, and has room again.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use rand::RngExt;
use tempfile::TempDir;

use crate::load::Size;
use crate::round;
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::{Terms, Which};

/// Room on each disk.
const DISK_MB: u64 = 300;
const BLOCK_BYTES: usize = 1 << 20;
/// How long it stays full.
const FULL: std::ops::Range<u64> = 1_000..5_000;
/// Buyers who write enough for the disk to matter.
const SIZE: Size = Size { wishes: 40, pause: Duration::from_millis(5) };

/// A disk in memory, until it is dropped.
struct Disk(TempDir);

impl Disk {
    fn mount() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let options = format!("size={DISK_MB}m,mode=755");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "faults"]).arg(dir.path()).status()?;
        ensure!(mounted.success(), "no disk can be mounted");
        Ok(Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room that is left.
    fn fill(&self) -> Result<PathBuf> {
        let path = self.path().join("filler");
        let mut filler = File::create(&path)?;
        let block = vec![1; BLOCK_BYTES];
        // It ends with an error: that there is no room left is what is wanted.
        while filler.write(&block).is_ok() {}
        Ok(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

/// Each round has a world of its own: the disk is one server's.
pub(super) fn full(runner: &mut Runner) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        runner.skip("only root may mount a small disk");
        return Ok(());
    }
    for which in Which::ALL {
        let disks = [Disk::mount()?, Disk::mount()?, Disk::mount()?];
        let place = |at: usize| (at == which as usize).then(|| disks[at].path().join("data"));
        let terms = Terms { places: [place(0), place(1), place(2)], ..Terms::default() };
        runner.rounds_of(Which::ALL.len(), &terms, |world, seed| {
            round::run(world, seed, SIZE, |strike| fill(strike, which, &disks[which as usize]))
        })?;
    }
    Ok(())
}

fn fill(strike: &mut Strike, which: Which, disk: &Disk) -> Result<()> {
    let filler = disk.fill()?;
    strike.note(format!("{which:?}: its disk is full"));
    let time = Duration::from_millis(strike.random.random_range(FULL));
    strike.last(time);
    fs::remove_file(filler)?;
    strike.note(format!("{which:?}: its disk has room"));
    // A server that cannot write may end, and its supervisor starts it again.
    if let Err(died) = strike.world.server(which).ensure_running() {
        let died = died.to_string();
        strike.note(format!("it had ended: {}", died.lines().next().unwrap_or_default()));
    }
    Ok(())
}
