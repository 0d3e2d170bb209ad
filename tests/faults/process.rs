//! `flash gateway` and `flash syncer` as child processes that can be killed, stopped and started again.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use flash_tests::{built, wait};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::os::unix::process::CommandExt;

/// One of ours. The kernel kills it when the thread that started it ends; dropped, it is killed too.
pub(crate) struct Process {
    pub(crate) name: &'static str,
    args: Vec<String>,
    environment: Vec<(&'static str, String)>,
    log: PathBuf,
    running: Option<Child>,
}

/// Lines of a log that a failure shows.
const LOG_LINES_MAX: usize = 12;
/// How long the kernel may take to end what was killed.
const KILLED: Duration = Duration::from_secs(30);
/// What no log of ours may say.
const PANICKED: &str = "panicked";

impl Process {
    /// Not started yet. What it logs goes into `folder`.
    pub(crate) fn new(
        name: &'static str,
        args: &[&str],
        environment: Vec<(&'static str, String)>,
        folder: &Path,
    ) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { name, args, environment, log: folder.join(format!("{name}.log")), running: None }
    }

    pub(crate) fn start(&mut self) -> Result<()> {
        self.start_under(&[])
    }

    /// Starts it as a child of a tracer. One that still runs is killed.
    pub(crate) fn start_under(&mut self, tracer: &[String]) -> Result<()> {
        self.kill()?;
        let log = OpenOptions::new().create(true).append(true).open(&self.log).context("a log")?;
        // Whether it dies with us or with its tracer, it does not remain.
        let guard = ["setpriv", "--pdeathsig", "KILL", "--"].map(str::to_owned);
        let words: Vec<String> = if tracer.is_empty() { guard.to_vec() } else { [&guard, tracer, &guard].concat() };
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg(built("flash")).args(&self.args).process_group(0);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let quiet = File::options().write(true).open("/dev/null")?;
        self.running = Some(command.stdout(quiet).stderr(log).stdin(Stdio::null()).spawn().context("flash starts")?);
        Ok(())
    }

    /// Kills it, as a crash would. One that is gone stays gone.
    pub(crate) fn kill(&mut self) -> Result<()> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        // A tracer and what it traces are one group.
        signal_group(&running, Signal::KILL);
        running.wait().context("its end")?;
        // Only the first of the group is our child. What it traced may take a moment longer to let go of its port.
        let gone = wait::within(KILLED, || (!has_members(running.id())).then_some(()));
        gone.with_context(|| format!("{} lives {} s after SIGKILL", self.name, KILLED.as_secs()))
    }

    /// Asks it to stop in order, and waits for that.
    pub(crate) fn stop(&mut self) -> Result<()> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        let pid = i32::try_from(running.id()).ok().and_then(Pid::from_raw).context("a process id")?;
        kill_process(pid, Signal::TERM).context("ours to stop")?;
        let status = running.wait().context("its end")?;
        if !status.success() {
            bail!("{} was asked to stop and ended with {status}; its log ends with\n{}", self.name, self.log_tail());
        }
        Ok(())
    }

    /// Stops it where it is.
    pub(crate) fn pause(&self) {
        self.running.iter().for_each(|running| signal_group(running, Signal::STOP));
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.running.iter().for_each(|running| signal_group(running, Signal::CONT));
    }

    /// Whether it runs, as far as we did not stop it: one that ended by itself does not.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.running.as_mut().is_some_and(|running| matches!(running.try_wait(), Ok(None)))
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(Child::id)
    }

    /// A process that ended without being killed, or that has panicked, is a fault of ours.
    pub(crate) fn ensure_sound(&mut self) -> Result<()> {
        if self.running.is_some() && !self.is_alive() {
            bail!("{} ended by itself; its log ends with\n{}", self.name, self.log_tail());
        }
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        if let Some(line) = log.lines().find(|line| line.contains(PANICKED)) {
            bail!("{} has panicked: {line}", self.name);
        }
        Ok(())
    }

    /// The last lines of its log.
    pub(crate) fn log_tail(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_MAX)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Whether a thread of the group still runs, and is more than what is left of a dead one. Each of a process' threads is
/// asked: the first may be a zombie while another has yet to end, and the port is theirs until the last one has.
fn has_members(group: u32) -> bool {
    let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let threads = entries(Path::new("/proc")).flat_map(|process| entries(&process.join("task")).collect::<Vec<_>>());
    let stats = threads.filter_map(|thread| fs::read_to_string(thread.join("stat")).ok());
    // After the name, which may contain anything: the state, the parent, the group.
    stats.filter_map(|stat| stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned())).any(|rest| {
        let mut fields = rest.split(' ');
        let is_dead = matches!(fields.next(), Some("Z" | "X"));
        !is_dead && fields.nth(1).and_then(|group| group.parse().ok()) == Some(group)
    })
}

/// It may have ended already; then there is nothing to do.
fn signal_group(child: &Child, signal: Signal) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, signal);
    }
}
