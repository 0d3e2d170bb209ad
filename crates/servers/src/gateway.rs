//! A private `flash gateway`.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use rustix::process::Signal;

use crate::Error;
use crate::guard::Task;
use crate::place::Place;
use crate::probe::Probe;
use crate::server::{Launch, Server};

const START_LIMIT_MS: u64 = 60_000;
/// It relays first what it has reserved.
const STOP_LIMIT_MS: u64 = 60_000;

/// What a private gateway is started with.
#[derive(Clone)]
pub struct GatewayOptions {
    /// Its directory, made when it is new.
    pub dir: PathBuf,
    /// The program `flash`.
    pub program: PathBuf,
    /// Arguments of `flash gateway`; where it listens is added.
    pub args: Vec<OsString>,
    /// Its variables: what others must not read on its command line. Nothing else of our environment reaches it.
    pub env: Vec<(&'static str, OsString)>,
}

/// Its variables hold secrets.
impl fmt::Debug for GatewayOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dir, program, args, env: _ } = self;
        formatter
            .debug_struct("GatewayOptions")
            .field("dir", dir)
            .field("program", program)
            .field("args", args)
            .finish_non_exhaustive()
    }
}

/// A private gateway: a process of its own, that can be killed without another one.
#[derive(Debug)]
pub struct Gateway {
    /// The process.
    pub server: Server,
}

impl Gateway {
    /// Starts it, and returns once it lives. Whether it is ready depends on servers that may be away.
    pub fn start(options: &GatewayOptions) -> Result<Self, Error> {
        let place = Place::open(&options.dir, 0o700)?;
        let lock = place.lock()?;
        let port = place.port(None)?;
        let mut args: Vec<OsString> = vec!["gateway".into(), "--listen".into(), format!("127.0.0.1:{port}").into()];
        args.extend(options.args.iter().cloned());
        let launch = Launch {
            name: "the buyers' gateway",
            port,
            task: Task {
                program: options.program.clone(),
                args,
                env: options.env.clone(),
                dir: place.dir().into(),
                user: None,
            },
            probe: Probe {
                question: b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".into(),
                is_ready: |answer| answer.starts_with(b"HTTP/1.1 200"),
            },
            landmark: None,
            when_ready: |_| Ok(()),
            is_family: false,
            stop_signal: Signal::TERM,
            drop_signal: Signal::KILL,
            start_limit_ms: START_LIMIT_MS,
            stop_limit_ms: STOP_LIMIT_MS,
        };
        Ok(Self { server: Server::start(launch, place, lock)? })
    }

    /// Where buyers connect: `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port())
    }
}
