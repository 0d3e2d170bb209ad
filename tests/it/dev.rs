//! `flash dev`, as a newcomer runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flash_tests::built;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::http::Http;
use crate::support::program::Program;
use crate::support::redis::{Server, run};
use crate::support::wait;
use crate::support::world::database;

pub(crate) fn dev(dir: &Path, args: &[&str]) -> Program {
    Program::start(&[&on(dir)[..], args].concat(), &[])
}

fn on(dir: &Path) -> [&str; 5] {
    ["dev", "-o", "json", "--dir", dir.to_str().expect("UTF-8")]
}

/// Processes that work in `dir`, or whose command line names it, other than this test's own.
pub(crate) fn processes_of(dir: &Path) -> Vec<String> {
    let name = dir.to_string_lossy();
    let processes = fs::read_dir("/proc").expect("Linux").flatten().map(|process| process.path());
    let of_dir = |process: PathBuf| {
        let line = fs::read_to_string(process.join("cmdline")).ok()?;
        let works_there = fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(dir));
        (works_there || line.contains(&*name)).then_some(line)
    };
    processes.filter_map(of_dir).collect()
}

#[test]
fn the_demo_sells_every_unit_once_and_leaves_no_process_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let args = ["--demo", "--buyers", "1000", "--units", "50", "--concurrency", "32", "--seed", "7"];
    let (status, printed) = dev(dir.path(), &args).wait();
    let report: Value = serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{printed:?}: {error}"));
    let numbers = [
        ("requests", 1_200),
        ("reserved", 50),
        ("errors", 0),
        ("oversold", 0),
        ("undersold", 0),
        ("orders", 50),
        ("duplicates", 0),
        ("seed", 7),
    ];
    for (name, want) in numbers {
        assert_eq!(report[name], want, "{name}: {report}");
    }
    let sum: u64 = ["reserved", "replayed", "sold_out"].iter().filter_map(|name| report[*name].as_u64()).sum();
    assert_eq!(sum, 1_200, "{report}");
    assert_eq!(report["verdict"], "pass");
    assert!(status.success());
    assert_eq!(processes_of(dir.path()), Vec::<String>::new());
}

#[test]
fn without_rabbitmq_the_demo_sells_the_same() {
    let dir = tempfile::tempdir().expect("a directory");
    let args = ["--transport", "direct", "--demo", "--buyers", "1000", "--units", "50", "--concurrency", "32"];
    let (status, printed) = dev(dir.path(), &args).wait();
    assert!(status.success() && printed.contains("\"verdict\":\"pass\""), "{printed}");
    let servers = fs::read_dir(dir.path()).expect("readable").flatten().map(|entry| entry.file_name());
    assert_eq!(servers.filter(|name| name == "rabbitmq").count(), 0);
    assert_eq!(processes_of(dir.path()), Vec::<String>::new());
}

/// A Redis that pauses is no outage: the first stops are shorter than the limit for a call, as an `fsync` of a
/// slow disk is, and the last is longer, so that some buyers learn only by a repeat what became of their request.
#[test]
fn the_demo_passes_while_redis_stops_again_and_again() {
    const STOPS_MS: [u64; 4] = [1_500, 1_500, 1_500, 3_500];
    const BUYERS: &str = "20000";
    let (server, dir) = (Server::start(), tempfile::tempdir().expect("a directory"));
    let (redis, postgres) = (server.redis.url(), database());
    let args = ["--transport", "direct", "--redis", &redis, "--postgres", &postgres, "--demo", "--buyers", BUYERS];
    let running = dev(dir.path(), &[&args[..], &["--units", "15000", "--concurrency", "32"]].concat());
    let pid = server.redis.server.pid().and_then(|pid| Pid::from_raw(pid.cast_signed())).expect("it runs");
    let signal = |signal| kill_process(pid, signal).expect("ours to signal");
    let mut connection = server.connect();
    let mut sold = 0;
    for stop_ms in STOPS_MS {
        let before = sold;
        sold = wait::until("some more sales", || Some(reserves(&mut connection)).filter(|sold| *sold > before + 100));
        signal(Signal::STOP);
        let stopped = Instant::now();
        wait::until("the end of the stop", || (stopped.elapsed() >= Duration::from_millis(stop_ms)).then_some(()));
        signal(Signal::CONT);
    }
    let (status, printed) = running.wait();
    let report: Value = serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{printed:?}: {error}"));
    assert!(status.success() && report["verdict"] == "pass", "{report}");
    assert!(report["repeats"]["after_504"].as_u64() > Some(0), "the last stop was long enough: {report}");
}

/// Reservations that Redis was asked for.
fn reserves(redis: &mut redis::Connection) -> u64 {
    let stats: String = run(redis, "INFO commandstats");
    let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_FLASH.RESERVE:calls=")).unwrap_or("0");
    line.split(',').next().and_then(|calls| calls.parse().ok()).expect("a number")
}

