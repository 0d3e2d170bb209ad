//! `GET /`: a browser goes on to a page, a program gets links.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderValue, LOCATION, VARY};
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::access::Surface;
use super::docs::wants_html;
use super::reply::{Reply, json, reply};
use super::route::{Answer, GET, Handler, Route, Schema, Spec};
use super::target::Manner;

pub(super) static ROUTES: [Route; 1] = [Route {
    method: &GET,
    path: "/",
    name: "find-start",
    access: Access::Open,
    handler: Handler::Now(|app, asked| Ok(find(app.surface, &asked.head.headers))),
    manner: Manner::USUAL,
    spec: Spec {
        tag: "This API",
        summary: "Index of the API",
        description: "Links for programs. Clients that accept `text/html` are redirected to a page: to the console on \
                      the operators' listener, to the API reference on the buyers' listener.",
        answers: &[
            Answer::json(200, "Links to the resources of this listener.", Schema::of::<Links>()),
            Answer::empty(303, "A redirect for browsers.").headers(&["Location"]),
        ],
        ..Spec::NONE
    },
}];

/// Operators' browsers go to the console, and buyers' to the documentation.
pub(crate) fn find(surface: Surface, headers: &HeaderMap) -> Reply {
    let mut reply = if wants_html(headers) { see_other(surface) } else { json(StatusCode::OK, &Links::of(surface)) };
    reply.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    reply
}

const CONSOLE: &str = "/console/";
const DOCS: &str = "/docs";

fn see_other(surface: Surface) -> Reply {
    let page = if surface.is_operators() { CONSOLE } else { DOCS };
    let mut reply = reply(StatusCode::SEE_OTHER, Bytes::new());
    reply.headers_mut().insert(LOCATION, HeaderValue::from_static(page));
    reply
}

#[derive(Serialize, JsonSchema)]
#[schemars(
    extend(
        "examples" = [
            {
                "openapi": "/openapi.json", "docs": "/docs", "console": "/console/", "live": "/livez",
                "ready": "/readyz",
            },
        ],
    ),
)]
struct Links {
    #[schemars(extend("format" = "uri-reference"))]
    openapi: &'static str,
    #[schemars(extend("format" = "uri-reference"))]
    docs: &'static str,
    /// On the operators' listener alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "uri-reference"))]
    console: Option<&'static str>,
    #[schemars(extend("format" = "uri-reference"))]
    live: &'static str,
    #[schemars(extend("format" = "uri-reference"))]
    ready: &'static str,
}

impl Links {
    fn of(surface: Surface) -> Self {
        let console = surface.is_operators().then_some(CONSOLE);
        Self { openapi: "/openapi.json", docs: DOCS, console, live: "/livez", ready: "/readyz" }
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::ACCEPT;

    use super::*;
    use crate::http::routes::routes;

    fn check(surface: Surface, accept: &str, want: (u16, Option<&str>)) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.try_into().unwrap());
        let reply = find(surface, &headers);
        let location = reply.headers().get(LOCATION).map(|value| value.to_str().unwrap());
        assert_eq!((reply.status().as_u16(), location), want, "{surface:?} {accept}");
    }

    #[test]
    fn a_browser_is_sent_to_a_page_and_a_program_gets_links() {
        let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
        check(Surface::Whole, browser, (303, Some("/console/")));
        check(Surface::Devtools, browser, (303, Some("/console/")));
        check(Surface::Buyers, browser, (303, Some("/docs")));
        for accept in ["*/*", "application/json", ""] {
            check(Surface::Buyers, accept, (200, None));
        }
    }

    #[test]
    fn each_link_is_a_route_of_its_listener() {
        for surface in [Surface::Buyers, Surface::Whole] {
            let links = serde_json::to_value(Links::of(surface)).unwrap();
            for link in links.as_object().unwrap().values() {
                let mut served = routes().filter(|route| surface.has(route.access));
                assert!(served.any(|route| link == route.path), "{surface:?} {link}");
            }
        }
    }
}
