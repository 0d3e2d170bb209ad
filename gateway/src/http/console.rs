//! The operator's console: `GET /console/` and its files, which are part of this program. Their sources are in
//! `console/`.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    IF_NONE_MATCH, LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};

use super::accept_encoding::takes_gzip;
use super::access::Access;
use super::problem::{Kind, Problem};
use super::reply::{Reply, reply};
use super::route::{Answer, GET, Handler, Route, Schema, Spec};
use super::target::Manner;

pub(super) static ROUTES: [Route; 3] = [
    Route {
        method: &GET,
        path: "/console",
        name: "find-console",
        access: Access::Inside,
        handler: Handler::Now(|_, _| Ok(find())),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "The console",
            summary: "Redirect to the console",
            answers: &[Answer::empty(308, "The console is at `/console/`.").headers(&["Location"])],
            ..Spec::NONE
        },
    },
    Route {
        method: &GET,
        path: "/console/",
        name: "console",
        access: Access::Inside,
        handler: Handler::Now(|_, asked| page(&asked.head.headers)),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "The console",
            summary: "The operator's console",
            description: "A client of this API. It asks for an API key, and has the permissions of that key.",
            answers: &[
                Answer::json(200, "The page.", Schema::Named("Text")).of("text/html"),
                Answer::empty(304, "Not modified."),
            ],
            ..Spec::NONE
        },
    },
    Route {
        method: &GET,
        path: "/console/{id}",
        name: "console-file",
        access: Access::Inside,
        handler: Handler::Now(|_, asked| file(&asked.target.id, &asked.head.headers)),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "The console",
            summary: "A file of the console",
            answers: &[
                Answer::json(200, "The file.", Schema::Named("Text")).of("*/*"),
                Answer::empty(304, "Not modified."),
            ],
            problems: &[Kind::NotFound],
            ..Spec::NONE
        },
    },
];

/// The page itself.
const PAGE: &str = "index.html";
/// What a browser may do with it: run and show what this listener has, and ask this listener.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Another build of a file has another name.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// It may be kept, and is asked for by its tag each time.
const ASK_AGAIN: &str = "no-cache";

/// A file of the console.
#[derive(Debug)]
struct Asset {
    name: &'static str,
    media: &'static str,
    /// Whether the name has a hash of the bytes in it.
    is_hashed: bool,
    plain: Coded,
    gzip: Coded,
}

/// A file as it is sent.
#[derive(Debug)]
struct Coded {
    /// In quotes.
    etag: &'static str,
    bytes: &'static [u8],
}

const ASSETS: &[Asset] = &include!("../../../console/dist/assets.rs");

/// To the page, whose own links begin there.
fn find() -> Reply {
    let mut reply = reply(StatusCode::PERMANENT_REDIRECT, Bytes::new());
    reply.headers_mut().insert(LOCATION, HeaderValue::from_static("/console/"));
    reply
}

/// The page.
fn page(headers: &HeaderMap) -> Result<Reply, Problem> {
    file(PAGE, headers)
}

