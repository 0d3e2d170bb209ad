//! What a check of a server finds.

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, and something is worth a look.
    Warn,
    /// It does not work, or loses something one day.
    Fail,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `area.check`.
    pub check: String,
    /// How bad it is.
    pub level: Level,
    /// What was found, and what it means.
    pub detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    /// As it should be.
    #[must_use]
    pub fn ok(detail: impl Into<String>) -> Self {
        Self { check: String::new(), level: Level::Ok, detail: detail.into(), advice: None }
    }

    /// Something to look at, and what to do.
    #[must_use]
    pub fn warn(detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Warn, advice: Some(advice.into()), ..Self::ok(detail) }
    }

    /// Something that does not work, and what to do.
    #[must_use]
    pub fn fail(detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Fail, advice: Some(advice.into()), ..Self::ok(detail) }
    }

    /// The same, of this check.
    #[must_use]
    pub fn of(self, area: &str, check: &str) -> Self {
        Self { check: format!("{area}.{check}"), ..self }
    }
}
