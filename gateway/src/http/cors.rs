//! What pages of other origins may ask (CORS): those whose origins the operator names, by tokens and keys alone. No
//! answer allows credentials: the API has no cookies.

use std::str::FromStr;

use bytes::Bytes;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue,
    ORIGIN, VARY,
};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Method, StatusCode};

use super::reply::{Reply, reply};
use crate::limits::PREFLIGHT_AGE_S;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PATCH, DELETE");
/// What the API reads, besides what a browser sends without asking.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, idempotency-key, prefer, flash-durability, flash-request, traceparent",
);
/// What the API says in headers.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "location, retry-after, idempotency-replayed, preference-applied, flash-durability, ratelimit, ratelimit-policy, \
     www-authenticate",
);

/// The origin of a page: `https://shop.example`, as a browser writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault = |what: &str| {
            Err(format!("{text:?} {what}; an origin is a scheme and a host, perhaps with a port: https://shop.example"))
        };
        let Some((scheme, authority)) = text.split_once("://") else { return fault("has no scheme") };
        let port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return fault("has another scheme than http or https"),
        };
        if authority.contains(['/', '?', '#']) {
            return fault("has a path");
        }
        if authority.contains('*') {
            return fault("has a wildcard");
        }
        let Ok(authority) = authority.parse::<Authority>() else { return fault("has no valid host") };
        let (host, said) = (authority.host(), authority.as_str());
        let rest = said.strip_prefix(host).and_then(|rest| rest.strip_prefix(':'));
        let port = match rest.map(str::parse::<u16>) {
            None if said == host && !host.is_empty() => None,
            Some(Ok(given)) if given > 0 && !host.is_empty() => Some(given).filter(|given| *given != port),
            _ => return fault("has no valid host or port"),
        };
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Self(format!("{scheme}://{}{port}", host.to_ascii_lowercase())))
    }
}

/// The origins whose pages may ask. None: pages of this host alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origins(Vec<HeaderValue>);

impl Origins {
    /// These. An origin has only letters that a header may have.
    pub(crate) fn new(origins: Vec<Origin>) -> Self {
        Self(origins.into_iter().filter_map(|origin| origin.0.try_into().ok()).collect())
    }

    /// Which of them is the request's, for each answer in the making holds it: a number is small. A browser sends one
    /// origin, and in one way of writing.
    pub(crate) fn find(&self, headers: &HeaderMap) -> Option<u8> {
        let mut said = headers.get_all(ORIGIN).iter();
        let (Some(origin), None) = (said.next(), said.next()) else { return None };
        self.0.iter().position(|known| known == origin)?.try_into().ok()
    }

    /// The request's origin, if it is one of them.
    pub(crate) fn allowed(&self, headers: &HeaderMap) -> Option<&HeaderValue> {
        self.0.get(usize::from(self.find(headers)?))
    }

    /// The answer to a browser that asks before it sends a page's request.
    pub(crate) fn preflight(&self, head: &Parts) -> Option<Reply> {
        let asks = head.method == Method::OPTIONS && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asks || self.allowed(&head.headers).is_none() {
            return None;
        }
        let mut reply = reply(StatusCode::NO_CONTENT, Bytes::new());
        let headers = reply.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, PREFLIGHT_AGE_S.into());
        Some(reply)
    }

    /// Says in an answer that the page may read it. A cache keeps the answers to different origins apart.
    pub(crate) fn mark(&self, reply: &mut Reply, found: Option<u8>) {
        if self.0.is_empty() {
            return;
        }
        let headers = reply.headers_mut();
        headers.append(VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = found.and_then(|at| self.0.get(usize::from(at))) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_perhaps_a_port() {
        let check = |text: &str, want: Result<&str, &str>| match (text.parse::<Origin>(), want) {
            (Ok(origin), Ok(want)) => assert_eq!(origin.0, want, "{text}"),
            (Err(said), Err(want)) => assert!(said.contains(want) && said.contains("https://shop.example"), "{said}"),
            (got, want) => panic!("{text}: {got:?}, not {want:?}"),
        };
        check("https://shop.example", Ok("https://shop.example"));
        check("https://Shop.Example:443", Ok("https://shop.example"));
        check("http://localhost:3000", Ok("http://localhost:3000"));
        check("http://[::1]:80", Ok("http://[::1]"));
        check("https://shop.example/", Err("has a path"));
        check("https://shop.example/buy?x", Err("has a path"));
        check("https://*.shop.example", Err("has a wildcard"));
        check("*", Err("has no scheme"));
        check("null", Err("has no scheme"));
        check("", Err("has no scheme"));
        check("ftp://shop.example", Err("has another scheme"));
        for text in
            ["https://", "https://:8443", "https://a:0", "https://a:65536", "https://a:", "https://u@a", "https://a b"]
        {
            check(text, Err("has no valid host"));
        }
    }

    fn asked(method: &Method, headers: &[(&str, &str)]) -> Parts {
        let request = headers
            .iter()
            .fold(Request::builder().method(method), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_named_origins_are_allowed_and_a_preflight_is_kept() {
        let origins = Origins::new(vec!["https://shop.example".parse().unwrap()]);
        let method = ("access-control-request-method", "POST");
        let preflight = |headers: &[(&str, &str)]| origins.preflight(&asked(&Method::OPTIONS, headers));
        let reply = preflight(&[("origin", "https://shop.example"), method]).unwrap();
        assert_eq!(reply.status(), StatusCode::NO_CONTENT);
        assert_eq!(reply.headers()[ACCESS_CONTROL_MAX_AGE], PREFLIGHT_AGE_S.to_string());
        assert!(!reply.headers().contains_key("access-control-allow-credentials"));
        let shop = ("origin", "https://shop.example");
        for headers in
            [&[method][..], &[shop], &[shop, shop, method], &[("origin", "https://shop.example.evil"), method]]
        {
            assert!(preflight(headers).is_none(), "{headers:?}");
        }
        assert!(origins.preflight(&asked(&Method::POST, &[shop, method])).is_none());
    }

    #[test]
    fn where_no_origin_is_named_no_answer_changes() {
        let mut reply = reply(StatusCode::OK, Bytes::new());
        Origins::default().mark(&mut reply, None);
        assert!(!reply.headers().contains_key(VARY));
    }
}
