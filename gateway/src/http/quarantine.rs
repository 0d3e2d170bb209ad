//! What could not be read or written, and what operators decide about it: `/v1/quarantine` and what is below it.

use flash_recovery::{ReplayError, discard_quarantined, replay_quarantined};
use flash_vault::{QuarantineEnd, QuarantineFilter, QuarantineRow, Replay};
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::idempotency::{Keyed, once};
use super::problem::{Kind, Problem};
use super::query;
use super::reply::{Reply, json};
use super::route::{Answer, GET, POST, Route, Schema, Spec, handler};
use super::state::{App, Asked};
use super::target::Manner;
use crate::limits::{PAGE_ROWS_MAX, QUARANTINED_BYTES_MAX};

pub(super) static ROUTES: [Route; 4] = [
    Route {
        method: &GET,
        path: "/v1/quarantine",
        name: "list-quarantine",
        access: Access::READ,
        handler: handler!(list),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "On the way to PostgreSQL",
            summary: "List quarantined messages",
            description: "Messages that could not be read or written, oldest first.",
            parameters: &["AfterQuarantined", "Limit"],
            answers: &[Answer::json(200, "One page of the list.", Schema::of::<QuarantineList<'_>>())],
            ..Spec::NONE
        },
    },
    Route {
        method: &GET,
        path: "/v1/quarantine/{id}",
        name: "show-quarantined",
        access: Access::READ,
        handler: handler!(show),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "On the way to PostgreSQL",
            summary: "Show a quarantined message with its content",
            description: "Includes messages that were replayed or discarded.",
            parameters: &["QuarantinedId"],
            answers: &[Answer::json(200, "The row.", Schema::of::<QuarantinedView<'_>>())],
            problems: &[Kind::UnknownQuarantined],
            ..Spec::NONE
        },
    },
    Route {
        method: &POST,
        path: "/v1/quarantine/{id}/replay",
        name: "replay",
        access: Access::ADMIN,
        handler: handler!(replay),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "On the way to PostgreSQL",
            summary: "Replay a quarantined message",
            description: "Writes the message to PostgreSQL, whose constraints decide: units that were sold meanwhile \
                          stay sold. A reservation is written in its current state in Redis, and not at all if Redis \
                          no longer has it. A reservation that counted as lost when its epoch ended is rejected, \
                          because the sale continued without it. A refused message stays in the quarantine with the \
                          new reason.",
            parameters: &["QuarantinedId", "IdempotencyKey"],
            answers: &[Answer::json(
                200,
                "The message was written, or a rejection was written instead, or the message was refused and stays.",
                Schema::of::<ReplayOutcome>(),
            )
            .headers(&["Idempotency-Replayed"])],
            problems: &[Kind::UnknownQuarantined, Kind::KeyReused],
            ..Spec::NONE
        },
    },
    Route {
        method: &POST,
        path: "/v1/quarantine/{id}/discard",
        name: "discard",
        access: Access::ADMIN,
        handler: handler!(discard),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "On the way to PostgreSQL",
            summary: "Discard a quarantined message",
            description: "The row stays, with the name of the operator's key. A reservation in it is rejected \
                          (`discarded`): the buyer's payment is refunded, webhooks are notified, and Redis removes the \
                          reservation.",
            parameters: &["QuarantinedId", "IdempotencyKey"],
            answers: &[Answer::json(200, "The message is discarded.", Schema::of::<Discarded>())
                .headers(&["Idempotency-Replayed"])],
            problems: &[Kind::UnknownQuarantined, Kind::KeyReused],
            ..Spec::NONE
        },
    },
];

#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "Quarantine",
    extend(
        "examples" = [
            {
                "rows": [
                    {
                        "id": 7, "at": "2026-11-21T16:00:00Z", "bytes": 3,
                        "reason": "expected value at line 1 column 1",
                    },
                    {
                        "id": 8, "sale": "drop", "epoch": 1, "seq": 4, "at": "2026-11-21T16:00:00Z", "bytes": 180,
                        "reason": "…",
                    },
                ],
            },
        ],
    ),
)]
struct QuarantineList<'a> {
    rows: Vec<QuarantineRowView<'a>>,
}

