//! The table of results.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::runner::Outcome;
use crate::scenarios::{SCENARIOS, Scenario};

/// Between these lines of a file is the table of the last run.
const BEGIN: &str = "<!-- the table of the last soak begins -->";
const END: &str = "<!-- the table of the last soak ends -->";

/// One scenario in a line, for people who watch.
pub(crate) fn line(outcome: &Outcome, wanted: u64) -> String {
    let t = &outcome.tally;
    let skipped = outcome.skipped.as_ref().map_or_else(String::new, |why| format!("; LEFT OUT: {why}"));
    format!(
        "    {}: {} of {wanted} in {:.1} s: {} ok, {} refused, {} unknown, {} orders, {} rejections, {} lost as allowed, \
         {} looks, at rest within {} ms{skipped}",
        outcome.scenario.name,
        outcome.done,
        outcome.took.as_secs_f64(),
        t.ok,
        t.refused,
        t.unknown,
        t.orders,
        t.rejections,
        t.lost,
        t.looks,
        t.settle_ms_max
    )
}

/// All of them, as Markdown.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    lines(outcomes.iter().map(row))
}

/// Replaces in a file's table the rows of what has run; the others stay as they are.
///
/// # Panics
/// When the file is not there, or has no place for the table.
pub(crate) fn write(file: &Path, outcomes: &[Outcome]) {
    let text = fs::read_to_string(file).expect("the file for the report is there");
    let (before, rest) = text.split_once(BEGIN).expect("the file has a place for the table");
    let (old, after) = rest.split_once(END).expect("the table has an end");
    let kept = |scenario: &Scenario| old.lines().find(|line| names(line, scenario)).map(str::to_owned);
    let rows = SCENARIOS.iter().filter_map(|scenario| {
        let outcome = outcomes.iter().find(|outcome| std::ptr::eq(outcome.scenario, scenario));
        outcome.map(row).or_else(|| kept(scenario))
    });
    fs::write(file, format!("{before}{BEGIN}\n{}\n{END}{after}", lines(rows))).expect("writable");
}

/// Whether a line of the table is of a scenario.
fn names(line: &str, scenario: &Scenario) -> bool {
    let name = line.split('|').nth(2).unwrap_or_default().trim();
    name == scenario.name || name.starts_with(&format!("{} (", scenario.name))
}

fn lines(rows: impl Iterator<Item = String>) -> String {
    let head = "| # | scenario | CI | soak | run | violations | ok / refused / unknown | lost as allowed | rest, s | seconds | commit |\n\
                | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |";
    let machine = format!("\nMachine: {}.", machine());
    std::iter::once(head.to_owned()).chain(rows).chain([machine]).collect::<Vec<_>>().join("\n")
}

fn row(outcome: &Outcome) -> String {
    let (s, t) = (outcome.scenario, &outcome.tally);
    let name = match &outcome.skipped {
        Some(why) => format!("{} (left out: {why})", s.name),
        None => s.name.to_owned(),
    };
    let violations = outcome.failed.len();
    let answers =
        if t.ok + t.refused == 0 { "–".to_owned() } else { format!("{} / {} / {}", t.ok, t.refused, t.unknown) };
    let rest = if t.settle_ms_max == 0 { "–".to_owned() } else { format!("{:.1}", millis(t.settle_ms_max)) };
    let seconds = outcome.took.as_secs();
    let commit = said("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_default();
    format!(
        "| {} | {name} | {} | {} | {} | {violations} | {answers} | {} | {rest} | {seconds} | {commit} |",
        s.number, s.ci, s.soak, outcome.done, t.lost
    )
}

fn millis(ms: u64) -> f64 {
    std::time::Duration::from_millis(ms).as_secs_f64()
}

/// What it ran on.
fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or("unknown")
        .trim_matches([' ', '\t', ':']);
    let parts = [
        Some(format!("{cpus} × {cpu}")),
        said("uname", &["-sr"]),
        said("redis-server", &["--version"]).and_then(|text| Some(text.split(" sha").next()?.to_owned())),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The first line that a program prints.
fn said(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).lines().next()?.trim().to_owned())
}
