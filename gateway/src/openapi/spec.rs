//! What the tables do not know: what each route is for, what it takes and what it answers. It stands in the JSON beside this
//! file, in words and by the names of schemas, and nowhere else.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::limits::fill;

/// All of it.
pub(super) struct Told {
    /// By the names of the routes.
    pub(super) routes: BTreeMap<String, Route>,
    pub(super) schemas: Map<String, Value>,
    pub(super) parameters: Map<String, Value>,
    pub(super) headers: Map<String, Value>,
}

/// One route.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    /// Under which heading it stands.
    pub(super) tag: String,
    pub(super) summary: String,
    #[serde(default)]
    pub(super) description: String,
    /// Names of parameters.
    #[serde(default)]
    pub(super) parameters: Vec<String>,
    /// The name of a schema.
    pub(super) body: Option<String>,
    #[serde(default)]
    pub(super) body_is_optional: bool,
    /// By their status.
    pub(super) answers: BTreeMap<String, Answer>,
    /// Slugs of the problems that are its own; see `problems.rs` for the others.
    #[serde(default)]
    pub(super) problems: Vec<String>,
}

/// What a route answers that is no problem.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) means: String,
    /// The name of a schema; none: there is no body.
    pub(super) schema: Option<String>,
    #[serde(default = "json")]
    pub(super) content: String,
    /// Another media type that may be asked for.
    pub(super) or: Option<String>,
    /// Names of headers.
    #[serde(default)]
    pub(super) headers: Vec<String>,
    /// What may be done with the answer: names of routes, each with what its path's parts are.
    #[serde(default)]
    pub(super) links: BTreeMap<String, Value>,
}

fn json() -> String {
    "application/json".to_owned()
}

impl Told {
    /// # Errors
    /// When a piece is not what it should be, which a test would have shown.
    pub(super) fn read() -> serde_json::Result<Self> {
        Ok(Self {
            routes: filled(include_str!("routes.json"))?,
            schemas: filled(include_str!("schemas.json"))?,
            parameters: filled(include_str!("parameters.json"))?,
            headers: filled(include_str!("headers.json"))?,
        })
    }
}

fn filled<T: for<'de> Deserialize<'de>>(text: &str) -> serde_json::Result<T> {
    let mut value = serde_json::from_str(text)?;
    fill(&mut value);
    serde_json::from_value(value)
}
