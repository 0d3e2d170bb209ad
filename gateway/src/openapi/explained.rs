//! What a problem means, for programs and for people.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::html::{line, page, text};
use crate::http::Kind;

/// A problem, explained.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(
    rename = "ExplainedProblem",
    extend(
        "examples" = [
            {
                "type": "/problems/outcome-unknown", "title": "Outcome unknown", "status": 504,
                "meaning": "No answer came in time. The request may have succeeded.",
                "again": "Yes: send the same request again, with the same Idempotency-Key if it had one.",
            },
        ],
    ),
)]
pub(crate) struct Explained {
    r#type: String,
    title: &'static str,
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// What it means to the client who meets it.
    meaning: &'static str,
    /// Whether to send the same request again.
    again: &'static str,
}

/// Explains a problem.
pub(crate) fn explain(kind: Kind) -> Explained {
    let row = kind.row();
    Explained {
        r#type: kind.path(),
        title: row.title,
        status: row.status.as_u16(),
        meaning: row.meaning,
        again: row.again.advice(),
    }
}

/// The same as a page.
pub(crate) fn explain_page(kind: Kind) -> String {
    let Explained { r#type, title, status, meaning, again } = explain(kind);
    let example = serde_json::json!({ "type": r#type, "title": title, "status": status });
    let example = text(&pretty(&example));
    page(
        title,
        &format!(
            "<main class=\"narrow\">\n<p class=\"kind\"><span class=\"status\">{status}</span> <code>{}</code></p>\n\
             <h1>{}</h1>\n<p>{}</p>\n<h2>Retry?</h2>\n<p>{}</p>\n<h2>Response body</h2>\n<pre>{example}</pre>\n\
             <p><a href=\"/docs#problems\">All problems</a></p>\n</main>\n",
            kind.slug(),
            text(title),
            line(meaning),
            line(again),
        ),
    )
}

/// JSON with lines and indents.
pub(super) fn pretty(value: &Value) -> String {
    // A tree of JSON into memory: nothing here can fail.
    serde_json::to_string_pretty(value).unwrap_or_default()
}
