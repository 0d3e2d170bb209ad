//! Which problems a route may answer. What follows from where it stands in the table of routes is not told once more.

use hyper::Method;

use crate::http::{Endpoint, Kind, Route};

/// The problems of a route, in the order of their table: those of every route like it, and `own`.
pub(super) fn of((method, path, endpoint, access, _): &Route, has_body: bool, own: &[String]) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = own.iter().filter_map(|slug| Kind::of_slug(slug)).collect();
    let is_api = path.starts_with("/v1/");
    if is_api {
        kinds.extend([Kind::RateLimited, Kind::Overloaded, Kind::RedisAway]);
        kinds.push(if *method == Method::GET { Kind::TimedOut } else { Kind::OutcomeUnknown });
    }
    // A watcher's request is answered before anybody looks for a body.
    if is_api && *endpoint != Endpoint::WatchSale {
        kinds.extend([Kind::BadRequest, Kind::BodyTooLarge, Kind::BodyTimeout, Kind::Internal]);
    }
    // Whoever calls is looked for in PostgreSQL, and where that takes too long, nothing was begun.
    if access.asks() {
        kinds.extend([Kind::Unauthenticated, Kind::Forbidden, Kind::PostgresAway, Kind::Overloaded, Kind::TimedOut]);
    }
    if is_api && *method != Method::GET {
        kinds.push(Kind::PostgresReadOnly);
    }
    if path.contains("{sale}") {
        kinds.extend([Kind::UnknownSale, Kind::Ended, Kind::Fenced, Kind::PostgresAway]);
    }
    if *method == Method::POST {
        kinds.push(Kind::UnsupportedMediaType);
    }
    if has_body {
        kinds.extend([Kind::Malformed, Kind::UnsupportedMediaType, Kind::Invalid]);
    }
    Kind::ALL.into_iter().filter(|kind| kinds.contains(kind)).collect()
}
