//! What Grafana shows and Prometheus alerts on is what the processes really say.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::audit::sell;
use crate::metrics::{page, wait_for};
use crate::support::wait;
use crate::support::world::{World, free_address};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).expect(path)
}

/// The metrics of a text, whatever it is written in.
fn named(text: &str) -> BTreeSet<String> {
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words = text.split(|letter: char| !is_of_name(letter)).filter(|word| word.starts_with("flash_"));
    words.map(str::to_owned).collect()
}

/// What a page offers to be asked for: of a histogram, its lines.
fn offered(page: &str) -> BTreeSet<String> {
    let kinds = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let lines = |(name, kind): (&str, &str)| match kind {
        "histogram" => ["bucket", "sum", "count"].map(|of| format!("{name}_{of}")).to_vec(),
        _ => vec![name.to_owned()],
    };
    kinds.flat_map(lines).collect()
}

fn expressions(dashboard: &Value) -> String {
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.filter_map(|panel| panel["targets"].as_array()).flatten();
    let expressions: Vec<&str> = targets.map(|target| target["expr"].as_str().expect("an expression")).collect();
    assert!(expressions.len() > 10, "{expressions:?}");
    expressions.join("\n")
}

#[test]
fn every_metric_that_is_shown_or_alerted_on_is_one_that_a_process_offers() {
    let policy = "[[rate-limit]]\nname = \"p\"\nstrategy = \"strict\"\nlimit = 5\nwindow-ms = 1000\n";
    let dir = tempfile::tempdir().expect("a directory");
    let config = dir.path().join("flash.toml");
    fs::write(&config, policy).expect("writable");
    let mut world = World::start_without_syncer();
    let syncer = world.start_measured_syncer();
    world.start_second_gateway_with(&["--config", config.to_str().expect("UTF-8")]);
    sell(&world, "drop");
    let audit = free_address();
    let _watch = world.start_flash(&["audit", "--watch", "--metrics-listen", &audit.to_string()]);
    wait_for(syncer, "flash_queue_messages", |messages| messages >= 0.0);
    let page_of = |address: SocketAddr| wait::until("a page", || page(address));
    let all = [world.address, syncer, audit].map(page_of).concat();
    let offered = offered(&all);
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana/flash.json")).expect("JSON");
    let alerts = read("deploy/prometheus/alerts.yml");
    let shown = named(&expressions(&dashboard));
    let alerted: BTreeSet<String> =
        alerts.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).flat_map(named).collect();
    assert!(alerted.len() > 5, "{alerted:?}");
    let strangers: Vec<&String> = shown.union(&alerted).filter(|name| !offered.contains(*name)).collect();
    assert!(strangers.is_empty(), "{strangers:?} are not among {offered:?}");
    // And what is not shown might as well not be counted. The names `process_…` are Prometheus' own: dashboards for any
    // program show them.
    let lines = |name: &str| ["bucket", "sum", "count"].iter().any(|of| name.ends_with(&format!("_{of}")));
    let forgotten: Vec<&String> =
        offered.iter().filter(|name| name.starts_with("flash_") && !lines(name) && !shown.contains(*name)).collect();
    assert!(forgotten.is_empty(), "{forgotten:?} are in no panel");
}

#[test]
fn the_first_alert_is_on_the_age_of_the_oldest_event_and_each_says_what_to_do() {
    let alerts = read("deploy/prometheus/alerts.yml");
    let rules: Vec<&str> = alerts.split("- alert: ").skip(1).collect();
    assert!(rules[0].contains("expr: max(flash_oldest_unpersisted_age_seconds) >"), "{}", rules[0]);
    for rule in rules {
        for part in ["expr: ", "severity: ", "summary: ", "description: "] {
            assert_eq!(rule.matches(part).count(), 1, "{part} in {rule}");
        }
    }
}
