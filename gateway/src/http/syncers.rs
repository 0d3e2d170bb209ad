//! `GET /v1/syncers`

use flash_vault::Syncer;
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::problem::Problem;
use super::reply::{Reply, json};
use super::route::{Answer, GET, Route, Schema, Spec, handler};
use super::state::{App, Asked};
use super::target::Manner;

pub(super) static ROUTES: [Route; 1] = [Route {
    method: &GET,
    path: "/v1/syncers",
    name: "list-syncers",
    access: Access::READ,
    handler: handler!(list),
    manner: Manner::USUAL,
    spec: Spec {
        tag: "On the way to PostgreSQL",
        summary: "List syncers with the last report of each",
        description: "A syncer that has not reported for a minute is not listed.",
        answers: &[Answer::json(200, "The whole list.", Schema::of::<Syncers<'_>>())],
        ..Spec::NONE
    },
}];

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SyncerList", 
    extend(
        "examples" = [
            {
                "syncers": [
                    {
                        "name": "syncer-1", "paused": false, "queued": 41, "written": 1143, "rejected": 0,
                        "said_ms_ago": 420,
                    },
                ],
            },
        ],
    ),
)]
struct Syncers<'a> {
    syncers: Vec<SyncerView<'a>>,
}

/// The syncers, by what each said last.
pub(crate) async fn list(app: &App, _: &Asked) -> Result<Reply, Problem> {
    let syncers = app.postgres.look(async |client: &_| flash_vault::syncers(client).await).await?;
    Ok(json(StatusCode::OK, &Syncers { syncers: syncers.iter().map(SyncerView::of).collect() }))
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct SyncerView<'a> {
    name: &'a str,
    /// It takes no messages.
    paused: bool,
    /// Messages that wait for a syncer, if it knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    queued: Option<u64>,
    /// Events that it has brought to PostgreSQL since it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<u64>,
    /// Reservations that PostgreSQL's constraints refused since it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<u64>,
    /// How long ago it said so.
    said_ms_ago: u64,
}

impl<'a> SyncerView<'a> {
    fn of(syncer: &'a Syncer) -> Self {
        let Syncer { name, paused, queued, written, rejected, age } = syncer;
        let said_ms_ago = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        Self { name, paused: *paused, queued: *queued, written: *written, rejected: *rejected, said_ms_ago }
    }
}
