//! Settings: each is declared once, as an argument that has a variable FLASH_…. A configuration file gives it a value
//! below those two and above its default.

mod file;
mod place;
mod policies;
mod show;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};

pub(crate) use self::file::File;
pub(crate) use self::show::show;
use crate::args::Args;

/// The argument that names the file.
const CONFIG: &str = "config";
/// What variables of settings begin with.
const VARIABLE_PREFIX: &str = "FLASH_";
/// Commands that have the settings of another, and no table of their own in the file.
const LIKE: [(&str, &str); 1] = [("doctor", "gateway")];
/// What a setting ends with that names a file with another setting's value in it.
const FILE_SUFFIX: &str = "-file";

/// What the command line, the environment and the file say. A mistake on the command line ends the program, as do
/// `--help` and `--version`.
///
/// # Errors
/// When the file cannot be read, or breaks a rule.
pub(crate) fn load() -> Result<(Args, File)> {
    let words: Vec<OsString> = std::env::args_os().collect();
    // Once to learn which file there is, and once more with its values.
    let asked = Args::command().get_matches_from(&words);
    let file = match asked.get_one::<PathBuf>(CONFIG) {
        Some(path) => File::read(path, &Args::command())?,
        None => File::default(),
    };
    let command = with_file(Args::command(), &file, &flags(&asked));
    let args = Args::from_arg_matches(&command.get_matches_from(&words));
    Ok((args.unwrap_or_else(|error| error.exit()), file))
}

/// Whether an argument is a setting.
fn is_setting(arg: &Arg) -> bool {
    let variable = arg.get_env().and_then(|variable| variable.to_str());
    arg.get_long().is_some_and(|name| name != CONFIG)
        && variable.is_some_and(|variable| variable.starts_with(VARIABLE_PREFIX))
}

/// The settings of a command and of those within it, each once.
fn settings(command: &Command) -> Vec<Arg> {
    let mut settings: Vec<Arg> = command.get_arguments().filter(|arg| is_setting(arg)).cloned().collect();
    for inner in command.get_subcommands().flat_map(self::settings) {
        if settings.iter().all(|known| known.get_long() != inner.get_long()) {
            settings.push(inner);
        }
    }
    settings
}

/// What the command line itself says, wherever in it.
fn flags(matches: &ArgMatches) -> BTreeSet<String> {
    let ids = matches.ids().map(clap::Id::as_str);
    let said = ids.filter(|id| matches.value_source(id) == Some(ValueSource::CommandLine)).map(str::to_owned);
    let mut flags: BTreeSet<String> = said.collect();
    if let Some((_, inner)) = matches.subcommand() {
        flags.append(&mut self::flags(inner));
    }
    flags
}

/// Puts the file's values in the places of defaults.
fn with_file(command: Command, file: &File, flags: &BTreeSet<String>) -> Command {
    with_section(command, "", file, flags)
}

fn with_section(command: Command, section: &str, file: &File, flags: &BTreeSet<String>) -> Command {
    let given: BTreeSet<String> = command
        .get_arguments()
        .filter(|arg| is_given(arg, flags))
        .filter_map(|arg| arg.get_long().map(str::to_owned))
        .collect();
    let command = command.mut_args(|arg| {
        let name = arg.get_long().unwrap_or_default().to_owned();
        match file.setting(section, &name) {
            Some(setting) if is_setting(&arg) && !given.contains(&twin(&name)) => {
                arg.default_values(setting.values.clone())
            }
            _ => arg,
        }
    });
    command.mut_subcommands(|inner| {
        let section = if section.is_empty() { section_of(inner.get_name()) } else { section }.to_owned();
        with_section(inner, &section, file, flags)
    })
}

/// The table in which a command's settings stand.
fn section_of(command: &str) -> &str {
    LIKE.iter().find(|(like, _)| *like == command).map_or(command, |(_, section)| section)
}

/// Whether a command's settings stand in a table of its own.
fn has_section(command: &Command) -> bool {
    section_of(command.get_name()) == command.get_name()
}

/// Whether the command line or the environment says it.
fn is_given(arg: &Arg, flags: &BTreeSet<String>) -> bool {
    flags.contains(arg.get_id().as_str()) || arg.get_env().is_some_and(|variable| std::env::var_os(variable).is_some())
}

/// The other name of the same: a value may be given itself, or in a file that is named. Whichever of the two the
/// configuration file has, it is below what the command line and the environment say of either.
fn twin(name: &str) -> String {
    name.strip_suffix(FILE_SUFFIX).map_or_else(|| format!("{name}{FILE_SUFFIX}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_flag_and_the_variable_that_is_called_like_it() {
        for arg in settings(&Args::command()) {
            let (name, variable) = (arg.get_long().unwrap_or_default(), arg.get_env().and_then(|name| name.to_str()));
            let want = format!("{VARIABLE_PREFIX}{}", name.to_uppercase().replace('-', "_"));
            assert_eq!(variable, Some(want.as_str()), "--{name}");
        }
    }

    #[test]
    fn a_value_and_the_file_that_holds_it_are_twins() {
        assert_eq!(twin("redis-url"), "redis-url-file");
        assert_eq!(twin("redis-url-file"), "redis-url");
    }
}
