//! The API told by itself: `GET /openapi.json`, `GET /docs` and `GET /problems/{id}`.

use bytes::Bytes;
use hyper::header::{
    ACCEPT, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{StatusCode, header};

use super::accept_encoding::takes_gzip;
use super::access::Access;
use super::access::Surface;
use super::job::look;
use super::problem::{Kind, Problem};
use super::reply::{Reply, json, reply};
use super::route::{Answer, GET, Handler, Route, Schema, Spec};
use super::target::Manner;
use crate::openapi::{Explained, POLICY, explain, explain_page, of};

pub(super) static ROUTES: [Route; 3] = [
    Route {
        method: &GET,
        path: "/openapi.json",
        name: "openapi",
        access: Access::Open,
        handler: Handler::Look(|app, asked| {
            Box::pin(look(app, asked, async { Ok(document(app.surface, &asked.head.headers)) }))
        }),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "This API",
            summary: "This document",
            answers: &[Answer::json(
                200,
                "An OpenAPI 3.1 document of the routes of this listener.",
                Schema::Named("Document"),
            )],
            ..Spec::NONE
        },
    },
    Route {
        method: &GET,
        path: "/docs",
        name: "docs",
        access: Access::Open,
        handler: Handler::Look(|app, asked| Box::pin(look(app, asked, async { Ok(page(app.surface)) }))),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "This API",
            summary: "API reference",
            answers: &[Answer::json(200, "An HTML page without scripts.", Schema::Named("Text")).of("text/html")],
            ..Spec::NONE
        },
    },
    Route {
        method: &GET,
        path: "/problems/{id}",
        name: "show-problem",
        access: Access::Open,
        handler: Handler::Now(|_, asked| problem(&asked.target.id, &asked.head.headers)),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "This API",
            summary: "Explain a problem type",
            description: "An HTML page, or JSON for clients that do not accept `text/html`. A problem's `type` is the \
                          path of its explanation.",
            parameters: &["ProblemId"],
            answers: &[
                Answer::json(200, "The meaning, and whether to retry.", Schema::of::<Explained>()).or("text/html")
            ],
            problems: &[Kind::UnknownProblem],
            ..Spec::NONE
        },
    },
];

/// The OpenAPI document.
fn document(surface: Surface, headers: &HeaderMap) -> Reply {
    let (spoken, is_gzip) = (of(surface), takes_gzip(headers));
    let mut reply = reply(StatusCode::OK, if is_gzip { &spoken.gzip } else { &spoken.document }.clone());
    if is_gzip {
        reply.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    reply.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // Anyone's tools may read it, from any page.
    reply.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    reply
}

/// The same as a page.
fn page(surface: Surface) -> Reply {
    html(of(surface).page.clone())
}

/// What a problem means.
fn problem(id: &str, headers: &HeaderMap) -> Result<Reply, Problem> {
    let kind = Kind::of_slug(id).ok_or(Kind::UnknownProblem)?;
    let mut reply =
        if wants_html(headers) { html(explain_page(kind).into()) } else { json(StatusCode::OK, &explain(kind)) };
    reply.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    Ok(reply)
}

/// Browsers say so; programs do not.
pub(crate) fn wants_html(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|value| value.to_str().is_ok_and(|value| value.contains("text/html")))
}

fn html(page: Bytes) -> Reply {
    let mut reply = reply(StatusCode::OK, page);
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    reply
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    fn check(id: &str, accept: &str, want: Result<&str, Kind>, told: &str) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.try_into().unwrap());
        let reply = problem(id, &headers).map_err(|problem| problem.kind);
        let media = reply.as_ref().map(|reply| reply.headers()[CONTENT_TYPE].to_str().unwrap()).map_err(|kind| *kind);
        assert_eq!(media, want, "{id} {accept}");
        let Ok(reply) = reply else { return };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let body = runtime.block_on(reply.into_body().collect()).unwrap().to_bytes();
        let body = String::from_utf8(body.into()).unwrap();
        assert!(body.contains(told), "{body} lacks {told}");
    }

    #[test]
    fn a_problem_is_explained_to_people_and_to_programs() {
        const HTML: &str = "text/html; charset=utf-8";
        let browsers = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        check("sold-out", browsers, Ok(HTML), "<h1>Not enough units are available</h1>");
        check("sold-out", "*/*", Ok("application/json"), "\"type\":\"/problems/sold-out\"");
        check("outcome-unknown", "application/json", Ok("application/json"), "with the same Idempotency-Key");
        check("no-problem", browsers, Err(Kind::UnknownProblem), "");
    }

    #[test]
    fn the_document_is_compressed_for_a_client_who_takes_gzip() {
        let sent = |accept: &'static str| {
            let headers = [(header::ACCEPT_ENCODING, HeaderValue::from_static(accept))].into_iter().collect();
            let reply = document(Surface::Whole, &headers);
            assert_eq!(reply.headers()[VARY], "accept-encoding");
            let coding = reply.headers().get(CONTENT_ENCODING).cloned();
            (coding, reply.into_body().into_inner().unwrap())
        };
        let (gzip, compressed) = sent("gzip");
        let (none, plain) = sent("identity");
        assert_eq!((gzip, none), (Some(HeaderValue::from_static("gzip")), None));
        let mut text = Vec::new();
        std::io::copy(&mut flate2::read::GzDecoder::new(&compressed[..]), &mut text).unwrap();
        assert_eq!(text, plain);
        assert!(compressed.len() * 5 < plain.len(), "{} of {} bytes", compressed.len(), plain.len());
    }

    #[test]
    fn a_page_may_do_nothing_but_be_shown() {
        let reply = page(Surface::Whole);
        let header = |name: &str| reply.headers()[name].to_str().unwrap();
        assert!(header("content-security-policy").starts_with("default-src 'none'"));
        assert_eq!((header("x-content-type-options"), header("referrer-policy")), ("nosniff", "no-referrer"));
    }
}
