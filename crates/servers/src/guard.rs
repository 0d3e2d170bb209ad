//! A child process that cannot outlive us.
//!
//! The kernel sends the child SIGKILL when its parent dies (PR_SET_PDEATHSIG, here through `setpriv`), also when the
//! parent was itself killed by SIGKILL. Two traps lie in that:
//!
//! - "Parent" means the *thread* that made the child. A test's thread, or one of a runtime's pool, ends long before the
//!   process does, and would take the server with it. So every child is made by one thread that never ends.
//! - The parent may die before the child has asked for the signal. So the child looks at its parent once more
//!   after asking, and does not go on when that is a stranger.
//!
//! Grandchildren do not inherit the signal. Those of our servers end when their server does; what is still there is
//! killed when we end the server ourselves.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use crate::tree::{self, Process};
use crate::{Error, program, wait};

/// How long SIGKILL may take, in milliseconds. The kernel needs a moment to take back a large memory.
const KILL_WAIT_MS_MAX: u64 = 60_000;

/// Run by the child once the signal is asked for. `$0` is the parent that it was asked for.
const UNLESS_ORPHANED: &str = r#"[ "$PPID" = "$0" ] && exec "$@""#;

/// What to run.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    /// Added to `PATH` and `LC_ALL`; nothing else of our environment reaches the child, so that a user's `PGDATA` or
    /// `RABBITMQ_…` cannot change what it does.
    pub(crate) env: Vec<(&'static str, OsString)>,
    pub(crate) dir: PathBuf,
    /// User and group to drop to.
    pub(crate) user: Option<u32>,
}

impl Task {
    fn command(&self) -> Result<Command, Error> {
        let mut command = Command::new(program::find("setpriv", "util-linux")?);
        command.args(["--pdeathsig", "KILL"]);
        if let Some(id) = self.user {
            command.args([format!("--reuid={id}"), format!("--regid={id}"), "--clear-groups".into()]);
        }
        command.args(["--", "/bin/sh", "-c", UNLESS_ORPHANED]).arg(std::process::id().to_string());
        command.arg(&self.program).args(&self.args);
        command.env_clear().env("PATH", program::search_path()).env("LC_ALL", "C.UTF-8");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.current_dir(&self.dir);
        // A group of its own: Ctrl-C on the terminal reaches us alone, and we stop the servers in order.
        command.process_group(0);
        Ok(command)
    }
}

/// A running child and its descendants; dropped, they are killed.
#[derive(Debug)]
pub(crate) struct Guarded {
    child: Child,
}

impl Guarded {
    /// Starts it. What it prints goes to `output`.
    pub(crate) fn spawn(task: &Task, input: impl Into<Stdio>, output: [Stdio; 2]) -> Result<Self, Error> {
        let [stdout, stderr] = output;
        let mut command = task.command()?;
        command.stdin(input).stdout(stdout).stderr(stderr);
        let what = format!("cannot run {}", task.program.display());
        let child = spawn_from_lasting_thread(command).map_err(Error::io(what))?;
        Ok(Self { child })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, when it has.
    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, limit_ms: u64) -> Option<ExitStatus> {
        wait::until(limit_ms, || self.exited())
    }

    /// Asks it to end with `signal`. `false`: it did not within `limit_ms` and was killed. When this returns, no
    /// descendant is left either.
    pub(crate) fn stop(&mut self, signal: Signal, limit_ms: u64) -> Result<bool, Error> {
        if self.exited().is_some() {
            return Ok(true);
        }
        let family = self.descendants();
        self.signal(signal);
        if self.wait(limit_ms).is_none() {
            self.kill()?;
            return Ok(false);
        }
        kill_all(&family)?;
        Ok(true)
    }

    /// Kills it and its descendants, as a crash would. When this returns, none is left.
    pub(crate) fn kill(&mut self) -> Result<(), Error> {
        if self.exited().is_some() {
            return Ok(());
        }
        // Stopped, it makes no new children while we look for those that it has.
        self.signal(Signal::STOP);
        let family = self.descendants();
        self.signal(Signal::KILL);
        if self.wait(KILL_WAIT_MS_MAX).is_none() {
            return Err(unkillable(vec![self.pid().cast_signed()]));
        }
        kill_all(&family)
    }

