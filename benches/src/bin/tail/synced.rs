//! How much of a file its server has brought to the disk: the calls of the server tell, and strace sees them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// How long strace may take to attach itself.
const ATTACH_MAX: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(5);

/// A file that is watched while its server runs.
pub(crate) struct Synced {
    strace: Child,
    calls: PathBuf,
    file: PathBuf,
    /// What was on the disk before.
    begun_bytes: u64,
}

/// What the calls say, in bytes.
#[derive(Default)]
struct Bytes {
    written: u64,
    /// Of what was written: what is on the disk.
    synced: u64,
    /// A write was under way when the server died: its bytes may be in the file.
    is_writing: bool,
}

impl Synced {
    /// Watches a file of which everything is on the disk, and to which nothing is written yet. `calls` is where the
    /// server's calls are noted.
    pub(crate) fn watch(pid: u32, file: PathBuf, calls: PathBuf) -> anyhow::Result<Self> {
        let begun_bytes = fs::metadata(&file)?.len();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "strace", "-f", "-qq", "-s", "0"]);
        command.args(["-e", "trace=write,fdatasync,fsync", "-e", "signal=none", "-P"]).arg(&file);
        command.arg("-o").arg(&calls).args(["-p", &pid.to_string()]).stdin(Stdio::null()).stderr(Stdio::null());
        let strace = command.spawn().context("strace, which scripts/bootstrap installs")?;
        let watch = Self { strace, calls, file, begun_bytes };
        let begin = Instant::now();
        while !is_traced(pid)? {
            ensure!(begin.elapsed() < ATTACH_MAX, "strace cannot attach itself to process {pid}");
            thread::sleep(LOOK);
        }
        ensure!(fs::metadata(&watch.file)?.len() == begun_bytes, "the file grew before it was watched");
        Ok(watch)
    }

    /// Cuts the file to what was on the disk when its server died.
    pub(crate) fn cut(mut self) -> anyhow::Result<()> {
        // It ends with what it traces.
        self.strace.wait()?;
        let bytes = Bytes::of(BufReader::new(File::open(&self.calls)?))?;
        let (length, seen) = (fs::metadata(&self.file)?.len(), self.begun_bytes + bytes.written);
        ensure!(
            bytes.written > 0 && (seen == length || bytes.is_writing && seen < length),
            "strace saw {seen} bytes of {length}"
        );
        File::options().write(true).open(&self.file)?.set_len(self.begun_bytes + bytes.synced)?;
        Ok(())
    }
}

impl Drop for Synced {
    fn drop(&mut self) {
        let _ = self.strace.kill();
        let _ = self.strace.wait();
    }
}

/// Whether each thread of a process has a tracer.
fn is_traced(pid: u32) -> anyhow::Result<bool> {
    for thread in fs::read_dir(Path::new("/proc").join(pid.to_string()).join("task"))? {
        let status = fs::read_to_string(thread?.path().join("status"))?;
        if status.lines().any(|line| line == "TracerPid:\t0") {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Bytes {
    /// A call is `PID write(8, ""..., 70) = 70`, or in two lines, where another thread calls in between:
    /// `PID fdatasync(8 <unfinished ...>`, and later `PID <... fdatasync resumed>) = 0`. A sync brings to the disk what
    /// was written before it began; a server has one of them under way at a time.
    fn of(calls: impl BufRead) -> anyhow::Result<Self> {
        let (mut bytes, mut sync_begun) = (Self::default(), 0);
        for line in calls.lines() {
            let line = line?;
            let call = line.split_once(' ').map_or("", |(_, call)| call.trim_start());
            let (is_end, name) = call.strip_prefix("<... ").map_or((false, call), |name| (true, name));
            let (is_write, is_sync) = (name.starts_with("write"), name.starts_with("f"));
            if !is_end && is_write {
                bytes.is_writing = true;
            }
            if !is_end && is_sync {
                sync_begun = bytes.written;
            }
            let answer = call.rsplit_once(" = ").and_then(|(_, answer)| answer.trim().parse::<u64>().ok());
            match answer {
                Some(answer) if is_write => {
                    bytes.written += answer;
                    bytes.is_writing = false;
                }
                Some(_) if is_sync => bytes.synced = sync_begun,
                _ => {}
            }
        }
        Ok(bytes)
    }
}
