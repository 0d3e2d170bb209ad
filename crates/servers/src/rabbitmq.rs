//! A private RabbitMQ.
//!
//! It runs without epmd, the daemon by which Erlang nodes find each other and which nothing stops: the node's own port
//! is given to each program that needs it (`-erl_epmd_port`).

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::Signal;

use crate::guard::Task;
use crate::place::Place;
use crate::probe::Probe;
use crate::server::{Launch, Server};
use crate::{Error, Phase, name, port, program, tool};

const PACKAGE: &str = "rabbitmq-server";
const USER: &str = "flash";

/// Always the same, because the data directory is bound to it. No other node can see it, so it cannot clash.
const NODE: &str = "flash@localhost";

const START_LIMIT_MS: u64 = 120_000;
const STOP_LIMIT_MS: u64 = 30_000;
const ERL_CALL_LIMIT_MS: u64 = 30_000;
const TASKSET_LIMIT_MS: u64 = 10_000;

/// Longest name of a vhost here. RabbitMQ allows 255 bytes.
const VHOST_NAME_BYTES_MAX: usize = 100;

/// The start script itself. What is on the search path is Debian's wrapper, which wants to be root and to change user.
const SCRIPT: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/// What a private RabbitMQ is started with.
#[derive(Debug, Clone)]
pub struct RabbitMqOptions {
    /// Its directory, made when it is new.
    pub dir: PathBuf,
    /// A fixed port; none: the one of the last start on this directory, or a free one.
    pub port: Option<u16>,
    /// More lines of `rabbitmq.conf`.
    pub config: Vec<String>,
}

impl RabbitMqOptions {
    /// In this directory, on a free port.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), port: None, config: vec![] }
    }
}

/// A private RabbitMQ with one user, `flash`, whose password is made with the directory, and without plugins.
///
/// A queue that was declared less than a second before [`Server::kill`] may be gone afterwards, with all its confirmed
/// messages: RabbitMQ 3.10 writes its list of queues a moment late, with or without Flash.
#[derive(Debug)]
pub struct RabbitMq {
    /// The process.
    pub server: Server,
    password: String,
    /// Where the node itself can be spoken to.
    node_port: u16,
}

impl RabbitMq {
    /// Starts it, and returns once it speaks AMQP: durable queues and their persistent messages are back.
    pub fn start(options: &RabbitMqOptions, mut on_phase: impl FnMut(Phase)) -> Result<Self, Error> {
        let script = find_script()?;
        let cpus = our_cpus()?;
        let taskset = program::find("taskset", "util-linux")?;
        let place = Place::open(&options.dir, 0o700)?;
        let lock = place.lock()?;
        on_phase(Phase::Starting);
        let password = place.secret("password")?;
        // The secret by which erl_call proves itself to the node; found in the home directory of both.
        place.secret(".erlang.cookie")?;
        let port = place.port(options.port)?;
        let node_port = port::pick()?;
        place.keep("rabbitmq.conf", &config(port, &password, &options.config))?;
        place.keep("enabled_plugins", "[].\n")?;
        let launch = Launch {
            name: "RabbitMQ",
            port,
            task: Task {
                program: taskset,
                args: vec!["--cpu-list".into(), last_of(&cpus).into(), script.into()],
                env: environment(&place, node_port),
                dir: place.dir().into(),
                user: None,
            },
            probe: Probe { question: b"AMQP\0\0\x09\x01".into(), is_ready: is_connection_start },
            // Erlang's obituary of every process follows.
            landmark: Some("during startup:"),
            when_ready: spread_over_our_cpus,
            // They start programs and look up names for it. One that is stopped would not see that the node is killed.
            is_family: false,
            stop_signal: Signal::TERM,
            drop_signal: Signal::KILL,
            start_limit_ms: START_LIMIT_MS,
            stop_limit_ms: STOP_LIMIT_MS,
        };
        let server = Server::start(launch, place, lock)?;
        on_phase(Phase::Ready);
        Ok(Self { server, password, node_port })
    }

