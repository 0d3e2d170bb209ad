//! What became of the requests of each route, and how long they took. The routes are known when the program is built,
//! so that no client makes a label.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use flash_metrics::{Counter, Histogram, LATENCY_SECONDS, Page};
use hyper::StatusCode;

/// The first digits of the statuses that answers have.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// Of one route.
#[derive(Debug)]
pub(crate) struct RouteCounts {
    by_class: [Counter; CLASSES.len()],
    seconds: Histogram,
}

impl RouteCounts {
    const fn new() -> Self {
        Self { by_class: [const { Counter::new() }; CLASSES.len()], seconds: Histogram::new(&LATENCY_SECONDS) }
    }

    /// A request was answered after this time.
    pub(crate) fn answered(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(2).min(CLASSES.len() - 1);
        self.by_class[class].add(1);
        self.seconds.took(took);
    }
}

/// Of requests that go to no route.
pub(crate) static NO_ROUTE: RouteCounts = RouteCounts::new();
/// All listeners of the process count together.
static BY_ROUTE: Mutex<BTreeMap<&str, &RouteCounts>> = Mutex::new(BTreeMap::new());

/// Those of the route of this name. Each is made once and stays as long as the process.
pub(crate) fn of(route: &'static str) -> &'static RouteCounts {
    let mut by_route = BY_ROUTE.lock().unwrap_or_else(PoisonError::into_inner);
    by_route.entry(route).or_insert_with(|| Box::leak(Box::new(RouteCounts::new())))
}

/// Writes what was counted of the routes that were asked for.
pub(crate) fn write(page: &mut Page) {
    let mut routes = BY_ROUTE.lock().unwrap_or_else(PoisonError::into_inner).clone();
    routes.insert("none", &NO_ROUTE);
    routes.retain(|_, counts| counts.by_class.iter().any(|count| count.get() > 0));
    let by_class = routes.iter().flat_map(|(name, counts)| {
        CLASSES.iter().zip(&counts.by_class).map(move |(class, count)| ([*name, *class], count.get()))
    });
    let help = "Requests, by route and by the first digit of the status.";
    page.counter_by_two("flash_http_requests_total", help, ["route", "status"], by_class);
    let help = "From a request's head to its answer.";
    let seconds = routes.iter().map(|(name, counts)| (*name, &counts.seconds));
    page.histogram_by("flash_http_request_seconds", help, "route", seconds);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_class() {
        let counts = RouteCounts::new();
        for (status, class) in [(200, 0), (201, 0), (304, 1), (404, 2), (503, 3), (999, 3), (101, 0)] {
            let before = counts.by_class[class].get();
            counts.answered(StatusCode::from_u16(status).unwrap(), Duration::ZERO);
            assert_eq!(counts.by_class[class].get(), before + 1, "{status}");
        }
    }

    #[test]
    fn a_route_is_counted_in_one_place() {
        assert!(std::ptr::eq(of("a-route"), of("a-route")));
        assert!(!std::ptr::eq(of("a-route"), of("another-route")));
    }
}
