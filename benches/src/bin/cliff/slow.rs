//! Syncs of a process that strace holds up.

use std::fs;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::NamedTempFile;

/// As long as it lives, one sync in so many is slow.
pub(crate) struct SlowSyncs {
    strace: Child,
    log: NamedTempFile,
}

impl SlowSyncs {
    pub(crate) fn start(pid: u32, slow_ms: u64, every: u64) -> anyhow::Result<Self> {
        let log = NamedTempFile::new()?;
        let injection = format!("inject=fdatasync:delay_enter={}:when={every}+{every}", slow_ms * 1_000);
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-e", "trace=fdatasync", "-e", "signal=none", "-e", &injection]);
        strace.arg("-o").arg(log.path()).args(["-p", &pid.to_string()]);
        let strace = strace.stdin(Stdio::null()).spawn().context("strace, which scripts/bootstrap installs")?;
        Ok(Self { strace, log })
    }

    /// Ends it; how many syncs were slow.
    pub(crate) fn stop(mut self) -> anyhow::Result<usize> {
        let pid = i32::try_from(self.strace.id()).ok().and_then(Pid::from_raw).context("a process id")?;
        // SIGTERM makes strace detach. SIGKILL could leave the traced process stopped.
        kill_process(pid, Signal::INT)?;
        self.strace.wait()?;
        let log = fs::read_to_string(self.log.path())?;
        Ok(log.lines().filter(|line| line.contains("(DELAYED)")).count())
    }
}

impl Drop for SlowSyncs {
    fn drop(&mut self) {
        let _ = self.strace.kill();
        let _ = self.strace.wait();
    }
}