/// A page of what waits, the oldest first: `?after=N` and `?limit=N`.
pub(crate) async fn list(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let [after, limit] = query::read(asked.query(), ["after", "limit"])?;
    let after = query::int("after", after, (0, query::NUMBER_MAX), 0)?;
    let limit = query::int("limit", limit, (1, PAGE_ROWS_MAX), PAGE_ROWS_MAX)?;
    let filter = QuarantineFilter { after, limit, ..QuarantineFilter::default() };
    let rows = app.postgres.look(async |client: &_| flash_vault::quarantined(client, &filter).await).await?;
    Ok(json(StatusCode::OK, &QuarantineList { rows: rows.iter().map(QuarantineRowView::of).collect() }))
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct QuarantineRowView<'a> {
    #[schemars(range(min = 1))]
    id: u64,
    #[serde(flatten)]
    event: Option<EventView<'a>>,
    at: &'a str,
    /// How long it is.
    bytes: u64,
    /// Why it is there.
    reason: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct EventView<'a> {
    /// Left out, with the epoch and the seq, if the message is unreadable.
    #[schemars(with = "Option<String>")]
    sale: &'a str,
    /// Which life of the sale in Redis the event is of.
    #[schemars(with = "Option<u64>", range(min = 1))]
    epoch: u64,
    /// The event's number.
    #[schemars(with = "Option<u64>", range(min = 1))]
    seq: u64,
}

impl<'a> QuarantineRowView<'a> {
    fn of(row: &'a QuarantineRow) -> Self {
        let event = row.event.as_ref();
        let event = event.map(|(sale, epoch, seq)| EventView { sale, epoch: *epoch, seq: *seq });
        Self { id: row.id, event, at: &row.at, bytes: row.body_bytes, reason: &row.reason }
    }
}

/// One row, also one that does not wait any more, with what it holds.
pub(crate) async fn show(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let id = number(&asked.target.id)?;
    let filter = QuarantineFilter { ids: vec![id], ended_too: true, limit: 1, ..QuarantineFilter::default() };
    let question = async |client: &_| {
        let row = flash_vault::quarantined(client, &filter).await?.pop();
        Ok(row.zip(flash_vault::quarantined_body(client, id, QUARANTINED_BYTES_MAX).await?))
    };
    let (row, body) = app.postgres.look(question).await?.ok_or(Kind::UnknownQuarantined)?;
    let body = String::from_utf8_lossy(&body);
    Ok(json(
        StatusCode::OK,
        &QuarantinedView { row: QuarantineRowView::of(&row), end: row.end.as_ref().map(EndView::of), body: &body },
    ))
}

#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "Quarantined",
    extend(
        "examples" = [
            {
                "id": 7, "at": "2026-11-21T16:00:00Z", "bytes": 3, "reason": "expected value at line 1 column 1",
                "body": "???",
            },
            {
                "id": 8, "sale": "drop", "epoch": 1, "seq": 4, "at": "2026-11-21T16:00:00Z", "bytes": 180,
                "reason": "…", "discarded_at": "2026-11-21T16:05:00Z", "discarded_by": "olga", "body": "{…}",
            },
        ],
    ),
)]
struct QuarantinedView<'a> {
    #[serde(flatten)]
    row: QuarantineRowView<'a>,
    #[serde(flatten)]
    end: Option<EndView<'a>>,
    /// What it holds, its first {QUARANTINED_BYTES_MAX} bytes; what is no UTF-8 in it is replaced.
    body: &'a str,
}

#[derive(Default, Serialize, JsonSchema)]
#[schemars(inline)]
struct EndView<'a> {
    /// When it was written after all.
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed_at: Option<&'a str>,
    /// When it was replayed, and a rejection was written instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_at: Option<&'a str>,
    /// The reason of that rejection.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_because: Option<&'a str>,
    /// When it was decided that it is not to be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    discarded_at: Option<&'a str>,
    /// Who decided so.
    #[serde(skip_serializing_if = "Option::is_none")]
    discarded_by: Option<&'a str>,
}

