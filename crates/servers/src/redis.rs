//! A private redis-server.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::guard::Task;
use crate::place::Place;
use crate::probe::Probe;
use crate::server::{Launch, Server};
use crate::{Error, Phase, path, program};

const START_LIMIT_MS: u64 = 60_000;
const STOP_LIMIT_MS: u64 = 10_000;

/// What a private redis-server is started with.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// Its directory, made when it is new.
    pub dir: PathBuf,
    /// A fixed port; none: the one of the last start on this directory, or a free one.
    pub port: Option<u16>,
    /// Another server that speaks as redis-server does; none: the `redis-server` of the search path.
    pub program: Option<PathBuf>,
    /// A module to load.
    pub module: Option<PathBuf>,
    /// It has a password, made once and kept in a file that only its owner can read: who else runs programs on this
    /// machine cannot use it.
    pub has_password: bool,
    /// More arguments (`--name value …`), which win over ours. They must not set a password.
    pub args: Vec<OsString>,
}

impl RedisOptions {
    /// In this directory, on a free port, without a module.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), port: None, program: None, module: None, has_password: false, args: vec![] }
    }
}

/// A private redis-server: every write is in its append-only file, synced, before it is answered.
///
/// Without a password, a client that can connect to 127.0.0.1 can use it and change its configuration, but load no
/// modules.
#[derive(Debug)]
pub struct Redis {
    /// The process.
    pub server: Server,
    password: Option<String>,
}

impl Redis {
    /// Starts it, and returns once it answers PING: data that was there is loaded.
    pub fn start(options: &RedisOptions, mut on_phase: impl FnMut(Phase)) -> Result<Self, Error> {
        let program = options.program.clone().map_or_else(|| program::find("redis-server", "redis-server"), Ok)?;
        let place = Place::open(&options.dir, 0o700)?;
        let lock = place.lock()?;
        on_phase(Phase::Starting);
        let port = place.port(options.port)?;
        let password = options.has_password.then(|| place.secret("password")).transpose()?;
        // In a file, for arguments are shown to every user.
        let config = password.as_ref().map(|password| format!("requirepass {password}\n"));
        let config = config.map(|config| place.keep("redis.conf", &config)).transpose()?;
        let mut args: Vec<OsString> = config.iter().map(|()| place.path("redis.conf").into()).collect();
        args.extend(arguments(options, port, place.dir())?);
        let greeting = password.as_ref().map_or_else(String::new, |password| format!("AUTH {password}\r\n"));
        let launch = Launch {
            name: "redis-server",
            port,
            task: Task { program, args, env: vec![], dir: place.dir().into(), user: None },
            // While it loads its data the answer is `-LOADING …`.
            probe: Probe {
                question: format!("{greeting}PING\r\n").into(),
                is_ready: |answer| answer.ends_with(b"+PONG\r\n"),
            },
            landmark: None,
            when_ready: |_| Ok(()),
            is_family: true,
            stop_signal: Signal::TERM,
            drop_signal: Signal::KILL,
            start_limit_ms: START_LIMIT_MS,
            stop_limit_ms: STOP_LIMIT_MS,
        };
        let server = Server::start(launch, place, lock)?;
        on_phase(Phase::Ready);
        Ok(Self { server, password })
    }

    /// Where clients connect: `redis://127.0.0.1:port`, with the password if there is one; never log it then.
    pub fn url(&self) -> String {
        let user = self.password.as_ref().map_or_else(String::new, |password| format!(":{password}@"));
        format!("redis://{user}127.0.0.1:{}", self.server.port())
    }
}

fn arguments(options: &RedisOptions, port: u16, dir: &Path) -> Result<Vec<OsString>, Error> {
    let mut args: Vec<OsString> = ["--bind", "127.0.0.1", "--protected-mode", "yes"].map(Into::into).into();
    args.extend(["--port".into(), port.to_string().into(), "--dir".into(), dir.into()]);
    args.extend(["--appendonly", "yes", "--appendfsync", "always", "--save", ""].map(OsString::from));
    if let Some(module) = &options.module {
        // The server's own directory is not ours, so a relative path would lead it astray.
        args.extend(["--loadmodule".into(), path::usable(module)?.into()]);
    }
    args.extend(options.args.iter().cloned());
    Ok(args)
}
