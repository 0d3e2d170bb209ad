//! `flash completions`: what a shell needs to complete the program's words.

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory;

use crate::args::{Args, Completions, Shell};
use crate::output;

/// Prints the script.
pub(crate) fn run(args: &Completions) -> Result<ExitCode> {
    let shell = match args.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "flash", &mut script);
    output::text(&String::from_utf8(script)?);
    Ok(ExitCode::SUCCESS)
}
