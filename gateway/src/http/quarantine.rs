//! What nobody could read or write, and what operators decide about it: `/v1/quarantine` and what is below it.

use flash_recovery::{ReplayError, discard_quarantined, replay_quarantined};
use flash_vault::{QuarantineEnd, QuarantineRow, Replay};
use hyper::StatusCode;
use serde::Serialize;

use super::app::{App, Asked};
use super::audit_log;
use super::idempotency::{Keyed, once};
use super::problem::{Kind, Problem};
use super::query;
use super::reply::{Reply, json};
use crate::limits::PAGE_ROWS_MAX;

/// A page of what waits, the oldest first: `?after=N` and `?limit=N`.
pub(crate) async fn list(app: &App, query: Option<&str>) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct View<'a> {
        rows: Vec<RowView<'a>>,
    }
    let [after, limit] = query::read(query, ["after", "limit"])?;
    let after = query::int("after", after, (0, query::NUMBER_MAX), 0)?;
    let limit = query::int("limit", limit, (1, PAGE_ROWS_MAX), PAGE_ROWS_MAX)?;
    let rows = app.postgres.quarantine_page(after, limit).await?;
    Ok(json(StatusCode::OK, &View { rows: rows.iter().map(RowView::of).collect() }))
}

#[derive(Serialize)]
struct RowView<'a> {
    id: u64,
    #[serde(flatten)]
    event: Option<EventView<'a>>,
    at: &'a str,
    bytes: u64,
    reason: &'a str,
}

#[derive(Serialize)]
struct EventView<'a> {
    sale: &'a str,
    epoch: u64,
    seq: u64,
}

impl<'a> RowView<'a> {
    fn of(row: &'a QuarantineRow) -> Self {
        let event = row.event.as_ref();
        let event = event.map(|(sale, epoch, seq)| EventView { sale, epoch: *epoch, seq: *seq });
        Self { id: row.id, event, at: &row.at, bytes: row.body_bytes, reason: &row.reason }
    }
}

/// One row, also one that does not wait any more, with what it holds.
pub(crate) async fn show(app: &App, id: &str) -> Result<Reply, Problem> {
    let (row, body) = app.postgres.quarantined(number(id)?).await?.ok_or(Kind::UnknownQuarantined)?;
    let body = String::from_utf8_lossy(&body);
    Ok(json(StatusCode::OK, &WholeView { row: RowView::of(&row), end: row.end.as_ref().map(EndView::of), body: &body }))
}

#[derive(Serialize)]
struct WholeView<'a> {
    #[serde(flatten)]
    row: RowView<'a>,
    #[serde(flatten)]
    end: Option<EndView<'a>>,
    body: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum EndView<'a> {
    Replayed { replayed_at: &'a str },
    Rejected { rejected_at: &'a str, rejected_because: &'a str },
    Discarded { discarded_at: &'a str, discarded_by: &'a str },
}

impl<'a> EndView<'a> {
    fn of(end: &'a QuarantineEnd) -> Self {
        match end {
            QuarantineEnd::Replayed { at } => Self::Replayed { replayed_at: at },
            QuarantineEnd::Rejected { at, reason } => Self::Rejected { rejected_at: at, rejected_because: reason },
            QuarantineEnd::Discarded { at, by } => Self::Discarded { discarded_at: at, discarded_by: by },
        }
    }
}

