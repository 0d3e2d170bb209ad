//! A redis-server with the module, and words for it.

use std::path::{Path, PathBuf};

use flash_servers::{Error, Redis, RedisOptions, silent};
use flash_tests::built;
use redis::{Connection, FromRedisValue, Value};
use tempfile::TempDir;

use super::wait;

/// A private redis-server with the module, in a directory of its own.
pub(crate) struct Server {
    pub(crate) redis: Redis,
    _dir: Option<TempDir>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With more arguments: `--name value …`.
    pub(crate) fn start_with(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let redis = start_in(dir.path(), args);
        Self { redis, _dir: Some(dir) }
    }

    pub(crate) fn connect(&self) -> Connection {
        connect(&self.redis)
    }
}

/// Names another server (a path) in which the tests of the module are to run.
const PROGRAM: &str = "FLASH_TEST_REDIS_SERVER";

/// The server that is asked for; none: the system's redis-server.
pub(crate) fn program() -> Option<PathBuf> {
    std::env::var_os(PROGRAM).map(PathBuf::from)
}

/// A redis-server with the module in `dir`.
pub(crate) fn start_in(dir: &Path, args: &[&str]) -> Redis {
    // A primary waits a while before a full resync, for more replicas that may want one. Here there are none.
    let ours = ["--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0"];
    let options = RedisOptions {
        program: program(),
        module: Some(module()),
        args: ours.iter().chain(args).map(Into::into).collect(),
        ..RedisOptions::new(dir)
    };
    // Another process (another checkout's tests) may take a port between our look at it and the server's start.
    wait::until("a port that stays free", || match Redis::start(&options, silent) {
        Err(Error::PortTaken { .. }) => None,
        started => Some(started.expect("Redis starts with the module")),
    })
}

/// A connection to a server.
pub(crate) fn connect(redis: &Redis) -> Connection {
    redis::Client::open(redis.url()).and_then(|client| client.get_connection()).expect("Redis answers")
}

/// The module that was built beside these tests.
pub(crate) fn module() -> PathBuf {
    built("libflash.so")
}

/// Checks the reply of a command of words; `*` in the wanted reply matches any one word.
pub(crate) fn check(connection: &mut Connection, command: &str, want: &str) {
    let reply: Value = run(connection, command);
    let reply = flat(&reply);
    let same = |(got, want): (&str, &str)| got == want || want.trim_matches(['[', ']']) == "*";
    let matches =
        reply.split(' ').count() == want.split(' ').count() && reply.split(' ').zip(want.split(' ')).all(same);
    assert!(matches, "{command}\n  got  {reply}\n  want {want}");
}

/// Runs a command of words.
pub(crate) fn run<T: FromRedisValue>(connection: &mut Connection, command: &str) -> T {
    try_run(connection, command).unwrap_or_else(|error| panic!("{command}: {error}"))
}

/// Runs a command of words; an error reply is its text.
pub(crate) fn try_run<T: FromRedisValue>(connection: &mut Connection, command: &str) -> Result<T, String> {
    try_run_args(connection, &command.split(' ').map(str::as_bytes).collect::<Vec<_>>())
}

/// Runs a command; an error reply is its text.
pub(crate) fn try_run_args<T: FromRedisValue>(connection: &mut Connection, args: &[&[u8]]) -> Result<T, String> {
    let mut command = redis::Cmd::new();
    args.iter().for_each(|arg| {
        command.arg(*arg);
    });
    command.query(connection).map_err(|error| match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        _ => error.to_string(),
    })
}

/// A reply as one line, as redis-cli would show it, but flat.
pub(crate) fn flat(value: &Value) -> String {
    match value {
        Value::Nil => "nil".to_owned(),
        Value::Int(int) => int.to_string(),
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) => text.clone(),
        Value::Okay => "OK".to_owned(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(flat).collect();
            format!("[{}]", values.join(" "))
        }
        other => panic!("no FLASH command replies {other:?}"),
    }
}

