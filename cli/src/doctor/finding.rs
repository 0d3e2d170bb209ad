//! What a check finds.

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// It works, and something is worth a look.
    Warn,
    /// It does not work, or loses something one day.
    Fail,
}

/// One finding.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Finding {
    /// `area.check`.
    pub(super) check: String,
    pub(super) level: Level,
    /// What was found, and what it means.
    pub(super) detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) advice: Option<String>,
}

impl Finding {
    pub(super) fn ok(detail: impl Into<String>) -> Self {
        Self { check: String::new(), level: Level::Ok, detail: detail.into(), advice: None }
    }

    pub(super) fn warn(detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Warn, advice: Some(advice.into()), ..Self::ok(detail) }
    }

    pub(super) fn fail(detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Fail, advice: Some(advice.into()), ..Self::ok(detail) }
    }

    pub(super) fn of(self, area: &str, check: &str) -> Self {
        Self { check: format!("{area}.{check}"), ..self }
    }
}
