//! The `Prefer` header (RFC 7240): how long a client would wait for its answer to be in PostgreSQL.

use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use super::reply::Reply;
use crate::limits::WAIT_S_MAX;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How long the client would wait, at most [`WAIT_S_MAX`]; none: it would not. A preference is no order: what cannot be
/// read is passed over, and of several waits the first counts.
pub(crate) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let seconds = values.flat_map(|value| value.split(',')).find_map(seconds)?;
    Some(Duration::from_secs(seconds.min(WAIT_S_MAX))).filter(|wait| !wait.is_zero())
}

/// The n of `wait=n`, whatever parameters follow it.
fn seconds(preference: &str) -> Option<u64> {
    let (name, value) = preference.split(';').next()?.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("wait") {
        return None;
    }
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    // More than a number holds is more than anyone waits.
    is_number.then(|| value.parse().unwrap_or(u64::MAX))
}

/// Says how long the gateway would have waited.
pub(crate) fn mark(reply: &mut Reply, wait: Duration) {
    // A word and digits: nothing here can fail.
    if let Ok(value) = HeaderValue::try_from(format!("wait={}", wait.as_secs())) {
        reply.headers_mut().insert(PREFERENCE_APPLIED, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[&str], want: Option<u64>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(PREFER, HeaderValue::from_str(value).unwrap());
        }
        assert_eq!(wait(&headers).map(|wait| wait.as_secs()), want, "{values:?}");
    }

    #[test]
    fn a_wait_is_found_among_the_preferences_and_bounded() {
        check(&[], None);
        check(&["wait=2"], Some(2));
        check(&["Wait = \"2\""], Some(2));
        check(&["respond-async, wait=3; a=b"], Some(3));
        check(&["return=minimal", "wait=1", "wait=2"], Some(1));
        check(&["wait=3600"], Some(WAIT_S_MAX));
        check(&["wait=99999999999999999999"], Some(WAIT_S_MAX));
    }

    #[test]
    fn what_is_no_wait_is_passed_over() {
        for value in ["wait", "wait=", "wait=0", "wait=-1", "wait=1.5", "wait=\"1", "await=1", "return=minimal", "="] {
            check(&[value], None);
        }
        check(&["wait=x, wait=1"], Some(1));
    }
}
