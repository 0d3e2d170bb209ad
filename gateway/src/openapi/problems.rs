//! Which problems a route may answer. What follows from its row in the table of routes is not repeated.

use hyper::Method;

use crate::http::{Handler, Kind, Route};

/// The problems of a route, in the order of their table: those of every route like it, and its own.
pub(super) fn of(route: &Route) -> Vec<Kind> {
    let Route { method, path, access, spec, .. } = route;
    let mut kinds = spec.problems.to_vec();
    let is_api = path.starts_with("/v1/");
    if is_api {
        kinds.extend([Kind::RateLimited, Kind::Overloaded, Kind::RedisAway]);
        kinds.push(if **method == Method::GET { Kind::TimedOut } else { Kind::OutcomeUnknown });
    }
    // Other requests are answered before a body is read.
    if is_api && matches!(route.handler, Handler::Work(_)) {
        kinds.extend([Kind::BadRequest, Kind::BodyTooLarge, Kind::BodyTimeout, Kind::Internal]);
    }
    // The caller is looked up in PostgreSQL, and if that takes too long, nothing was begun.
    if access.asks() {
        kinds.extend([Kind::Unauthenticated, Kind::Forbidden, Kind::PostgresAway, Kind::Overloaded, Kind::TimedOut]);
    }
    if is_api && **method != Method::GET {
        kinds.push(Kind::PostgresReadOnly);
    }
    if path.contains("{sale}") {
        kinds.extend([Kind::UnknownSale, Kind::Ended, Kind::Fenced, Kind::PostgresAway]);
    }
    if **method == Method::POST {
        kinds.push(Kind::UnsupportedMediaType);
    }
    if spec.body.is_some() {
        kinds.extend([Kind::Malformed, Kind::UnsupportedMediaType, Kind::Invalid]);
    }
    Kind::ALL.into_iter().filter(|kind| kinds.contains(kind)).collect()
}