    /// Stops it where it is, as a machine that stalls would; and its descendants, if they are to.
    pub(crate) fn pause(&self, is_family: bool) {
        self.signal(Signal::STOP);
        if is_family {
            self.descendants().into_iter().for_each(|process| process.signal(Signal::STOP));
        }
    }

    /// Lets it and its descendants go on.
    pub(crate) fn resume(&self) {
        self.descendants().into_iter().for_each(|process| process.signal(Signal::CONT));
        self.signal(Signal::CONT);
    }

    /// Only while its end was not seen: its number may belong to another process afterwards.
    fn descendants(&self) -> Vec<Process> {
        tree::descendants(self.pid().cast_signed())
    }

    /// Only while its end was not seen, for the same reason.
    fn signal(&self, signal: Signal) {
        // It fails only when the process has ended meanwhile, which a caller that waits for its end will see.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

fn kill_all(family: &[Process]) -> Result<(), Error> {
    for process in family {
        process.kill();
    }
    let survivors =
        || family.iter().filter(|process| process.is_alive()).map(|process| process.pid).collect::<Vec<_>>();
    wait::until(KILL_WAIT_MS_MAX, || survivors().is_empty().then_some(())).ok_or_else(|| unkillable(survivors()))
}

fn unkillable(pids: Vec<i32>) -> Error {
    Error::Unkillable { pids, limit_ms: KILL_WAIT_MS_MAX }
}

type Request = (Command, Sender<io::Result<Child>>);

fn spawn_from_lasting_thread(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Sender<Request>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (requests, inbox) = channel();
        thread::spawn(move || serve(inbox));
        requests
    });
    let (reply, answer) = channel();
    let no_thread = "the thread that makes child processes has ended";
    spawner.send((command, reply)).map_err(|_| io::Error::other(no_thread))?;
    answer.recv().map_err(|_| io::Error::other(no_thread))?
}

fn serve(inbox: Receiver<Request>) {
    for (mut command, reply) in inbox {
        let child = command.spawn();
        // Ours of the child's files first, above all the lock: from here on it is the child's alone.
        drop(command);
        // The caller waits for the answer, so it is never sent in vain.
        let _ = reply.send(child);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};

    /// A shell script that runs, and the first line that it printed.
    fn spawn(script: &str) -> (Guarded, String) {
        let args = vec!["-c".into(), script.into()];
        let task = Task { program: "/bin/sh".into(), args, env: vec![], dir: "/".into(), user: None };
        let (output, stdout) = io::pipe().unwrap();
        let stderr = stdout.try_clone().unwrap();
        let guarded = Guarded::spawn(&task, Stdio::null(), [Stdio::from(stdout), Stdio::from(stderr)]).unwrap();
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).unwrap();
        (guarded, line.trim().into())
    }

    fn is_alive(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    }

    #[test]
    fn stop_tells_whether_the_child_heeded_the_signal() {
        let (mut obedient, _) = spawn("echo ready; sleep 600");
        assert!(obedient.stop(Signal::TERM, 60_000).unwrap());
        let (mut stubborn, _) = spawn("trap '' TERM; echo ready; sleep 600");
        assert!(!stubborn.stop(Signal::TERM, 100).unwrap());
        assert!(stubborn.exited().is_some());
    }

    #[test]
    fn a_grandchild_in_a_session_of_its_own_is_killed_too() {
        check_end("kill", |child| child.kill().unwrap());
        check_end("stop", |child| {
            assert!(child.stop(Signal::TERM, 60_000).unwrap());
        });
        check_end("drop", |child| *child = spawn("echo another").0);
    }

    fn check_end(name: &str, end: fn(&mut Guarded)) {
        let (mut child, grandchild) = spawn("setsid sh -c 'echo $$; exec sleep 600' & wait");
        assert!(is_alive(&grandchild), "{name}");
        end(&mut child);
        assert!(!is_alive(&grandchild), "{name}");
    }

    #[test]
    fn a_child_whose_parent_is_gone_already_does_not_begin() {
        let stranger = "1";
        let orphan = Command::new("/bin/sh").args(["-c", UNLESS_ORPHANED, stranger, "echo", "begun"]).output().unwrap();
        assert!(orphan.stdout.is_empty() && !orphan.status.success());
        let ours = std::process::id().to_string();
        let child = Command::new("/bin/sh").args(["-c", UNLESS_ORPHANED, &ours, "echo", "begun"]).output().unwrap();
        assert_eq!(child.stdout, b"begun\n");
    }
}
