//! A private PostgreSQL.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::cluster::{self, Cluster, USER};
use crate::guard::Task;
use crate::postgres_programs::find;
use crate::probe::Probe;
use crate::server::{Launch, Server};
use crate::{Error, Phase, name, program, tool};

const START_LIMIT_MS: u64 = 60_000;
const STOP_LIMIT_MS: u64 = 20_000;
const PSQL_LIMIT_MS: u64 = 30_000;

/// How often a backend looks whether its client is still there, in milliseconds (PostgreSQL 14 and later). Without it,
/// the backend of a killed client works on a long statement in vain.
const CLIENT_CHECK_INTERVAL_MS: u64 = 1_000;

/// Longest name of a database in PostgreSQL (NAMEDATALEN - 1).
const DATABASE_NAME_BYTES_MAX: usize = 63;

/// What a private PostgreSQL is started with.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// Its directory, made when it is new. See [`Postgres`] for where root's data may go instead.
    pub dir: PathBuf,
    /// A fixed port; none: the one of the last start on this directory, or a free one.
    pub port: Option<u16>,
    /// `false`: what is committed survives the death of the server, but not that of the machine. Tests want that: the
    /// first start, and the one after a kill, are several times faster, because neither syncs a thousand files.
    pub fsync: bool,
    /// More settings (`name=value`), which win over ours.
    pub settings: Vec<String>,
    /// Variables of the server's environment, which has no others of ours.
    pub environment: Vec<(&'static str, String)>,
}

impl PostgresOptions {
    /// In this directory, on a free port, synced.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), port: None, fsync: true, settings: vec![], environment: vec![] }
    }
}

/// A private PostgreSQL with one superuser, `flash`, whose password is made with the cluster.
///
/// Started by root it runs as `nobody`. Where `nobody` cannot reach the directory (below /root, for instance) the
/// cluster lies in /var/tmp, in a directory named by a hash of the wanted path: [`Server::dir`] tells. It is made anew
/// when the wanted directory was removed in between.
#[derive(Debug)]
pub struct Postgres {
    /// The process.
    pub server: Server,
    password: String,
}

impl Postgres {
    /// Starts it, and returns once it accepts connections: what a crash left is recovered.
    pub fn start(options: &PostgresOptions, mut on_phase: impl FnMut(Phase)) -> Result<Self, Error> {
        let program = find("postgres")?;
        let Cluster { place, lock, user } = Cluster::open(&options.dir)?;
        let data = place.path("data");
        if !data.exists() {
            on_phase(Phase::Creating);
            cluster::create(&place, user, options.fsync)?;
        }
        // One that an older release made may be the server's.
        cluster::keep_password(&place)?;
        cluster::remove_stale_pid_file(&data)?;
        on_phase(Phase::Starting);
        let port = place.port(options.port)?;
        let (program, args) = with_environment(options, program, arguments(options, port, &data))?;
        let launch = Launch {
            name: "PostgreSQL",
            port,
            task: Task { program, args, env: vec![], dir: place.dir().into(), user },
            probe: Probe { question: startup_message(), is_ready: |answer| answer.starts_with(b"R") },
            landmark: None,
            when_ready: |_| Ok(()),
            is_family: true,
            // "Fast": open transactions are rolled back. SIGTERM would wait for the clients to leave.
            stop_signal: Signal::INT,
            // "Immediate": as a crash, but its shared memory is given back. After SIGKILL it stays until a next start.
            drop_signal: Signal::QUIT,
            start_limit_ms: START_LIMIT_MS,
            stop_limit_ms: STOP_LIMIT_MS,
        };
        let password = place.secret("password")?;
        let server = Server::start(launch, place, lock)?;
        on_phase(Phase::Ready);
        Ok(Self { server, password })
    }

    /// Where clients connect, password included; never log it. The database `postgres` is always there.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/{database}", self.password, self.server.port())
    }

    /// Makes a database, unless it is there already. Takes about 100 ms.
    pub fn create_database(&self, name: &str) -> Result<(), Error> {
        name::check("database", name, DATABASE_NAME_BYTES_MAX)?;
        let psql = Task {
            program: find("psql")?,
            args: ["-X", "-q", "-w", "-v", "ON_ERROR_STOP=1"].map(Into::into).into(),
            env: vec![
                ("PGHOST", "127.0.0.1".into()),
                ("PGPORT", self.server.port().to_string().into()),
                ("PGUSER", USER.into()),
                ("PGPASSWORD", self.password.clone().into()),
                ("PGDATABASE", "postgres".into()),
            ],
            dir: self.server.dir().into(),
            user: None,
        };
        // psql runs what the query returns: there is no CREATE DATABASE IF NOT EXISTS.
        let script = format!(
            "SELECT 'CREATE DATABASE \"{name}\"' \
             WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \\gexec\n"
        );
        tool::run("psql", &psql, &script, PSQL_LIMIT_MS).map(|_| ())
    }
}

fn arguments(options: &PostgresOptions, port: u16, data: &Path) -> Vec<OsString> {
    let ours = [
        format!("port={port}"),
        "listen_addresses=127.0.0.1".into(),
        "unix_socket_directories=".into(),
        format!("fsync={}", if options.fsync { "on" } else { "off" }),
        format!("client_connection_check_interval={CLIENT_CHECK_INTERVAL_MS}"),
        // In the data directory: /dev/shm is tiny in many containers, and keeps what a killed server left.
        "dynamic_shared_memory_type=mmap".into(),
    ];
    let mut args: Vec<OsString> = vec!["-D".into(), data.into()];
    for setting in ours.into_iter().chain(options.settings.iter().cloned()) {
        args.extend(["-c".into(), setting.into()]);
    }
    args
}

/// The program and its arguments, with the variables that are asked for. The server alone gets them: what drops root's
/// rights before it starts does not.
fn with_environment(
    options: &PostgresOptions,
    program: PathBuf,
    args: Vec<OsString>,
) -> Result<(PathBuf, Vec<OsString>), Error> {
    if options.environment.is_empty() {
        return Ok((program, args));
    }
    let variables = options.environment.iter().map(|(name, value)| format!("{name}={value}").into());
    let words = variables.chain([program.into()]).chain(args).collect();
    Ok((program::find("env", "coreutils")?, words))
}

/// Protocol 3.0's first message (length, version, names and values). Until PostgreSQL is usable it answers it with an
/// error; then with a request to authenticate (`R`).
fn startup_message() -> Vec<u8> {
    let parameters = format!("user\0{USER}\0database\0postgres\0\0");
    let mut message = vec![0, 0, 0, 0, 0, 3, 0, 0];
    message.extend(parameters.bytes());
    // Far below 256 bytes.
    let [.., length] = message.len().to_be_bytes();
    message[3] = length;
    message
}
