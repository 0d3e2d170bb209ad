//! `GET /v1/audit-log`: what operators did.

use flash_vault::LoggedRow;
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::problem::Problem;
use super::query;
use super::reply::{Reply, json};
use super::route::{Answer, GET, Route, Schema, Spec, handler};
use super::state::{App, Asked};
use super::target::Manner;
use crate::limits::PAGE_ROWS_MAX;

pub(super) static ROUTES: [Route; 1] = [Route {
    method: &GET,
    path: "/v1/audit-log",
    name: "show-audit-log",
    access: Access::READ,
    handler: handler!(show),
    manner: Manner::USUAL,
    spec: Spec {
        tag: "Keys and the audit log",
        summary: "Show the audit log of operators' changes",
        description: "Newest first.",
        parameters: &["Before", "Limit"],
        answers: &[Answer::json(200, "A page of the log.", Schema::of::<AuditLogPage<'_>>())],
        ..Spec::NONE
    },
}];

#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "AuditLog",
    extend(
        "examples" = [
            {
                "rows": [
                    {
                        "id": 7, "at": "2026-11-21 16:00:00.123456+00", "who": "olga",
                        "key": "flash_operate_0a1b2c3d4e5f6071", "action": "POST /v1/sales/{sale}/restock",
                        "sale": "drop", "detail": "{\"delta\":50}", "outcome": "done",
                    },
                ],
            },
        ],
    ),
)]
struct AuditLogPage<'a> {
    rows: Vec<LoggedView<'a>>,
}

/// A page of the log, the newest first: `?before=N` and `?limit=N`.
pub(crate) async fn show(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let [before, limit] = query::read(asked.query(), ["before", "limit"])?;
    let before = query::int("before", before, (1, query::NUMBER_MAX), query::NUMBER_MAX)?;
    let limit = query::int("limit", limit, (1, PAGE_ROWS_MAX), PAGE_ROWS_MAX)?;
    let rows = app.postgres.look(async |client: &_| flash_vault::logged(client, before, limit).await).await?;
    Ok(json(StatusCode::OK, &AuditLogPage { rows: rows.iter().map(LoggedView::of).collect() }))
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct LoggedView<'a> {
    #[schemars(range(min = 1))]
    id: u64,
    at: &'a str,
    who: &'a str,
    /// The key's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    action: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sale: Option<&'a str>,
    /// The id in the path, and the body.
    detail: &'a str,
    /// `done`, or the problem; null: unknown.
    #[schemars(required, extend("type" = ["string", "null"]))]
    outcome: Option<&'a str>,
}

impl<'a> LoggedView<'a> {
    fn of(row: &'a LoggedRow) -> Self {
        let LoggedRow { id, at, who, key, action, sale, detail, outcome } = row;
        let (key, sale, outcome) = (key.as_deref(), sale.as_deref(), outcome.as_deref());
        Self { id: *id, at, who, key, action, sale, detail, outcome }
    }
}
