//! What a page of another site may make a browser send: nothing that changes anything.
//!
//! This matters where nothing is asked of a caller (`--auth none`): there whatever a browser on this machine sends
//! counts. Elsewhere every change shows a key or a token, in a header that a browser adds for no page by itself.

use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, ORIGIN};
use hyper::http::request::Parts;

use super::body::expect_json;
use super::problem::{Kind, Problem};

/// Where a browser says whose page sends a request. No page can write it (Fetch Metadata).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// A header that no form can send, and no page without asking first. Its value does not matter.
const FLASH_REQUEST: HeaderName = HeaderName::from_static("flash-request");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Passes a request that changes nothing, or that no page of another site can have sent.
///
/// # Errors
/// When a browser says that it is another site's, or nothing about it says that it is not.
pub(crate) fn check(head: &Parts) -> Result<(), Problem> {
    if head.method.is_safe() {
        return Ok(());
    }
    let headers = &head.headers;
    let (site, origin) = (one(headers, &SEC_FETCH_SITE), one(headers, &ORIGIN));
    if site.is_some_and(|site| !["same-origin", "none"].contains(&site)) {
        return Err(foreign("Sec-Fetch-Site must be same-origin or none"));
    }
    if origin.is_some_and(|origin| !is_own(origin, headers)) {
        return Err(foreign("Origin must be this host"));
    }
    let is_own_page = origin.is_some() || site == Some("same-origin");
    // A form knows neither this method nor these headers.
    let is_no_form = head.method == hyper::Method::DELETE
        || headers.contains_key(FLASH_REQUEST)
        || headers.contains_key(IDEMPOTENCY_KEY);
    if is_own_page || is_no_form || expect_json(headers).is_ok() {
        return Ok(());
    }
    let detail = if headers.contains_key(CONTENT_TYPE) {
        "Content-Type must be application/json"
    } else {
        "Content-Type must be application/json, also without a body, or the header Flash-Request must be given"
    };
    Err(Problem::new(Kind::UnsupportedMediaType, detail))
}

fn foreign(rule: &'static str) -> Problem {
    Problem::new(Kind::ForeignPage, rule)
}

/// A header's value. An unreadable or repeated one counts as empty.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    Some(if values.next().is_none() { value.to_str().unwrap_or_default() } else { "" })
}

/// Whether an origin (`https://shop.example:8443`) is the host that the request goes to.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let bare = |authority: &'_ str| authority.strip_suffix(port).unwrap_or(authority).to_ascii_lowercase();
    one(headers, &HOST).is_some_and(|host| !host.is_empty() && bare(host) == bare(authority))
}

#[cfg(test)]
mod tests {
    use hyper::{Method, Request};

    use super::*;

    const HOST_OF_ALL: &str = "localhost:8080";

    fn check(method: &Method, headers: &[(&str, &str)], want: Option<Kind>) {
        let request = Request::builder().method(method).header(HOST, HOST_OF_ALL);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let got = super::check(&request.body(()).unwrap().into_parts().0).err().map(|problem| problem.kind);
        assert_eq!(got, want, "{method} {headers:?}");
    }

    const OWN: &str = "http://localhost:8080";
    const ORIGINS: [(&str, bool); 12] = [
        ("", true),
        (OWN, true),
        ("http://LOCALHOST:8080", true),
        ("null", false),
        ("http://localhost", false),
        ("http://localhost:3000", false),
        ("http://127.0.0.1:8080", false),
        ("http://evil.example", false),
        ("http://localhost:8080.evil.example", false),
        ("http://evil.example/?localhost:8080", false),
        ("file://localhost:8080", false),
        ("\u{e4}", false),
    ];
    const SITES: [(&str, bool); 6] =
        [("", true), ("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false), ("?", false)];
    const TYPES: [(&str, bool); 6] = [
        ("application/json", true),
        ("application/json; charset=utf-8", true),
        ("", false),
        ("text/plain", false),
        ("application/x-www-form-urlencoded", false),
        ("multipart/form-data; boundary=application/json", false),
    ];

    #[test]
    fn a_change_is_this_host_s_page_s_or_no_page_s() {
        for ((origin, is_own), (site, is_near), (of, is_json)) in ORIGINS.into_iter().flat_map(|origin| {
            SITES.into_iter().flat_map(move |site| TYPES.into_iter().map(move |of| (origin, site, of)))
        }) {
            let all = [("origin", origin), ("sec-fetch-site", site), ("content-type", of)];
            let given: Vec<_> = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
            let is_own_page = !origin.is_empty() || site == "same-origin";
            let want = match (is_own && is_near, is_json || is_own_page) {
                (false, _) => Some(Kind::ForeignPage),
                (true, false) => Some(Kind::UnsupportedMediaType),
                (true, true) => None,
            };
            check(&Method::POST, &given, want);
            check(&Method::GET, &given, None);
            check(&Method::HEAD, &given, None);
            check(&Method::DELETE, &given, want.filter(|kind| *kind == Kind::ForeignPage));
        }
    }

    #[test]
    fn a_header_that_no_form_can_send_is_enough_and_one_that_is_given_twice_is_none() {
        for name in ["flash-request", "idempotency-key"] {
            check(&Method::POST, &[(name, "1")], None);
            check(&Method::POST, &[(name, "1"), ("content-type", "text/plain")], None);
            check(&Method::POST, &[(name, "1"), ("origin", "http://evil.example")], Some(Kind::ForeignPage));
            check(&Method::POST, &[(name, "1"), ("sec-fetch-site", "cross-site")], Some(Kind::ForeignPage));
        }
        check(&Method::POST, &[("origin", OWN), ("origin", OWN)], Some(Kind::ForeignPage));
        let twice = [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")];
        check(&Method::POST, &twice, Some(Kind::ForeignPage));
    }
}