#[test]
fn started_again_on_the_same_directory_everything_is_there_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut running = dev(dir.path(), &[]);
    let addresses = running.line();
    for name in ["http", "console", "docs", "redis", "amqp", "postgres", "module", "dir"] {
        assert!(addresses[name].is_string(), "{name}: {addresses}");
    }
    let connect = |addresses: &Value| {
        let address = addresses["http"].as_str().and_then(|http| http.strip_prefix("http://")).expect("an address");
        Http::connect(address.parse().expect("host and port")).expect("the gateway takes connections")
    };
    let mut http = connect(&addresses);
    let links = http.get("/").expect("an answer").body;
    for name in ["console", "docs"] {
        let (http, path) = (addresses["http"].as_str().expect("text"), links[name].as_str().expect("a link"));
        assert_eq!(addresses[name], format!("{http}{path}"));
    }
    let created = http.post("/v1/sales", "{\"sale\":\"drop\",\"total\":5}").expect("an answer");
    assert_eq!(created.status, 201, "{created:?}");
    running.interrupt();
    assert!(running.wait().0.success(), "Ctrl-C is no failure");
    assert_eq!(processes_of(dir.path()), Vec::<String>::new());

    let log = dir.path().join("log");
    let mut again = Program::start_logging(&on(dir.path()), &[], &log);
    let mut http = connect(&again.line());
    let sale = wait::until("the sale", || http.get("/v1/sales/drop").ok().filter(|sale| sale.status == 200));
    assert_eq!(sale.body["total"], 5);
    // A reader of the log that says "in doubt" also reads when it is not.
    let says = |what| fs::read_to_string(&log).is_ok_and(|log| log.contains(what));
    wait::until("its doubt", || says("a sale is in doubt").then_some(()));
    wait::until("the end of it", || says("a sale is no longer in doubt").then_some(()));
    let reserved = http.post("/v1/sales/drop/reservations", "{\"buyer\":\"ada\"}").expect("an answer");
    assert_eq!(reserved.status, 201, "{reserved:?}");
    again.interrupt();
    assert!(again.wait().0.success());
}

#[test]
fn servers_that_run_already_may_be_used() {
    let (first, second) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let mut running = dev(first.path(), &[]);
    let addresses = running.line();
    let url = |name: &str| addresses[name].as_str().expect("a URL");
    let mut args = vec!["--demo", "--buyers", "100", "--units", "10", "--concurrency", "8"];
    args.extend(["--redis", url("redis"), "--amqp", url("amqp"), "--postgres", url("postgres")]);
    let (status, printed) = dev(second.path(), &args).wait();
    assert!(status.success() && printed.contains("\"verdict\":\"pass\""), "{printed}");
    let left = fs::read_dir(second.path()).expect("readable").flatten().map(|entry| entry.file_name());
    let left: std::collections::BTreeSet<_> = left.collect();
    assert!(left.iter().eq(["id_secret", "message_keys"]), "it started no server of its own: {left:?}");
    running.interrupt();
    assert!(running.wait().0.success());
}

#[test]
fn a_server_that_dies_is_started_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut running = dev(dir.path(), &[]);
    let addresses = running.line();
    let redis = redis::Client::open(addresses["redis"].as_str().expect("a URL")).expect("a URL");
    let mut connection = redis.get_connection().expect("Redis answers");
    let info: String = run(&mut connection, "INFO server");
    let pid = info.lines().find_map(|line| line.strip_prefix("process_id:")).and_then(|pid| pid.trim().parse().ok());
    let pid = pid.and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, Signal::KILL).expect("ours to kill");
    wait::until("a new Redis", || redis.get_connection().ok());
    running.interrupt();
    assert!(running.wait().0.success());
}

#[test]
fn a_killed_flash_dev_leaves_no_process_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut running = dev(dir.path(), &[]);
    running.line();
    running.kill();
    wait::until("the last of its processes", || processes_of(dir.path()).is_empty().then_some(()));
}

#[test]
fn a_server_that_cannot_start_gives_its_own_last_words() {
    let dir = tempfile::tempdir().expect("a directory");
    let no_module = dir.path().join("no-module.so");
    fs::write(&no_module, "not a library").expect("writable");
    let output = std::process::Command::new(built("flash"))
        .args(["dev", "--dir"])
        .arg(dir.path().join("data"))
        .arg("--module")
        .arg(&no_module)
        .output()
        .expect("flash starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(told.contains("cannot start Redis") && told.contains("no-module.so"), "{told}");
    assert!(processes_of(dir.path()).is_empty());
}

/// Each of them made a server hang or fail in a way that named something else.
#[test]
fn a_directory_that_a_server_would_misread_is_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().expect("a directory");
    for name in ["o'brien", "a\"b", "new\nline", "$HOME", &"long".repeat(50).repeat(4)] {
        let output = std::process::Command::new(built("flash"))
            .args(["dev", "--dir"])
            .arg(dir.path().join(name))
            .output()
            .expect("flash starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains("cannot be used: it "), "{name:?}: {told}");
    }
    assert_eq!(fs::read_dir(dir.path()).expect("readable").count(), 0);
}

#[test]
fn a_directory_with_spaces_and_letters_of_any_script_works() {
    let dir = tempfile::tempdir().expect("a directory");
    let args = ["--demo", "--buyers", "100", "--units", "10", "--concurrency", "8"];
    let (status, printed) = dev(&dir.path().join("jos\u{e9} & (\u{5e97}); #1"), &args).wait();
    assert!(status.success() && printed.contains("\"verdict\":\"pass\""), "{printed}");
}

#[test]
fn an_impossible_demo_is_refused_at_once() {
    let output = std::process::Command::new(built("flash"))
        .args(["dev", "--demo", "--buyers", "5", "--units", "6"])
        .output()
        .expect("flash starts");
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("--units must be at most --buyers"), "{told}");
}
