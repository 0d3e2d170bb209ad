//! `GET /v1/audit-log`: what operators did.

use flash_vault::LoggedRow;
use hyper::StatusCode;
use serde::Serialize;

use super::access::Access;
use super::problem::Problem;
use super::query;
use super::reply::{Reply, json};
use super::route::{Answer, GET, Route, Spec, handler};
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
        summary: "Show what operators changed",
        description: "The newest first.",
        parameters: &["Before", "Limit"],
        answers: &[Answer::json(200, "A page of the log.", "AuditLog")],
        ..Spec::NONE
    },
}];

/// A page of the log, the newest first: `?before=N` and `?limit=N`.
pub(crate) async fn show(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct AuditLogPage<'a> {
        rows: Vec<LoggedView<'a>>,
    }
    let [before, limit] = query::read(asked.query(), ["before", "limit"])?;
    let before = query::int("before", before, (1, query::NUMBER_MAX), query::NUMBER_MAX)?;
    let limit = query::int("limit", limit, (1, PAGE_ROWS_MAX), PAGE_ROWS_MAX)?;
    let rows = app.postgres.look(async |client: &_| flash_vault::logged(client, before, limit).await).await?;
    Ok(json(StatusCode::OK, &AuditLogPage { rows: rows.iter().map(LoggedView::of).collect() }))
}

#[derive(Serialize)]
struct LoggedView<'a> {
    id: u64,
    at: &'a str,
    who: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    action: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sale: Option<&'a str>,
    detail: &'a str,
    /// Null: nobody knows.
    outcome: Option<&'a str>,
}

impl<'a> LoggedView<'a> {
    fn of(row: &'a LoggedRow) -> Self {
        let LoggedRow { id, at, who, key, action, sale, detail, outcome } = row;
        let (key, sale, outcome) = (key.as_deref(), sale.as_deref(), outcome.as_deref());
        Self { id: *id, at, who, key, action, sale, detail, outcome }
    }
}
