//! `flash man`: the manual pages, made from the declaration of the commands.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::CommandFactory;

use crate::args::{Args, Man};

/// Writes one page for the program and one for each of its commands.
pub(crate) fn run(args: &Man) -> Result<ExitCode> {
    let written = clap_mangen::generate_to(Args::command(), &args.directory);
    written.with_context(|| format!("cannot write the manual pages into {}", args.directory.display()))?;
    Ok(ExitCode::SUCCESS)
}
