//! A line in the log for each request that failed by our fault, and for one in so many of the others. It says neither
//! who asked nor for what: no path, no header, no body.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use flash_metrics::process::{REQUESTS_FORBIDDEN, REQUESTS_UNAUTHENTICATED};
use flash_transport::spans;
use flash_wire::TraceParent;
use hyper::header::{HeaderMap, HeaderName};
use hyper::{Method, StatusCode};

use super::route_counts::{NO_ROUTE, RouteCounts};
use super::target::Target;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Which requests have a line.
#[derive(Debug)]
pub(crate) struct RequestLog {
    /// One in so many that did not fail; none: there are no lines at all.
    one_in: Option<u64>,
    seen: AtomicU64,
}

/// What is known of a request. It is copied: a request without a line allocates nothing for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogLine {
    began: Instant,
    /// Not: there will be no line, and it belongs to no trace.
    is_kept: bool,
    counts: &'static RouteCounts,
    method: &'static str,
    route: &'static str,
    trace: Option<TraceParent>,
}

impl RequestLog {
    /// One in `one_in` requests has a line, besides those that fail; 0: none.
    pub(crate) const fn new(one_in: u64) -> Self {
        Self { one_in: if one_in == 0 { None } else { Some(one_in) }, seen: AtomicU64::new(0) }
    }

    /// A request begins.
    pub(crate) fn begin(&self) -> LogLine {
        LogLine {
            began: Instant::now(),
            is_kept: self.one_in.is_some(),
            counts: &NO_ROUTE,
            method: "",
            route: "",
            trace: None,
        }
    }

    /// It is answered.
    pub(crate) fn end(&self, line: &LogLine, status: StatusCode) {
        match status {
            StatusCode::UNAUTHORIZED => REQUESTS_UNAUTHENTICATED.add(1),
            StatusCode::FORBIDDEN => REQUESTS_FORBIDDEN.add(1),
            _ => {}
        }
        line.counts.answered(status, line.began.elapsed());
        if !line.is_kept {
            return;
        }
        spans::done(if line.route.is_empty() { "no-route" } else { line.route }, line.trace, line.began);
        let Some(one_in) = self.one_in else { return };
        if !status.is_server_error() && !self.seen.fetch_add(1, Ordering::Relaxed).is_multiple_of(one_in) {
            return;
        }
        tracing::info!(
            target: "flash_gateway::requests",
            method = line.method,
            route = line.route,
            status = status.as_u16(),
            micros = u64::try_from(line.began.elapsed().as_micros()).unwrap_or(u64::MAX),
            trace_id = line.trace.as_ref().map(TraceParent::trace_id),
            "request"
        );
    }
}

impl LogLine {
    /// Who reads the log learns of a request that its head is this.
    pub(crate) fn asks(&mut self, method: &Method, headers: &HeaderMap) {
        self.trace = trace(headers);
        self.is_kept |= self.trace.is_some();
        if self.is_kept {
            self.method = known(method);
        }
    }

    /// The trace that the request belongs to, as it said.
    pub(crate) const fn trace(&self) -> Option<TraceParent> {
        self.trace
    }

    /// And that it goes there.
    pub(crate) const fn goes_to(&mut self, target: &Target) {
        self.route = target.route;
        self.counts = target.counts;
    }
}

/// The trace that a request belongs to: one `traceparent` that keeps its rules.
pub(crate) fn trace(headers: &HeaderMap) -> Option<TraceParent> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    TraceParent::parse(value.as_bytes())
}

/// A method's name; of one that is made up, it is the client's.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_one_header_that_keeps_the_rules() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let check = |values: &[&str], is_there: bool| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(TRACEPARENT, value.parse().unwrap());
            }
            assert_eq!(trace(&headers).is_some(), is_there, "{values:?}");
        };
        check(&[], false);
        check(&[good], true);
        check(&[good, good], false);
        check(&["00"], false);
    }

    #[test]
    fn without_a_log_nothing_is_known_of_a_request() {
        let mut line = RequestLog::new(0).begin();
        line.asks(&Method::POST, &HeaderMap::new());
        assert_eq!((line.is_kept, line.method), (false, ""));
    }
}