    /// Where clients connect, password included; never log it. The vhost `/` is always there.
    pub fn url(&self, vhost: &str) -> String {
        let vhost = vhost.replace('/', "%2f");
        format!("amqp://{USER}:{}@127.0.0.1:{}/{vhost}", self.password, self.server.port())
    }

    /// Makes a vhost that the user may do everything in, unless it is there already. Takes about 20 ms (`rabbitmqctl`
    /// would take two seconds, most of them to start an Erlang machine of its own).
    pub fn create_vhost(&self, name: &str) -> Result<(), Error> {
        name::check("vhost", name, VHOST_NAME_BYTES_MAX)?;
        self.tell(&format!(
            "User = <<\"{USER}\">>, Vhost = <<\"{name}\">>, All = <<\".*\">>, \
             ok = rabbit_vhost:add(Vhost, User), \
             ok = rabbit_auth_backend_internal:set_permissions(User, Vhost, All, All, All, User).\n"
        ))
    }

    /// Makes a user of a vhost that may configure, write and read what these patterns match.
    ///
    /// # Errors
    /// When RabbitMQ does not.
    pub fn create_user(&self, name: &str, password: &str, vhost: &str, rights: [&str; 3]) -> Result<(), Error> {
        let [configure, write, read] = rights.map(|pattern| pattern.replace('\\', "\\\\"));
        self.tell(&format!(
            "User = <<\"{name}\">>, \
             ok = rabbit_auth_backend_internal:add_user(User, <<\"{password}\">>, <<\"{USER}\">>), \
             ok = rabbit_auth_backend_internal:set_permissions(User, <<\"{vhost}\">>, <<\"{configure}\">>, \
             <<\"{write}\">>, <<\"{read}\">>, <<\"{USER}\">>).\n"
        ))
    }

    /// Removes a user, and ends its connections.
    ///
    /// # Errors
    /// When RabbitMQ does not.
    pub fn delete_user(&self, name: &str) -> Result<(), Error> {
        self.tell(&format!("ok = rabbit_auth_backend_internal:delete_user(<<\"{name}\">>, <<\"{USER}\">>).\n"))
    }

    /// Begins or ends the alarm that RabbitMQ raises when it is short of memory: meanwhile it takes nothing from those
    /// who publish.
    pub fn set_memory_alarm(&self, is_on: bool) -> Result<(), Error> {
        let source = "{resource_limit, memory, node()}";
        match is_on {
            true => self.tell(&format!("ok = rabbit_alarm:set_alarm({{{source}, []}}).\n")),
            false => self.tell(&format!("ok = rabbit_alarm:clear_alarm({source}).\n")),
        }
    }

    /// Has the node carry out a line of Erlang whose value is `ok`.
    fn tell(&self, script: &str) -> Result<(), Error> {
        let output = self.eval(script)?;
        // It exits with 0 also when the node could not do it.
        if output == "{ok, ok}" {
            return Ok(());
        }
        Err(Error::Tool { program: "erl_call", outcome: "the node refused".into(), output })
    }

    /// Runs Erlang in the node, as `rabbitmqctl eval` does, and gives what it comes to: tests bring the node into
    /// trouble by it. The script ends with a full stop and a line's end.
    pub fn eval(&self, script: &str) -> Result<String, Error> {
        let erl_call = Task {
            program: program::find("erl_call", "erlang-base")?,
            args: vec![
                "-address".into(),
                format!("127.0.0.1:{}", self.node_port).into(),
                "-h".into(),
                client_name().into(),
                "-e".into(),
            ],
            env: vec![("HOME", self.server.dir().into())],
            dir: self.server.dir().into(),
            user: None,
        };
        tool::run("erl_call", &erl_call, script, ERL_CALL_LIMIT_MS)
    }
}

