//! `flash config show`: what every setting is, and where it comes from.

use std::process::ExitCode;

use anyhow::Result;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory};
use serde::Serialize;

use super::file::File;
use super::policies::RATE_LIMIT;
use super::{flags, has_section, is_setting, section_of, settings, with_file};
use crate::args::{self, Args, Output};
use crate::{output, secret};

/// A setting as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Row {
    /// Its name; after its command's, if commands have different values.
    setting: String,
    /// None where it is not set.
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    #[serde(skip)]
    command: String,
}

/// Shows what the command line given would use, or without one, what every command would.
pub(crate) fn show(args: &args::ConfigShow, file: &File, output: Output) -> Result<ExitCode> {
    let mut rows = if args.command.is_empty() { of_all(file)? } else { of_command_line(&args.command, file) };
    rows.extend(file.placed_policies().map(|(place, policy)| Row {
        setting: format!("{RATE_LIMIT}.{}", policy.name()),
        value: Some(policy.to_string()),
        origin: Some(place),
        command: String::new(),
    }));
    if !args.origin {
        rows.iter_mut().for_each(|row| row.origin = None);
    }
    match output {
        Output::Json => rows.iter().for_each(output::json),
        Output::Table => table(&rows),
    }
    Ok(ExitCode::SUCCESS)
}

fn table(rows: &[Row]) {
    let value = |row: &Row| row.value.clone().unwrap_or_else(|| "(not set)".to_owned());
    let width = rows.iter().map(|row| value(row).len()).max().unwrap_or(0);
    let lines = rows.iter().map(|row| match &row.origin {
        Some(origin) => (row.setting.as_str(), format!("{:width$}  {origin}", value(row))),
        None => (row.setting.as_str(), value(row)),
    });
    output::table(&lines.collect::<Vec<_>>());
}

/// The settings of one command line.
fn of_command_line(words: &[String], file: &File) -> Vec<Row> {
    let words = || std::iter::once("flash").chain(words.iter().map(String::as_str));
    let asked = Args::command().get_matches_from(words());
    let mut command = with_file(Args::command(), file, &flags(&asked));
    let matches = command.clone().get_matches_from(words());
    command.build();
    let (mut rows, mut level) = (Vec::new(), Some((&command, &matches)));
    let section = section_of(matches.subcommand_name().unwrap_or_default());
    while let Some((command, matches)) = level {
        for arg in command.get_arguments().filter(|arg| is_setting(arg)) {
            let row = row(section, arg, matches, file);
            if rows.iter().all(|known: &Row| known.setting != row.setting) {
                rows.push(row);
            }
        }
        level = matches.subcommand().and_then(|(name, matches)| Some((command.find_subcommand(name)?, matches)));
    }
    rows
}

/// The settings of every command. Where all that have one of a name agree, it is one row.
fn of_all(file: &File) -> Result<Vec<Row>> {
    let command = with_file(Args::command(), file, &Default::default());
    let mut rows = of_section("", command.get_arguments().filter(|arg| is_setting(arg)).cloned().collect(), file)?;
    for inner in command.get_subcommands().filter(|inner| has_section(inner)) {
        rows.extend(of_section(inner.get_name(), settings(inner), file)?);
    }
    Ok(merged(rows))
}

fn of_section(section: &str, settings: Vec<Arg>, file: &File) -> Result<Vec<Row>> {
    let alone = Command::new("flash").no_binary_name(true).args(settings.clone());
    let matches = alone.try_get_matches_from(std::iter::empty::<&str>())?;
    Ok(settings.iter().map(|arg| row(section, arg, &matches, file)).collect())
}

fn row(section: &str, arg: &Arg, matches: &ArgMatches, file: &File) -> Row {
    let (id, name) = (arg.get_id().as_str(), arg.get_long().unwrap_or_default());
    let said = matches.get_raw(id).map(|values| values.map(|value| value.to_string_lossy()).collect::<Vec<_>>());
    let show = |value: String| if arg.is_hide_env_values_set() { secret::redact(name, &value) } else { value };
    let origin = match matches.value_source(id) {
        Some(ValueSource::CommandLine) => format!("flag --{name}"),
        Some(ValueSource::EnvVariable) => {
            format!("env {}", arg.get_env().unwrap_or_default().to_string_lossy())
        }
        Some(_) => file.setting(section, name).map_or_else(|| "default".to_owned(), |setting| file.place(setting)),
        None => "default".to_owned(),
    };
    let value = said.map(|values| show(values.join(",")));
    Row { setting: name.to_owned(), value, origin: Some(origin), command: section.to_owned() }
}

fn merged(rows: Vec<Row>) -> Vec<Row> {
    let same = |one: &Row, other: &Row| (&one.value, &one.origin) == (&other.value, &other.origin);
    let mut merged: Vec<Row> = Vec::new();
    for row in &rows {
        let others = || rows.iter().filter(|other| other.setting == row.setting);
        if others().all(|other| same(row, other)) {
            if merged.iter().all(|known| known.setting != row.setting) {
                merged.push(row.clone());
            }
        } else {
            merged.push(Row { setting: format!("{}.{}", row.command, row.setting), ..row.clone() });
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(command: &str, setting: &str, value: &str) -> Row {
        let (setting, command) = (setting.to_owned(), command.to_owned());
        Row { setting, value: Some(value.to_owned()), origin: None, command }
    }

    #[test]
    fn what_all_commands_agree_on_is_one_row() {
        let rows =
            vec![row("a", "x", "1"), row("a", "y", "1"), row("b", "x", "1"), row("b", "y", "2"), row("b", "z", "3")];
        let shown = merged(rows).into_iter().map(|row| (row.setting, row.value.unwrap_or_default()));
        let want = [("x", "1"), ("a.y", "1"), ("b.y", "2"), ("z", "3")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(shown.collect::<Vec<_>>(), want);
    }
}
