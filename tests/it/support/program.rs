//! `flash` as child processes that die with the test.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use flash_tests::built;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A running `flash`. The kernel kills it when this thread ends, however that comes about; dropped, it is killed too.
pub(crate) struct Program {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Program {
    pub(crate) fn start(args: &[&str], environment: &[(&str, String)]) -> Self {
        Self::start_with(args, environment, Stdio::inherit())
    }

    /// What it logs goes to a file.
    pub(crate) fn start_logging(args: &[&str], environment: &[(&str, String)], log: &Path) -> Self {
        Self::start_with(args, environment, File::create(log).expect("writable").into())
    }

    fn start_with(args: &[&str], environment: &[(&str, String)], log: Stdio) -> Self {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(built("flash")).args(args);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("flash starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, stdout }
    }

    /// The next line on stdout, as JSON.
    pub(crate) fn line(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("readable");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("flash printed {line:?}: {error}"))
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().expect("ours to kill");
        self.child.wait().expect("killed");
    }

    /// Asks it to stop, as Ctrl-C would.
    pub(crate) fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Stops it where it is.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("ours to signal");
    }

    /// Waits for its end; what it still printed on stdout.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("readable");
        (self.child.wait().expect("a child"), rest)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
