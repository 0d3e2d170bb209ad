//! `flash sim`, as a newcomer runs it.

use std::fs;
use std::path::Path;
use std::process::Command;

use flash_tests::built;
use serde_json::Value;
use tokio::runtime::Builder;

use crate::support::program::Program;
use crate::support::redis::run;

const STRATEGIES: [&str; 8] =
    ["naive", "optimistic", "atomic-decrement", "skip-locked", "redis-lock", "redis-decr", "lua", "flash"];
const SEED: &str = "7";

fn sim(dir: &Path, args: &[&str]) -> Program {
    let dir = dir.to_str().expect("UTF-8");
    // Far more wish at once than there are connections: collisions happen.
    let crowd = ["--buyers", "200", "--units", "20", "--concurrency", "8", "--rate", "100000", "--seed", SEED];
    Program::start(&[&["sim", "-o", "json", "--dir", dir], &crowd[..], args].concat(), &[])
}

fn lines(printed: &str) -> Vec<Value> {
    let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
    printed.lines().map(read).collect()
}

fn number(line: &Value, name: &str) -> u64 {
    line[name].as_u64().unwrap_or_else(|| panic!("{name}: {line}"))
}

/// What holds for every strategy, however bad.
fn check_counted(line: &Value) {
    let answers = ["sold", "again", "sold_out", "errors"].map(|name| number(line, name));
    assert_eq!((number(line, "requests"), answers.iter().sum()), (240, 240), "{line}");
    let times = ["p50_ms", "p99_ms", "p999_ms", "max_ms"].map(|name| line[name].as_f64().expect("a number"));
    assert!(times.is_sorted() && times[0] > 0.0, "{line}");
    assert!(number(line, "orders") >= 20, "nobody leaves units: {line}");
}

fn check_exact(line: &Value) {
    check_counted(line);
    let exact = ["sold", "orders", "oversold", "undersold", "duplicates"].map(|name| number(line, name));
    assert_eq!(exact, [20, 20, 0, 0, 0], "{line}");
    assert_eq!(line["verdict"], "exact", "{line}");
}

/// It oversells almost always. What it must do always is to be counted as it is, and to be forgiven.
fn check_naive(line: &Value) {
    check_counted(line);
    let is_wrong = number(line, "oversold") > 0 || number(line, "duplicates") > 0;
    assert_eq!(line["verdict"], if is_wrong { "wrong, as expected" } else { "exact, by luck" }, "{line}");
    assert_eq!(number(line, "oversold"), number(line, "orders") - 20, "{line}");
}

/// How many schemas of the simulator's name the database has.
fn schemas(postgres: &str) -> i64 {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let vault = flash_vault::connect(postgres).await.expect("PostgreSQL answers");
        let count = "SELECT count(*) FROM pg_namespace WHERE nspname = 'flash_sim'";
        vault.query_one(count, &[]).await.expect("a count").get(0)
    })
}

#[test]
fn every_way_but_the_naive_sells_exactly_what_there_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let plot = dir.path().join("sim.svg");
    let (status, printed) = sim(dir.path(), &["--plot", plot.to_str().expect("UTF-8")]).wait();
    let lines = lines(&printed);
    let names: Vec<&str> = lines.iter().filter_map(|line| line["strategy"].as_str()).collect();
    assert_eq!(names, STRATEGIES);
    check_naive(&lines[0]);
    lines[1..].iter().for_each(check_exact);
    for line in &lines {
        let servers = line["cpu_us_per_request"].as_object().expect("an object").keys().collect::<Vec<_>>();
        assert_eq!(servers, ["gateway_and_syncer", "postgresql", "rabbitmq", "redis"], "{line}");
        assert_eq!(line["seed"].to_string(), SEED, "{line}");
    }
    assert!(status.success(), "a naive way that oversells is no failure");
    let svg = fs::read_to_string(plot).expect("a chart");
    assert!(svg.starts_with("<svg") && STRATEGIES.iter().all(|name| svg.contains(name)), "{svg}");
}

#[test]
fn over_http_each_sells_as_it_does_without_and_shops_are_counted_apart() {
    let dir = tempfile::tempdir().expect("a directory");
    let ways = "naive,optimistic,redis-lock,lua,flash";
    let (status, printed) = sim(dir.path(), &["--http", "--transport", "direct", "--strategy", ways]).wait();
    let lines = lines(&printed);
    assert_eq!(lines.len(), 5, "{printed}");
    check_naive(&lines[0]);
    check_counted(&lines[1]);
    // Who gives up tries again first: what a shop tried is counted with the answers that buyers got.
    assert!(number(&lines[1], "errors") == 0 || number(&lines[1], "retries") > 0, "{}", lines[1]);
    assert_eq!([number(&lines[1], "oversold"), number(&lines[1], "duplicates")], [0, 0], "{}", lines[1]);
    lines[2..].iter().for_each(check_exact);
    for line in &lines {
        let of = |server: &str| line["cpu_us_per_request"][server].as_f64().expect("a number");
        assert_eq!(of("shop") > 0.0, line["strategy"] != "flash", "flash has a gateway, and the others a shop: {line}");
        assert!(line["http"] == true && of("gateway_and_syncer") > 0.0, "{line}");
    }
    assert!(status.success());
}

#[test]
fn a_few_of_them_leave_nothing_on_servers_that_run_already_but_the_orders() {
    let (first, second) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let dir = first.path().to_str().expect("UTF-8");
    let mut dev = Program::start(&["dev", "-o", "json", "--dir", dir, "--transport", "direct"], &[]);
    let addresses = dev.line();
    let url = |name: &str| addresses[name].as_str().expect("a URL").to_owned();
    let (redis, postgres) = (url("redis"), url("postgres"));
    let args = ["--transport", "direct", "--redis", &redis, "--postgres", &postgres];
    let (status, printed) = sim(second.path(), &[&args[..], &["--strategy", "redis-lock,lua,flash"]].concat()).wait();
    let lines = lines(&printed);
    assert_eq!(lines.len(), 3, "{printed}");
    lines.iter().for_each(check_exact);
    assert!(status.success());
    let mut redis = redis::Client::open(redis).expect("a URL").get_connection().expect("Redis answers");
    let keys: Vec<String> = run(&mut redis, "KEYS flash-sim:*");
    assert_eq!(keys, Vec::<String>::new());
    assert_eq!(schemas(&postgres), 0);
    dev.interrupt();
    assert!(dev.wait().0.success());
}

#[test]
fn an_unknown_way_to_sell_is_refused_with_the_known_names() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = Command::new(built("flash"))
        .args(["sim", "--dir", dir.path().to_str().expect("UTF-8"), "--strategy", "luck"])
        .output()
        .expect("flash starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(STRATEGIES.iter().all(|name| said.contains(name)), "{said}");
}