impl<'a> EndView<'a> {
    fn of(end: &'a QuarantineEnd) -> Self {
        match end {
            QuarantineEnd::Replayed { at } => Self { replayed_at: Some(at), ..Self::default() },
            QuarantineEnd::Rejected { at, reason } => {
                Self { rejected_at: Some(at), rejected_because: Some(reason), ..Self::default() }
            }
            QuarantineEnd::Discarded { at, by } => {
                Self { discarded_at: Some(at), discarded_by: Some(by), ..Self::default() }
            }
        }
    }
}

/// What a replay has come to.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Replayed", extend(
    "examples" = [{ "id": 7, "outcome": "replayed" }, { "id": 8, "outcome": "refused", "reason": "sold_out" }]
))]
struct ReplayOutcome {
    #[schemars(range(min = 1))]
    id: u64,
    #[schemars(extend("enum" = ["replayed", "rejected", "refused"]))]
    outcome: &'static str,
    /// Why it was rejected or refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// It will not be written.
#[derive(Serialize, JsonSchema)]
#[schemars(extend("examples" = [{ "id": 7, "outcome": "discarded" }]))]
struct Discarded {
    #[schemars(range(min = 1))]
    id: u64,
    #[schemars(extend("enum" = ["discarded"]))]
    outcome: &'static str,
}

/// Writes a row after all. Where that is refused, it stays, and the answer has the new reason; where a rejection was
/// written instead, the answer has the rejection's.
pub(crate) async fn replay(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let (id, keyed) = (number(&asked.target.id)?, Keyed::of(asked)?);
    once(app, keyed.as_ref(), write(app, id)).await
}

async fn write(app: &App, id: u64) -> Result<ReplayOutcome, Problem> {
    let (_turn, mut vault) = app.postgres.writer().await?;
    let replay = replay_quarantined(&mut vault, &app.redis, id).await.map_err(not_known)?;
    let (outcome, reason) = match replay {
        Replay::Written => ("replayed", None),
        Replay::Rejected(reason) => ("rejected", Some(reason)),
        Replay::Refused(reason) => ("refused", Some(reason)),
        Replay::Gone => return Err(Kind::UnknownQuarantined.into()),
    };
    Ok(ReplayOutcome { id, outcome, reason })
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
        ReplayError::Postgres(_) => Problem::new(Kind::OutcomeUnknown, "read the row: its state shows the outcome"),
    }
}

/// Decides that a row is not to be written. A reservation in it is rejected.
pub(crate) async fn discard(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let (id, keyed) = (number(&asked.target.id)?, Keyed::of(asked)?);
    once(app, keyed.as_ref(), drop_row(app, id, asked.caller.name())).await
}

async fn drop_row(app: &App, id: u64, who: &str) -> Result<Discarded, Problem> {
    let (_turn, mut vault) = app.postgres.writer().await?;
    let discarded = discard_quarantined(&mut vault, Some(&app.redis), id, who).await;
    match discarded.map_err(|error| not_known(error.into()))? {
        true => Ok(Discarded { id, outcome: "discarded" }),
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
            let view =
                QuarantinedView { row: QuarantineRowView::of(&row), end: end.as_ref().map(EndView::of), body: "{}" };
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
    fn a_redis_without_an_answer_leaves_nothing_unknown() {
        let unknown = CallError::Unknown(flash_client::Unanswered::TimedOut);
        assert_eq!(not_known(ReplayError::Redis(unknown)).kind, Kind::TimedOut);
        let silent = ReplayError::Silent { sale: "drop".to_owned(), id: 4, code: "FENCED" };
        assert_eq!(not_known(silent).kind, Kind::RedisAway);
        let trouble = ReplayError::Postgres(flash_vault::Error::ConnectTimeout(1));
        assert_eq!(not_known(trouble).kind, Kind::OutcomeUnknown);
    }
}
