//! One private server: started, killed, started again, stopped.

use std::path::Path;

use rustix::process::Signal;

use crate::guard::{Guarded, Task};
use crate::place::{Lock, Place};
use crate::probe::Probe;
use crate::{Error, port, wait};

/// How long a dropped server gets to end by itself before it is killed, in milliseconds.
const DROP_WAIT_MS_MAX: u64 = 2_000;

/// All that differs from one kind of server to the next.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    /// What errors call it.
    pub(crate) name: &'static str,
    pub(crate) port: u16,
    pub(crate) task: Task,
    pub(crate) probe: Probe,
    /// What its log says where it has the reason for a failed start, when that is not at the very end.
    pub(crate) landmark: Option<&'static str>,
    /// Called with the process id once the server is usable.
    pub(crate) when_ready: fn(u32) -> Result<(), Error>,
    /// Whether children of it work by themselves, so that it does not stand still before they do.
    pub(crate) is_family: bool,
    /// Asks it to end in order.
    pub(crate) stop_signal: Signal,
    /// Asks it to end at once, cleaning up what would outlive it.
    pub(crate) drop_signal: Signal,
    pub(crate) start_limit_ms: u64,
    pub(crate) stop_limit_ms: u64,
}

/// A private server that listens on 127.0.0.1 and keeps its data in one directory.
///
/// It cannot outlive this process. Dropped, it and its children are killed and waited for; and when this process ends
/// without dropping it, or is itself killed, the kernel kills it. (A PostgreSQL backend in the midst of a statement
/// follows when that ends, or a second after its client is gone.)
#[derive(Debug)]
pub struct Server {
    launch: Launch,
    place: Place,
    running: Option<Guarded>,
}

impl Server {
    pub(crate) fn start(launch: Launch, place: Place, lock: Lock) -> Result<Self, Error> {
        let mut server = Self { launch, place, running: None };
        server.begin(lock)?;
        Ok(server)
    }

    /// The port on 127.0.0.1. The same after [`Server::restart`].
    pub fn port(&self) -> u16 {
        self.launch.port
    }

    /// The process id of the server itself; none once it was killed or stopped.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(Guarded::pid)
    }

    /// The directory that holds all of its data, and its log.
    pub fn dir(&self) -> &Path {
        self.place.dir()
    }

    /// Does it still run? If it has ended by itself, the error gives its last log lines.
    pub fn ensure_running(&mut self) -> Result<(), Error> {
        let Some(status) = self.running.as_mut().and_then(Guarded::exited) else {
            return Ok(());
        };
        self.running = None;
        Err(Error::Died {
            name: self.launch.name,
            status,
            tail: self.place.log_tail(self.launch.landmark),
            log: self.place.log(),
        })
    }

    /// Kills it and all its children with SIGKILL, as a crash would, and waits until none is left. Once it is gone,
    /// this does nothing.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.running.take().map_or(Ok(()), |mut running| running.kill())
    }

    /// Stops it and all of its children that work by themselves where they are, as a machine that stalls would: its
    /// connections stay open, and nothing answers. Once it is gone, this does nothing.
    pub fn pause(&self) {
        self.running.iter().for_each(|running| running.pause(self.launch.is_family));
    }

    /// Lets it go on after [`Server::pause`].
    pub fn resume(&self) {
        self.running.iter().for_each(Guarded::resume);
    }

    /// Starts it again on the same directory and port, and returns when it is usable. One that still runs is killed.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.kill()?;
        let lock = self.place.lock()?;
        self.begin(lock)
    }

    /// Stops it in order and waits until it and all its children are gone. One that does not end in time is killed,
    /// which is an error ([`Error::StopTimedOut`]). Once it is gone, this does nothing.
    pub fn stop(&mut self) -> Result<(), Error> {
        let Some(mut running) = self.running.take() else {
            return Ok(());
        };
        let Launch { name, stop_signal, stop_limit_ms: limit_ms, .. } = self.launch;
        match running.stop(stop_signal, limit_ms)? {
            true => Ok(()),
            false => Err(Error::StopTimedOut { name, limit_ms }),
        }
    }

    fn begin(&mut self, lock: Lock) -> Result<(), Error> {
        let Launch { port, ref task, .. } = self.launch;
        if !port::is_free(port) {
            return Err(Error::PortTaken { port });
        }
        let running = Guarded::spawn(task, lock.as_input()?, self.place.new_log()?)?;
        lock.note_holder(running.pid());
        drop(lock);
        self.running = Some(running);
        self.wait_until_ready().inspect_err(|_| self.running = None)
    }

    fn wait_until_ready(&mut self) -> Result<(), Error> {
        let Launch { name, port, start_limit_ms: limit_ms, when_ready, landmark, .. } = self.launch;
        let ready = wait::until(limit_ms, || match self.ensure_running() {
            Err(died) => Some(Err(died)),
            Ok(()) => self.launch.probe.is_answered(port).then_some(Ok(())),
        });
        let Some(outcome) = ready else {
            let (tail, log) = (self.place.log_tail(landmark), self.place.log());
            return Err(Error::NotReady { name, limit_ms, tail, log });
        };
        outcome?;
        self.pid().map_or(Ok(()), when_ready)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // What fails here has no one to tell; the kernel ends the server when this process ends.
            let _ = running.stop(self.launch.drop_signal, DROP_WAIT_MS_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;

    /// A shell script as a "server" that never answers.
    fn start(script: &str, dir: &Path) -> Result<Server, Error> {
        let place = Place::open(dir, 0o700)?;
        let lock = place.lock()?;
        let launch = Launch {
            name: "sh",
            port: port::pick()?,
            task: Task {
                program: "/bin/sh".into(),
                args: vec!["-c".into(), script.into()],
                env: vec![],
                dir: dir.into(),
                user: None,
            },
            probe: Probe { question: vec![], is_ready: |_| false },
            landmark: None,
            when_ready: |_| Ok(()),
            is_family: true,
            stop_signal: Signal::TERM,
            drop_signal: Signal::KILL,
            start_limit_ms: 500,
            stop_limit_ms: 100,
        };
        Server::start(launch, place, lock)
    }

    fn check_failure(script: &str, told: &[&str]) {
        let dir = tempfile::tempdir().unwrap();
        let message = start(script, dir.path()).unwrap_err().to_string();
        for part in told {
            assert!(message.contains(part), "{script}: {message}");
        }
        assert!(message.contains(dir.path().join("log").to_str().unwrap()), "{message}");
    }

    #[test]
    fn a_server_that_ends_early_is_reported_with_its_status_and_last_lines() {
        check_failure("echo out of luck; exit 3", &["exit status: 3", "    out of luck"]);
    }

    #[test]
    fn a_server_that_never_answers_is_reported_with_the_limit_and_its_last_lines() {
        check_failure("echo still loading; sleep 600", &["500 ms", "    still loading"]);
    }

    #[test]
    fn a_long_log_is_quoted_from_its_end() {
        check_failure("seq 1000; exit 1", &["    981\n", "    1000\n"]);
    }

    #[test]
    fn a_server_that_fails_to_start_leaves_no_process() {
        let dir = tempfile::tempdir().unwrap();
        start("echo $$ > pid; sleep 600 & echo $! >> pid; wait", dir.path()).unwrap_err();
        let pids = fs::read_to_string(dir.path().join("pid")).unwrap();
        assert_eq!(pids.lines().count(), 2);
        for pid in pids.lines() {
            let state = fs::read_to_string(PathBuf::from("/proc").join(pid).join("stat")).unwrap_or_default();
            assert!(state.is_empty() || state.contains(") Z "), "{state}");
        }
    }
}
