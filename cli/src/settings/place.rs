//! Where in a configuration file something is wrong, and which name was meant.

use std::path::Path;

use anyhow::anyhow;

/// Letters in which a mistyped name may differ from the one that was meant.
const NEAR_EDITS_MAX: usize = 3;

/// A file's text, to say where in it something is wrong.
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

/// A key that is none of those that may stand here: which it was meant for, or which there are.
pub(super) fn unknown(name: &str, known: &[&str]) -> String {
    let near = known.iter().map(|known| (strsim::osa_distance(name, known), known)).min();
    match near {
        Some((edits, near)) if edits <= NEAR_EDITS_MAX => format!("{name} is no setting; the nearest is {near}"),
        _ => format!("{name} is no setting; here may stand {}", known.join(", ")),
    }
}