/// The digest of a key: equal for equal state.
pub(crate) fn digest(connection: &mut Connection, key: &str) -> String {
    let digests: Vec<String> = run(connection, &format!("DEBUG DIGEST-VALUE {key}"));
    digests.concat()
}

/// Makes `replica` a replica of `primary`.
pub(crate) fn follow(replica: &mut Connection, primary: &Server) {
    let _: Value = run(replica, &format!("REPLICAOF 127.0.0.1 {}", primary.redis.server.port()));
}

/// Waits until `key` is the same in a replica as in its primary. A replica that still loads answers with errors.
pub(crate) fn wait_for_copy(copy: &mut Connection, primary: &mut Connection, key: &str) {
    let whole = digest(primary, key);
    wait::until("the replica", || {
        let copied: Vec<String> = try_run(copy, &format!("DEBUG DIGEST-VALUE {key}")).ok()?;
        (copied.concat() == whole).then_some(())
    });
}

/// One field of a section of INFO.
pub(crate) fn info(connection: &mut Connection, section: &str, field: &str) -> String {
    let info: String = run(connection, &format!("INFO {section}"));
    let value = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    value.unwrap_or_else(|| panic!("INFO {section} has no {field}: {info}")).to_owned()
}

/// One field of a section of INFO, a number.
pub(crate) fn info_number(connection: &mut Connection, section: &str, field: &str) -> u64 {
    info(connection, section, field).parse().expect("a number")
}

/// One field of `FLASH.STATUS`.
pub(crate) fn status(connection: &mut Connection, key: &str, field: &str) -> i64 {
    let status: Vec<Value> = run(connection, &format!("FLASH.STATUS {key}"));
    let at = status.iter().position(|value| flat(value) == field).expect("the field is there");
    flat(&status[at + 1]).parse().expect("a number")
}

/// FLASH.UNFENCE as the recovery attempt `term` says it that expects what is there. `args`: the epoch, the seq and the
/// next epoch.
pub(crate) fn unfence(redis: &mut Connection, key: &str, term: u64, args: &str) -> String {
    let [instance, reservations, digest, closed] =
        ["instance", "reservations", "digest", "closed"].map(|field| status(redis, key, field));
    let status: Vec<Value> = run(redis, &format!("FLASH.STATUS {key}"));
    let Some(Value::Array(skus)) = status.last() else { panic!("{status:?}") };
    let sku = |sku: &Value| {
        let Value::Array(fields) = sku else { panic!("{sku:?}") };
        let [name, total, available] = [1, 3, 5].map(|at| flat(&fields[at]));
        let [total, available] = [total, available].map(|units| units.parse::<u64>().expect("units"));
        format!(" SKU {name} {total} {}", total - available)
    };
    let skus: String = skus.iter().map(sku).collect();
    let content = format!("RESERVATIONS {reservations} DIGEST {digest} CLOSED {closed}");
    format!("FLASH.UNFENCE {key} {args} TERM {term} INSTANCE {instance} {content}{skus}")
}

/// Lets a fenced sale go on as a recovery does. Gives the answer.
pub(crate) fn let_go_on(redis: &mut Connection, key: &str, term: u64, args: &str) -> String {
    let _: Value = run(redis, &format!("FLASH.FENCE {key} TERM {term}"));
    let unfence = unfence(redis, key, term, args);
    flat(&run(redis, &unfence))
}

/// A hold of bob's on a unit, as FLASH.REBUILD takes it; it ends in a minute.
pub(crate) fn reservation_of_bob(redis: &mut Connection) -> String {
    let now: (u64, u64) = run(redis, "TIME");
    let expires_at_ms = now.0 * 1_000 + 60_000;
    let item = r#"{"sku":"default","quantity":1}"#;
    format!(r#"{{"id":900,"buyer":"bob","slot":0,"state":"held","items":[{item}],"expires_at_ms":{expires_at_ms}}}"#)
}
