//! Reads a request's body: whole, bounded, in time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use tokio::time::timeout;

use super::problem::{Kind, Problem};
use crate::limits::{BODY_BYTES_MAX, BODY_TIMEOUT_MS};

/// Reads a body of at most [`BODY_BYTES_MAX`] within [`BODY_TIMEOUT_MS`].
///
/// # Errors
/// When it is larger or slower, or ends before its end.
pub(crate) async fn read(body: Incoming) -> Result<Bytes, Problem> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(Problem::body_too_large());
    }
    timeout(Duration::from_millis(BODY_TIMEOUT_MS), collect(body)).await.unwrap_or_else(|_| {
        Err(Problem::new(Kind::BodyTimeout, format!("the body must arrive within {BODY_TIMEOUT_MS} ms")))
    })
}

async fn collect(mut body: Incoming) -> Result<Bytes, Problem> {
    let Some(first) = next(&mut body).await? else { return Ok(Bytes::new()) };
    if body.is_end_stream() {
        return bounded(first.len(), BODY_BYTES_MAX).map(|()| first);
    }
    let mut whole = BytesMut::from(first);
    while let Some(data) = next(&mut body).await? {
        bounded(whole.len() + data.len(), BODY_BYTES_MAX)?;
        whole.extend_from_slice(&data);
    }
    bounded(whole.len(), BODY_BYTES_MAX).map(|()| whole.freeze())
}

/// The next piece. What is not data (trailers) is skipped.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, Problem> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::new(Kind::BadRequest, "the body ended early"))?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

fn bounded(bytes: usize, bytes_max: usize) -> Result<(), Problem> {
    if bytes > bytes_max { Err(Problem::body_too_large()) } else { Ok(()) }
}

/// The body must come as it is.
///
/// # Errors
/// When it is compressed, or coded otherwise.
pub(crate) fn expect_plain(headers: &HeaderMap) -> Result<(), Problem> {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    match codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        true => Ok(()),
        false => Err(Problem::content_coding()),
    }
}

/// The body must be said to be JSON.
///
/// # Errors
/// When `Content-Type` is missing or says something else.
pub(crate) fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Problem::new(Kind::UnsupportedMediaType, "Content-Type must be application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content_type: Option<&str>, want: bool) {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, content_type.try_into().unwrap());
        }
        assert_eq!(expect_json(&headers).is_ok(), want, "{content_type:?}");
    }

    #[test]
    fn a_body_comes_as_it_is() {
        for (coding, want) in [("identity", true), ("gzip", false), ("br, identity", false), ("", false), ("x", false)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_ENCODING, coding.try_into().unwrap());
            assert_eq!(expect_plain(&headers).is_ok(), want, "{coding}");
        }
        assert!(expect_plain(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn only_json_is_taken_for_json() {
        check(Some("application/json"), true);
        check(Some("Application/JSON ; charset=utf-8"), true);
        check(Some("application/x-www-form-urlencoded"), false);
        check(Some("application/jsonp"), false);
        check(Some(""), false);
        check(None, false);
    }
}
