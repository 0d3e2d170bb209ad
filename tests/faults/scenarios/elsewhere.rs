//! Scenarios that are suites of their own: `make test` runs them as often as the CI asks, here they run at length.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::checker::Tally;
use crate::runner::Runner;

/// Lines of a failed suite that are shown.
const LINES_MAX: usize = 40;

/// A part of the tests.
struct Suite {
    /// `cargo test` with these words.
    words: &'static [&'static str],
    /// Says how much one run does; without it, it is run so often.
    variable: Option<&'static str>,
}

pub(super) fn aof_prefix(runner: &mut Runner) -> Result<()> {
    run(
        runner,
        &Suite { words: &["-p", "flash-tests", "--test", "it", "--", "module_aof"], variable: Some("FLASH_AOF_CUTS") },
    )
}

pub(super) fn hostile_restore(runner: &mut Runner) -> Result<()> {
    let words = &["-p", "flash-tests", "--test", "it", "--", "hostile_restore"];
    run(runner, &Suite { words, variable: Some("FLASH_FUZZ_INPUTS") })
}

pub(super) fn model(runner: &mut Runner) -> Result<()> {
    run(
        runner,
        &Suite { words: &["-p", "flash-sale", "--test", "it", "--", "model"], variable: Some("FLASH_MODEL_CASES") },
    )
}

pub(super) fn memory_full(runner: &mut Runner) -> Result<()> {
    run(runner, &Suite { words: &["-p", "flash-tests", "--test", "it", "--", "out_of_memory"], variable: None })
}

pub(super) fn defrag(runner: &mut Runner) -> Result<()> {
    run(runner, &Suite { words: &["-p", "flash-tests", "--test", "it", "--", "defrag", "reload"], variable: None })
}

fn run(runner: &mut Runner, suite: &Suite) -> Result<()> {
    if runner.count() == 0 {
        runner.skip("part of `make test`");
        return Ok(());
    }
    match suite.variable {
        Some(variable) => {
            runner.all_at_once(|count, seed| cargo_test(suite, &[(variable, count), ("FLASH_FUZZ_SEED", seed)]))
        }
        None => runner.repeat(|seed| cargo_test(suite, &[("FLASH_FUZZ_SEED", seed)])),
    }
}

fn cargo_test(suite: &Suite, environment: &[(&str, u64)]) -> Result<Tally> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["test", "-q"]).args(suite.words).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    command.envs(environment.iter().map(|(name, value)| (name, value.to_string())));
    let output = command.output().context("cargo test")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().collect();
    let ran = lines.iter().any(|line| line.starts_with("test result: ok. ") && !line.contains(" 0 passed"));
    ensure!(output.status.success() && ran, "{}", lines[lines.len().saturating_sub(LINES_MAX)..].join("\n"));
    Ok(Tally::default())
}