/// The node refuses a second client of the same name at the same time, and `erl_call`'s own names do clash.
fn client_name() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    format!("flash-call-{}", CALLS.fetch_add(1, Ordering::Relaxed))
}

fn find_script() -> Result<PathBuf, Error> {
    let script = Path::new(SCRIPT);
    if program::is_executable(script) {
        return Ok(script.into());
    }
    program::find("rabbitmq-server", PACKAGE)
}

/// `default_…` count only at the first start on a directory.
fn config(port: u16, password: &str, more: &[String]) -> String {
    let ours = [
        format!("listeners.tcp.1 = 127.0.0.1:{port}"),
        format!("default_user = {USER}"),
        format!("default_pass = {password}"),
        "log.console = true".into(),
        "log.file = false".into(),
    ];
    let mut lines = ours.to_vec();
    lines.extend(more.iter().cloned());
    lines.join("\n") + "\n"
}

fn environment(place: &Place, node_port: u16) -> Vec<(&'static str, OsString)> {
    let erl_args = format!(
        "-sname {NODE} -start_epmd false -erl_epmd_port {node_port} -kernel inet_dist_use_interface {{127,0,0,1}} \
         +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
    );
    let in_place = |name: &str| OsString::from(place.path(name));
    vec![
        ("HOME", place.dir().into()),
        ("RABBITMQ_NODENAME", NODE.into()),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", erl_args.into()),
        // Threads are not bound to processors: several nodes would all sit on the first ones.
        ("RABBITMQ_SCHEDULER_BIND_TYPE", "u".into()),
        // Makes the script become the server instead of its parent, so that what kills the one kills the other.
        ("RUNNING_UNDER_SYSTEMD", "true".into()),
        ("RABBITMQ_CONFIG_FILE", in_place("rabbitmq.conf")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", in_place("enabled_plugins")),
        // Not there: they keep those in /etc from being read.
        ("RABBITMQ_CONF_ENV_FILE", in_place("no-rabbitmq-env.conf")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", in_place("no-advanced.config")),
        ("RABBITMQ_MNESIA_BASE", in_place("mnesia")),
        ("RABBITMQ_LOG_BASE", in_place("upgrade-log")),
        ("RABBITMQ_LOGS", "-".into()),
        ("ERL_CRASH_DUMP_SECONDS", "0".into()),
    ]
}

/// A frame of type 1 (method) that holds class 10, method 10: `connection.start`.
fn is_connection_start(answer: &[u8]) -> bool {
    answer.first() == Some(&1) && answer.get(7..11) == Some(&[0, 10, 0, 10])
}

/// While it starts, RabbitMQ looks for each of a thousand modules in ninety directories, and for each look one of its
/// threads wakes another. On two processors of a virtual machine most of the start goes into that; on one, it takes
/// half the time. Once usable, it may run wherever we may.
fn spread_over_our_cpus(pid: u32) -> Result<(), Error> {
    let taskset = Task {
        program: program::find("taskset", "util-linux")?,
        args: ["--all-tasks", "--cpu-list", "--pid", &our_cpus()?, &pid.to_string()].map(Into::into).into(),
        env: vec![],
        dir: "/".into(),
        user: None,
    };
    tool::run("taskset", &taskset, "", TASKSET_LIMIT_MS).map(|_| ())
}

/// The processors that we may run on, as the kernel lists them: `0-3,8`.
fn our_cpus() -> Result<String, Error> {
    let path = "/proc/self/status";
    let status = fs::read_to_string(path).map_err(Error::io(format!("cannot read {path}")))?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    Ok(list.unwrap_or("0").trim().into())
}

fn last_of(cpus: &str) -> &str {
    cpus.rsplit([',', '-']).next().unwrap_or(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_processor_is_found_in_every_form_of_list() {
        for (cpus, last) in [("0", "0"), ("0-1", "1"), ("0-3,8", "8"), ("2,4-6", "6")] {
            assert_eq!(last_of(cpus), last, "{cpus}");
        }
    }
}
