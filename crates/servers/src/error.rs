//! What can go wrong with a private server, each with what to do next.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a server could not be started, used or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program is not installed.
    #[error("`{program}` was not found: run scripts/bootstrap, or install the Debian package `{package}`")]
    Missing {
        /// The program that was looked for.
        program: &'static str,
        /// The Debian package that brings it.
        package: &'static str,
    },

    /// A server that still runs holds the directory.
    #[error("{} is in use by process {holder}: stop that process, or choose another directory", dir.display())]
    InUse {
        /// The directory asked for.
        dir: PathBuf,
        /// The process id that the lock file names, or "unknown".
        holder: String,
    },

    /// The port asked for is taken.
    #[error("port {port} of 127.0.0.1 is taken: stop what listens there, or choose another port")]
    PortTaken {
        /// The port asked for.
        port: u16,
    },

    /// None of the ports that were tried is free.
    #[error("no free port on 127.0.0.1 among the {tried} that were tried: stop what holds them")]
    NoFreePort {
        /// How many were tried.
        tried: usize,
    },

    /// A directory that we would have to trust belongs to someone else, or others may write to it.
    #[error(
        "{} is not a directory that only this user can write to: look at who made it, then remove it",
        dir.display()
    )]
    NotOurs {
        /// The directory.
        dir: PathBuf,
    },

    /// A file, a directory or a process could not be worked with.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted, with the path.
        what: String,
        /// Why it failed.
        source: io::Error,
    },

    /// The server ended by itself.
    #[error(
        "{name} ended ({status}). Its last log lines:\n{tail}\nMend what they name and start again; \
         the whole log is {}",
        log.display()
    )]
    Died {
        /// Which server.
        name: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// Its own last log lines.
        tail: String,
        /// The whole log.
        log: PathBuf,
    },

    /// The server runs but was not usable in time; it was killed.
    #[error(
        "{name} was not ready within {limit_ms} ms and was killed. Its last log lines:\n{tail}\n\
         If it was still busy, start it again on the same directory; the whole log is {}",
        log.display()
    )]
    NotReady {
        /// Which server.
        name: &'static str,
        /// How long it was waited for, in milliseconds.
        limit_ms: u64,
        /// Its own last log lines.
        tail: String,
        /// The whole log.
        log: PathBuf,
    },

    /// The server did not stop when asked, and was killed.
    #[error(
        "{name} did not stop within {limit_ms} ms and was killed: its data is as after a crash, \
         and the next start recovers it"
    )]
    StopTimedOut {
        /// Which server.
        name: &'static str,
        /// How long it was waited for, in milliseconds.
        limit_ms: u64,
    },

    /// Processes are left that even SIGKILL did not end in time.
    #[error(
        "processes {pids:?} did not end within {limit_ms} ms of SIGKILL: the kernel holds them, look at their state"
    )]
    Unkillable {
        /// The process ids.
        pids: Vec<i32>,
        /// How long they were waited for, in milliseconds.
        limit_ms: u64,
    },

    /// A short-lived program (`initdb`, `psql`, `erl_call`) failed or hung.
    #[error("{program} failed ({outcome}): {output}")]
    Tool {
        /// Which program.
        program: &'static str,
        /// Its exit status, or that its time was up.
        outcome: String,
        /// The last lines that it printed.
        output: String,
    },

    /// A path that a server's scripts would misread.
    #[error("the path {path:?} cannot be used: {rule}; choose another one")]
    BadPath {
        /// The path asked for.
        path: PathBuf,
        /// Which rule it breaks.
        rule: String,
    },

    /// A name that would need quoting somewhere on its way.
    #[error("{name:?} cannot be a {kind}: 1 to {max} bytes of a-z, A-Z, 0-9, `_` and `-`")]
    BadName {
        /// What it was to name: "database" or "vhost".
        kind: &'static str,
        /// The name given.
        name: String,
        /// Longest name, in bytes.
        max: usize,
    },
}

impl Error {
    /// For `map_err`: an I/O error together with what was attempted.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
