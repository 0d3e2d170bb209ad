//! What shells and `man` show of the program.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

/// `flash completions`
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example: flash completions bash > /etc/bash_completion.d/flash")]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// `flash man`
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example: flash man /usr/local/share/man/man1")]
pub(crate) struct Man {
    /// An existing directory. Pages of the same names are replaced.
    #[arg(value_name = "DIRECTORY")]
    pub(crate) directory: PathBuf,
}

/// A supported shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
}
