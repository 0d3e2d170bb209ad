//! The audit log: what operators did. Written before it is done, shown by `GET /v1/audit-log`.

use flash_vault::{LoggedChange, LoggedRow};
use hyper::StatusCode;
use serde::Serialize;

use super::app::{App, Asked};
use super::identity::Caller;
use super::problem::Problem;
use super::query;
use super::reply::{Reply, json};
use super::routes::{Endpoint, route_path};
use super::webhooks;
use crate::limits::{LOGGED_BYTES_MAX, PAGE_ROWS_MAX};

/// Whom the log names where nobody has to say who he is.
const ANYONE: &str = "anyone";
/// What the log says of what was done.
const DONE: &str = "done";

/// Writes a request down; the row's number.
///
/// # Errors
/// When PostgreSQL does not take it: then it must not be done.
pub(crate) async fn begin(app: &App, asked: &Asked) -> Result<u64, Problem> {
    let key = match &asked.caller {
        Caller::Operator(operator) => Some(operator.key.as_str()),
        Caller::Anyone | Caller::Buyer(_) => None,
    };
    let action = format!("{} {}", asked.head.method, route_path(asked.target.route));
    let detail = match asked.target.endpoint {
        // Who reads the log may not post to its receiver.
        Endpoint::AddWebhook => webhooks::logged(&asked.body),
        _ => detail(&asked.target.id, &asked.body),
    };
    let sale = Some(asked.target.sale.as_str()).filter(|sale| !sale.is_empty());
    let change = LoggedChange { who: who(&asked.caller), key, action: &action, sale, detail: &detail };
    Ok(app.postgres.log_change(change).await?)
}

/// Whom the log names.
pub(crate) fn who(caller: &Caller) -> &str {
    match caller {
        Caller::Anyone => ANYONE,
        Caller::Buyer(buyer) => buyer,
        Caller::Operator(operator) => &operator.name,
    }
}

/// The id in the path, without what makes a reservation's id a secret, and the body. PostgreSQL's text has no NUL.
fn detail(id: &str, body: &[u8]) -> String {
    let number = id.split('-').next().unwrap_or_default();
    let body = String::from_utf8_lossy(body).replace('\0', "\u{fffd}");
    let mut detail = format!("{number} {body}").trim().to_owned();
    detail.truncate(detail.floor_char_boundary(LOGGED_BYTES_MAX));
    detail
}

/// Writes down what became of it. Where that fails, the row says that nobody knows.
pub(crate) async fn end(app: &App, row: u64, result: &Result<Reply, Problem>) {
    let outcome = result.as_ref().map_or_else(|problem| problem.kind.slug(), |_| DONE);
    if let Err(error) = app.postgres.end_logged(row, outcome).await {
        tracing::warn!(row, outcome, ?error, "the audit log does not say what became of a change");
    }
}

/// A page of the log, the newest first: `?before=N` and `?limit=N`.
pub(crate) async fn show(app: &App, query: Option<&str>) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct View<'a> {
        rows: Vec<RowView<'a>>,
    }
    let [before, limit] = query::read(query, ["before", "limit"])?;
    let before = query::int("before", before, (1, query::NUMBER_MAX), query::NUMBER_MAX)?;
    let limit = query::int("limit", limit, (1, PAGE_ROWS_MAX), PAGE_ROWS_MAX)?;
    let rows = app.postgres.logged(before, limit).await?;
    Ok(json(StatusCode::OK, &View { rows: rows.iter().map(RowView::of).collect() }))
}

#[derive(Serialize)]
struct RowView<'a> {
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

impl<'a> RowView<'a> {
    fn of(row: &'a LoggedRow) -> Self {
        let LoggedRow { id, at, who, key, action, sale, detail, outcome } = row;
        let (key, sale, outcome) = (key.as_deref(), sale.as_deref(), outcome.as_deref());
        Self { id: *id, at, who, key, action, sale, detail, outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_body_and_nothing_that_is_secret_or_endless_or_unwritable() {
        assert_eq!(detail("", b"{\"delta\":1}"), "{\"delta\":1}");
        assert_eq!(detail("2-00ff", b""), "2");
        assert_eq!(detail("flash_read_7", b""), "flash_read_7");
        assert_eq!(detail("", b"\xff"), "\u{fffd}");
        assert_eq!(detail("", b"a\0b"), "a\u{fffd}b");
        let long = detail("", "\u{eb}".repeat(LOGGED_BYTES_MAX).as_bytes());
        assert_eq!(long.len(), LOGGED_BYTES_MAX);
    }
}
