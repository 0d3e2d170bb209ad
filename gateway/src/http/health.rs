//! Whether the gateway lives, and whether it is ready. Both speak to load balancers and people, not to buyers.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use flash_client::{Call, Deadline};
use flash_worker::Phase;
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::reply::{Reply, json};
use super::route::{Answer, GET, Handler, Route, Schema, Spec};
use super::state::App;
use super::target::Manner;
use crate::postgres::Health;

pub(super) static ROUTES: [Route; 2] = [
    Route {
        method: &GET,
        path: "/livez",
        name: "livez",
        access: Access::Open,
        handler: Handler::Now(|_, _| Ok(live())),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "The gateway itself",
            summary: "Liveness",
            description: "Checks only this process, because a restart of the gateway cannot repair Redis.",
            answers: &[Answer::json(200, "The process is alive.", Schema::of::<Live>())],
            ..Spec::NONE
        },
    },
    Route {
        method: &GET,
        path: "/readyz",
        name: "readyz",
        access: Access::Open,
        handler: Handler::Look(|app, asked| Box::pin(ready(app, asked.query()))),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "The gateway itself",
            summary: "Readiness",
            parameters: &["Verbose"],
            answers: &[
                Answer::json(200, "The gateway can sell.", Schema::of::<Ready>()),
                Answer::json(503, "The gateway cannot sell, or is starting or shutting down.", Schema::of::<Ready>()),
            ],
            ..Spec::NONE
        },
    },
];

#[derive(Serialize, JsonSchema)]
#[schemars(extend("examples" = [{ "live": true }]))]
struct Live {
    live: bool,
}

/// It lives: the thread answers. Nothing else is looked at, for no restart of the gateway brings Redis back.
fn live() -> Reply {
    json(StatusCode::OK, &Live { live: true })
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Checks {
    /// A thread has yet to try to reach PostgreSQL.
    starting: bool,
    draining: bool,
    #[schemars(extend("enum" = ["ok", "away", "the module is not loaded"]))]
    redis: &'static str,
    /// The transport's broker by its name, if it has one.
    #[serde(flatten)]
    broker: BTreeMap<&'static str, &'static str>,
    #[schemars(extend("enum" = ["ok", "away", "read-only"]))]
    postgres: &'static str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(
    extend(
        "examples" = [
            { "ready": true },
            {
                "ready": true,
                "checks": {
                    "starting": false, "draining": false, "redis": "ok", "rabbitmq": "ok", "postgres": "ok",
                },
            },
        ],
    ),
)]
struct Ready {
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<Checks>,
}

/// The gateway is ready if it can sell and is neither starting nor stopping. Without the transport it sells into the
/// journals, and without PostgreSQL it sells what it knows. `?verbose` names each server's state.
async fn ready(app: &App, query: Option<&str>) -> Reply {
    let word = |ok| if ok { "ok" } else { "away" };
    // A call of the module's: a Redis without the module sells nothing.
    let answer = Deadline::after(app.redis_timeout).over(app.redis.call(Call::ready(1))).await;
    let redis = match &answer {
        Ok(Ok(_)) => "ok",
        Err(error) if error.is_unknown_command() => "the module is not loaded",
        _ => "away",
    };
    // The first request for a sale asks PostgreSQL about it: the first buyers should not wait for a connection.
    let starting = app.unprepared.load(Ordering::Relaxed) > 0;
    let draining = *app.phase.borrow() >= Phase::Draining;
    let verbose = query.is_some_and(|query| query.split('&').any(|part| part == "verbose"));
    let checks = match verbose {
        true => Some(Checks {
            starting,
            draining,
            redis,
            broker: app.broker.map(|name| (name, word(app.relay.is_connected()))).into_iter().collect(),
            postgres: match app.postgres.health().await {
                Health::Up => "ok",
                Health::ReadOnly => "read-only",
                Health::Away => "away",
            },
        }),
        false => None,
    };
    let ready = redis == "ok" && !starting && !draining;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, &Ready { ready, checks })
}