/// What the page is made of.
fn file(name: &str, headers: &HeaderMap) -> Result<Reply, Problem> {
    let asset = ASSETS.iter().find(|asset| asset.name == name).ok_or(Kind::NotFound)?;
    let is_gzip = takes_gzip(headers);
    let coded = if is_gzip { &asset.gzip } else { &asset.plain };
    let mut reply = match has(headers, coded.etag) {
        true => reply(StatusCode::NOT_MODIFIED, Bytes::new()),
        false => reply(StatusCode::OK, Bytes::from_static(coded.bytes)),
    };
    if is_gzip {
        reply.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let lasts = if asset.is_hashed { FOREVER } else { ASK_AGAIN };
    for (name, value) in [
        (CONTENT_TYPE, asset.media),
        (ETAG, coded.etag),
        (VARY, "accept-encoding"),
        (CACHE_CONTROL, lasts),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        reply.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(reply)
}

/// Whether the browser has it already. A proxy that compresses makes tags weak.
fn has(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|tags| tags.split(',')).any(|tag| tag.trim().trim_start_matches("W/") == etag)
}

#[cfg(test)]
mod tests {
    use hyper::header::ACCEPT_ENCODING;

    use super::*;

    fn check(name: &str, tags: &str, want: Result<(u16, &str), Kind>) {
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, tags.try_into().unwrap());
        let got = file(name, &headers).map_err(|problem| problem.kind);
        let got = got.as_ref().map(|reply| (reply.status().as_u16(), reply.headers()[CONTENT_TYPE].to_str().unwrap()));
        assert_eq!(got, want.as_ref().map(|want| *want), "{name} {tags}");
    }

    fn asset(name: &str) -> &'static Asset {
        ASSETS.iter().find(|asset| asset.name.ends_with(name)).unwrap()
    }

    #[test]
    fn a_file_is_sent_until_the_browser_has_it() {
        let script = asset(".js");
        let (plain, gzip) = (script.plain.etag, script.gzip.etag);
        let weak = format!("\"another\", W/{plain}");
        check(PAGE, "", Ok((200, "text/html; charset=utf-8")));
        check(PAGE, plain, Ok((200, "text/html; charset=utf-8")));
        check(script.name, plain, Ok((304, "text/javascript; charset=utf-8")));
        check(script.name, gzip, Ok((200, "text/javascript; charset=utf-8")));
        check(script.name, &weak, Ok((304, "text/javascript; charset=utf-8")));
        for nothing in ["", "no.js", "../index.html", "assets.rs", "INDEX.HTML"] {
            check(nothing, "", Err(Kind::NotFound));
        }
    }

    #[test]
    fn who_takes_gzip_is_sent_less_and_knows_it_by_another_tag() {
        let script = asset(".js");
        assert!(script.gzip.bytes.len() * 2 < script.plain.bytes.len());
        let ask = |coding: &str, tag: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, coding.try_into().unwrap());
            headers.insert(IF_NONE_MATCH, tag.try_into().unwrap());
            let reply = file(script.name, &headers).unwrap();
            let header = |name| reply.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(header(VARY).as_deref(), Some("accept-encoding"));
            (reply.status().as_u16(), header(CONTENT_ENCODING), header(ETAG))
        };
        let gzip = |status| (status, Some("gzip".to_owned()), Some(script.gzip.etag.to_owned()));
        let plain = |status| (status, None, Some(script.plain.etag.to_owned()));
        assert_eq!(ask("gzip, br", script.plain.etag), gzip(200));
        assert_eq!(ask("gzip, br", script.gzip.etag), gzip(304));
        assert_eq!(ask("gzip;q=0", script.gzip.etag), plain(200));
        assert_eq!(ask("gzip;q=0", script.plain.etag), plain(304));
    }

    #[test]
    fn the_page_refers_to_files_that_are_there_and_has_no_script_or_style_of_its_own() {
        let page = std::str::from_utf8(asset(PAGE).plain.bytes).unwrap();
        for attribute in ["src=\"", "<link rel=\"icon\" href=\"", "<link rel=\"stylesheet\" href=\""] {
            let name = page.split_once(attribute).and_then(|(_, rest)| rest.split('"').next()).unwrap();
            assert!(ASSETS.iter().any(|asset| asset.name == name), "{name}");
        }
        for inline in ["<style", "style=\"", "onload", "onclick", "javascript:", "http"] {
            assert!(!page.contains(inline), "{inline}");
        }
        assert_eq!(page.matches("<script").count(), 1, "the one that has a src");
    }

    #[test]
    fn what_has_its_hash_in_its_name_is_kept_and_the_page_is_asked_for_again() {
        let lasts = |name| file(name, &HeaderMap::new()).unwrap().headers()[CACHE_CONTROL].clone();
        assert_eq!((lasts(asset(".css").name), lasts(PAGE)), (FOREVER.parse().unwrap(), ASK_AGAIN.parse().unwrap()));
    }
}