#[derive(Serialize)]
struct Outcome {
    id: u64,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Writes a row after all. Where that is refused, it stays, and the answer has the new reason; where a rejection was
/// written instead, the answer has the rejection's.
pub(crate) async fn replay(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let (id, keyed) = (number(&asked.target.id)?, Keyed::of(asked)?);
    once(app, keyed.as_ref(), write(app, id)).await
}

async fn write(app: &App, id: u64) -> Result<Outcome, Problem> {
    let (_turn, mut vault) = app.postgres.writer().await?;
    let replay = replay_quarantined(&mut vault, &app.redis, id).await.map_err(not_known)?;
    let (outcome, reason) = match replay {
        Replay::Written => ("replayed", None),
        Replay::Rejected(reason) => ("rejected", Some(reason)),
        Replay::Refused(reason) => ("refused", Some(reason)),
        Replay::Gone => return Err(Kind::UnknownQuarantined.into()),
    };
    Ok(Outcome { id, outcome, reason })
}

fn not_known(error: ReplayError) -> Problem {
    match error {
        // It was asked before anything was written.
        ReplayError::Redis(error) => Problem::from(error).of_read(),
        ReplayError::Silent { .. } => Problem::new(Kind::RedisAway, error.to_string()),
        // An operator wants nothing to be written: it was asked first.
        ReplayError::Postgres(error @ flash_vault::Error::Paused) => Problem::new(
            Kind::PostgresAway,
            format!("{error}, and nothing was written: resume them (flash syncer resume), then try again"),
        ),
        ReplayError::Postgres(flash_vault::Error::ReadOnly) => Kind::PostgresReadOnly.into(),
        // PostgreSQL answered, and did nothing.
        ReplayError::Postgres(flash_vault::Error::Database(_)) => Kind::PostgresAway.into(),
        ReplayError::Postgres(_) => Problem::new(Kind::OutcomeUnknown, "look at the row: it says what became of it"),
    }
}

/// Decides that a row is not to be written. A reservation in it is rejected.
pub(crate) async fn discard(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let (id, keyed) = (number(&asked.target.id)?, Keyed::of(asked)?);
    once(app, keyed.as_ref(), drop_row(app, id, audit_log::who(&asked.caller))).await
}

async fn drop_row(app: &App, id: u64, who: &str) -> Result<Outcome, Problem> {
    let (_turn, mut vault) = app.postgres.writer().await?;
    let discarded = discard_quarantined(&mut vault, Some(&app.redis), id, who).await;
    match discarded.map_err(|error| not_known(error.into()))? {
        true => Ok(Outcome { id, outcome: "discarded", reason: None }),
        false => Err(Kind::UnknownQuarantined.into()),
    }
}

/// What is no number is no row's.
fn number(id: &str) -> Result<u64, Problem> {
    Ok(id.parse().map_err(|_| Kind::UnknownQuarantined)?)
}

#[cfg(test)]
mod tests {
    use flash_client::CallError;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_shown_with_what_it_holds_and_what_became_of_it() {
        let row = QuarantineRow {
            id: 7,
            event: Some(("drop".to_owned(), 1, 4)),
            reason: "no_eve".to_owned(),
            at: "then".to_owned(),
            body_bytes: 2,
            end: None,
        };
        let check = |end: Option<QuarantineEnd>, want: serde_json::Value| {
            let view = WholeView { row: RowView::of(&row), end: end.as_ref().map(EndView::of), body: "{}" };
            let mut whole = json!({
                "id": 7, "sale": "drop", "epoch": 1, "seq": 4, "at": "then", "bytes": 2, "reason": "no_eve", "body": "{}"
            });
            whole.as_object_mut().unwrap().extend(want.as_object().unwrap().clone());
            assert_eq!(serde_json::to_value(view).unwrap(), whole);
        };
        let at = || "now".to_owned();
        check(None, json!({}));
        check(Some(QuarantineEnd::Replayed { at: at() }), json!({"replayed_at": "now"}));
        let rejected = QuarantineEnd::Rejected { at: at(), reason: "late".to_owned() };
        check(Some(rejected), json!({"rejected_at": "now", "rejected_because": "late"}));
        let discarded = QuarantineEnd::Discarded { at: at(), by: "olga".to_owned() };
        check(Some(discarded), json!({"discarded_at": "now", "discarded_by": "olga"}));
    }

    #[test]
    fn what_is_no_number_is_no_row() {
        assert_eq!(number("7"), Ok(7));
        for id in ["", "x", "-1", "7.0", "99999999999999999999"] {
            assert_eq!(number(id).unwrap_err().kind, Kind::UnknownQuarantined, "{id}");
        }
    }

    #[test]
    fn nothing_is_written_while_the_syncers_are_paused() {
        let problem = not_known(ReplayError::Postgres(flash_vault::Error::Paused));
        assert_eq!((problem.kind, problem.kind.row().status.as_u16()), (Kind::PostgresAway, 503));
    }

    #[test]
    fn a_redis_that_does_not_say_how_a_reservation_stands_has_left_nothing_unknown() {
        let unknown = CallError::Unknown("no answer".to_owned());
        assert_eq!(not_known(ReplayError::Redis(unknown)).kind, Kind::TimedOut);
        let silent = ReplayError::Silent { sale: "drop".to_owned(), id: 4, code: "FENCED" };
        assert_eq!(not_known(silent).kind, Kind::RedisAway);
        let trouble = ReplayError::Postgres(flash_vault::Error::ConnectTimeout(1));
        assert_eq!(not_known(trouble).kind, Kind::OutcomeUnknown);
    }
}
