//! The configuration file: TOML, its keys being the names of settings. A key at the top is for every command that has
//! this setting; one in a command's table is for that command, and wins.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgAction, Command};
use flash_gateway::Policy;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::place::{Place, unknown};
use super::policies::RATE_LIMIT;
use super::{FILE_SUFFIX, has_section, policies, settings};
use crate::secret;

/// A configuration file is small. What is larger is another file, named by mistake.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// What a value may be.
const TEXTS_RULE: &str = "must be a string, a number, true, false, or a list of these";
/// The permission of everyone to read a file.
const OTHERS_READ: u32 = 0o004;

/// What a file says, every key of it known.
#[derive(Debug, Default)]
pub(crate) struct File {
    path: PathBuf,
    settings: Vec<Setting>,
    policies: Vec<(usize, Policy)>,
}

/// One key and its value.
#[derive(Debug)]
pub(super) struct Setting {
    /// The command whose table it is in; empty at the top.
    section: String,
    name: String,
    pub(super) values: Vec<String>,
    line: usize,
}

impl File {
    /// Reads a file for the settings that `command` and those within it have.
    pub(super) fn read(path: &Path, command: &Command) -> Result<Self> {
        let named = || path.display().to_string();
        let about = fs::metadata(path).with_context(named)?;
        if about.len() > FILE_BYTES_MAX {
            bail!("{}: a configuration file has at most {FILE_BYTES_MAX} bytes, not {}", named(), about.len());
        }
        let text = fs::read_to_string(path).with_context(named)?;
        let others_read = about.permissions().mode() & OTHERS_READ != 0;
        Self::parse(path, &text, others_read, command)
    }

    fn parse(path: &Path, text: &str, others_read: bool, command: &Command) -> Result<Self> {
        let place = Place { path, text };
        let table = DeTable::parse(text)
            .map_err(|error| place.error(error.span().map_or(0, |span| span.start), error.message()))?;
        let mut file = Self { path: path.to_owned(), settings: Vec::new(), policies: Vec::new() };
        let top = Section { name: "", known: settings(command), others_read, place: &place };
        let with_settings = command.get_subcommands().filter(|inner| has_section(inner) && !settings(inner).is_empty());
        let commands: Vec<&str> = with_settings.map(Command::get_name).collect();
        for (key, value) in table.get_ref() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                (RATE_LIMIT, value_of) => file.policies = policies::read(&place, key.span().start, value_of)?,
                (name, DeValue::Table(inner)) if commands.contains(&name) => {
                    let known = command.find_subcommand(name).map(settings).unwrap_or_default();
                    let section = Section { name, known, ..top };
                    for (key, value) in inner {
                        file.settings.push(section.setting(key, value, &[])?);
                    }
                }
                _ => file.settings.push(top.setting(key, value, &[&commands[..], &[RATE_LIMIT]].concat())?),
            }
        }
        Ok(file)
    }

    /// What the file says of a setting of a command.
    pub(super) fn setting(&self, section: &str, name: &str) -> Option<&Setting> {
        let of =
            |section: &str| self.settings.iter().find(|setting| setting.section == section && setting.name == name);
        of(section).or_else(|| of(""))
    }

    /// Where a setting of it is.
    pub(super) fn place(&self, setting: &Setting) -> String {
        format!("{}:{}", self.path.display(), setting.line)
    }

    /// The policies, with their places.
    pub(super) fn placed_policies(&self) -> impl Iterator<Item = (String, &Policy)> {
        self.policies.iter().map(|(line, policy)| (format!("{}:{line}", self.path.display()), policy))
    }

    /// How often whom may ask for what.
    pub(crate) fn policies(&self) -> Vec<Policy> {
        self.policies.iter().map(|(_, policy)| policy.clone()).collect()
    }
}

/// A table of settings.
struct Section<'a> {
    name: &'a str,
    known: Vec<Arg>,
    others_read: bool,
    place: &'a Place<'a>,
}

impl Section<'_> {
    fn setting(
        &self,
        key: &Spanned<std::borrow::Cow<str>>,
        value: &Spanned<DeValue>,
        others: &[&str],
    ) -> Result<Setting> {
        let (name, at) = (key.get_ref().as_ref(), key.span().start);
        let Some(arg) = self.known.iter().find(|arg| arg.get_long() == Some(name)) else {
            let mut names: Vec<&str> = self.known.iter().filter_map(Arg::get_long).collect();
            names.extend(others);
            return Err(self.place.error(at, unknown(name, &names)));
        };
        let is_secret = arg.is_hide_env_values_set();
        let values = texts(value.get_ref()).ok_or_else(|| self.place.error(at, format!("{name} {TEXTS_RULE}")))?;
        check(arg, &values).map_err(|problem| {
            let told = if is_secret { format!("{name} cannot be read") } else { problem };
            self.place.error(at, told)
        })?;
        if is_secret && self.others_read && values.iter().any(|value| secret::redact(name, value) != *value) {
            return Err(self.place.error(at, exposed(name)));
        }
        Ok(Setting { section: self.name.to_owned(), name: name.to_owned(), values, line: self.place.line(at) })
    }
}

/// What is wrong with a password at this place.
fn exposed(name: &str) -> String {
    let help =
        format!("remove that permission (chmod o-r), or set {name}{FILE_SUFFIX} to a file that holds the password");
    format!("{name} holds a password, and other users can read this file: {help}")
}

/// A value, or a list of them, as they would stand on a command line.
fn texts(value: &DeValue) -> Option<Vec<String>> {
    match value {
        DeValue::Array(values) => values.iter().map(|value| text(value.get_ref())).collect(),
        value => text(value).map(|text| vec![text]),
    }
}

fn text(value: &DeValue) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(number) => Some(i128::from_str_radix(number.as_str(), number.radix()).ok()?.to_string()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(is) => Some(is.to_string()),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// Passes values that the setting's flag would take.
fn check(arg: &Arg, values: &[String]) -> Result<(), String> {
    // What is a flag without a value is true or false here.
    let action = if arg.get_action().takes_values() { arg.get_action().clone() } else { ArgAction::Set };
    let mut alone = Arg::new(arg.get_long().unwrap_or_default().to_owned())
        .value_parser(arg.get_value_parser().clone())
        .action(action)
        .allow_hyphen_values(true);
    if let Some(delimiter) = arg.get_value_delimiter() {
        alone = alone.value_delimiter(delimiter).num_args(1..);
    }
    let parsed =
        Command::new("flash").no_binary_name(true).disable_help_flag(true).arg(alone).try_get_matches_from(values);
    let Err(error) = parsed else { return Ok(()) };
    let told = error.to_string();
    let told = told.strip_prefix("error: ").unwrap_or(&told);
    Err(told.split("\n\n").next().unwrap_or(told).to_owned())
}

#[cfg(test)]
mod tests;
