//! The place of an error in a configuration file, and the name that an unknown name resembles.

use std::path::Path;

use anyhow::anyhow;

/// Letters in which a mistyped name may differ from the one that was meant.
const NEAR_EDITS_MAX: usize = 3;

/// A file's path and text: an error names its line.
pub(super) struct Place<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Place<'_> {
    pub(super) fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }

    pub(super) fn error(&self, at: usize, what: impl std::fmt::Display) -> anyhow::Error {
        anyhow!("{}:{}: {what}", self.path.display(), self.line(at))
    }
}

/// The error for a key that is not a setting at its place: the nearest name, or all names.
pub(super) fn unknown(name: &str, known: &[&str]) -> String {
    let near = known.iter().map(|known| (strsim::osa_distance(name, known), known)).min();
    match near {
        Some((edits, near)) if edits <= NEAR_EDITS_MAX => format!("unknown setting `{name}`; did you mean `{near}`?"),
        _ => format!("unknown setting `{name}`; the settings here are {}", known.join(", ")),
    }
}
