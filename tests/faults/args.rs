//! The command line of the harness.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::scenarios::Scenario;

/// Fixes the seeds.
const SEED: &str = "FAULT_SEED";

/// Breaks everything but promises.
#[derive(Debug, Parser)]
#[command(name = "faults")]
pub(crate) struct Args {
    /// Which counts.
    #[arg(long, value_enum)]
    pub(crate) column: Column,
    /// Scenarios, by number or by name; none: all of them.
    pub(crate) only: Vec<String>,
    /// How often, whatever the column says.
    #[arg(long)]
    pub(crate) count: Option<u64>,
    /// All of it may take so long; what there is no time for is reported so.
    #[arg(long, default_value_t = 30)]
    pub(crate) minutes: u64,
    /// How many scenarios run at once.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub(crate) lanes: u32,
    /// A file whose table of results is replaced.
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
}

/// How often each scenario runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Column {
    /// One round of one: whether the harness itself works. It is what a plain `cargo test` runs.
    Smoke,
    /// As the CI does.
    Ci,
    /// At length.
    Soak,
}

/// The scenario of a plain `cargo test`.
const SMOKE: &str = "cut";

impl Args {
    /// Without a column, these are the words of `cargo test`: then only a filter counts.
    pub(crate) fn read() -> Self {
        let words: Vec<String> = std::env::args().collect();
        if words.iter().any(|word| word.starts_with("--column") || word == "--help") {
            return Self::parse_from(words);
        }
        let filters: Vec<String> = words.into_iter().skip(1).filter(|word| !word.starts_with('-')).collect();
        let wanted = filters.is_empty() || filters.iter().any(|filter| "faults".contains(filter.as_str()));
        let only = vec![if wanted { SMOKE.to_owned() } else { String::from("none") }];
        Self { column: Column::Smoke, only, count: None, minutes: 5, lanes: 1, report: None }
    }

    pub(crate) fn wants(&self, scenario: &Scenario) -> bool {
        let named = |word: &String| word == scenario.number || word == scenario.name;
        self.only.is_empty() || self.only.iter().any(named)
    }

    /// The seed of each scenario's first round.
    ///
    /// # Panics
    /// When it is set and no number.
    pub(crate) fn seed(&self) -> u64 {
        std::env::var(SEED).map_or_else(|_| rand::random::<u32>().into(), |seed| seed.parse().expect("a number"))
    }

    /// How often a scenario is to run.
    pub(crate) fn count(&self, scenario: &Scenario) -> u64 {
        self.count.unwrap_or_else(|| self.column.count(scenario))
    }

    /// The command that runs a round again.
    pub(crate) fn repeat(&self, scenario: &Scenario, failed: &anyhow::Error) -> String {
        let text = format!("{failed:#}");
        let seed = text.split(SEED).nth(1).and_then(|rest| rest.strip_prefix('=')).unwrap_or_default();
        let seed: String = seed.chars().take_while(char::is_ascii_digit).collect();
        format!("{SEED}={seed} make soak ARGS='{} --count 1'", scenario.name)
    }
}

impl Column {
    pub(crate) const fn count(self, scenario: &Scenario) -> u64 {
        match self {
            Self::Smoke => 1,
            Self::Ci => scenario.ci,
            Self::Soak => scenario.soak,
        }
    }
}
