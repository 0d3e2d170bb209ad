//! Whether the gateway lives, and whether it is ready. Both speak to load balancers and people, not to buyers.

use std::sync::atomic::Ordering;

use flash_client::{Call, Deadline};
use flash_worker::Phase;
use hyper::StatusCode;
use serde::Serialize;

use super::app::App;
use super::reply::{Reply, json};
use crate::postgres::Health;

/// It lives: the thread answers. Nothing else is looked at, for no restart of the gateway brings Redis back.
pub(crate) fn live() -> Reply {
    #[derive(Serialize)]
    struct View {
        live: bool,
    }
    json(StatusCode::OK, &View { live: true })
}

/// It is ready: it can sell, and is to go on selling. Without RabbitMQ it sells into the journals, and without
/// PostgreSQL it sells what it knows: `?verbose` tells.
pub(crate) async fn ready(app: &App, query: Option<&str>) -> Reply {
    #[derive(Serialize)]
    struct View {
        ready: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        checks: Option<Checks>,
    }
    #[derive(Serialize)]
    struct Checks {
        draining: bool,
        redis: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        rabbitmq: Option<&'static str>,
        postgres: &'static str,
    }
    let word = |ok| if ok { "ok" } else { "away" };
    // A call of the module's: a Redis without the module sells nothing.
    let answer = Deadline::after(app.redis_timeout).over(app.redis.call(Call::ready(1))).await;
    let redis = match &answer {
        Ok(Ok(_)) => "ok",
        Err(error) if error.is_unknown_command() => "the module is not loaded",
        _ => "away",
    };
    let draining = *app.phase.borrow() >= Phase::Draining;
    let verbose = query.is_some_and(|query| query.split('&').any(|part| part == "verbose"));
    let checks = match verbose {
        true => Some(Checks {
            draining,
            redis,
            rabbitmq: app.rabbit_is_up.as_ref().map(|is_up| word(is_up.load(Ordering::Relaxed))),
            postgres: match app.postgres.health().await {
                Health::Up => "ok",
                Health::ReadOnly => "read-only",
                Health::Away => "away",
            },
        }),
        false => None,
    };
    // Whoever meets a sale for the first time asks PostgreSQL about it: the first buyers are not to wait for a connection.
    let prepared = app.unprepared.load(Ordering::Relaxed) == 0;
    let ready = redis == "ok" && prepared && !draining;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, &View { ready, checks })
}
