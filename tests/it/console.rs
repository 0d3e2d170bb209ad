//! The operator's console, as a browser gets it from the operators' listener.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::support::http::Http;
use crate::support::world::{World, free_address};

/// An answer that is no JSON.
struct Page {
    status: u16,
    head: String,
    body: String,
}

fn get(address: SocketAddr, path: &str, headers: &str) -> Page {
    let mut stream = TcpStream::connect(address).expect("the gateway takes connections");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}connection: close\r\n\r\n").expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Page { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

impl Page {
    fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }
}

/// What the page loads, by the names it has for them.
fn loaded(page: &str) -> Vec<&str> {
    let parts = page.split(['<', '>']).filter(|tag| tag.starts_with("link ") || tag.starts_with("script "));
    parts
        .filter_map(|tag| tag.split_once("href=\"").or_else(|| tag.split_once("src=\""))?.1.split('"').next())
        .collect()
}

/// What goes over the wire when a browser opens the console for the first time.
const LOADED_BYTES_MAX: usize = 100 * 1024;

#[test]
fn a_browser_that_takes_gzip_loads_the_console_in_a_hundred_kilobytes() {
    let mut world = World::start_direct("console_gzip");
    let operators = free_address();
    world.stop_gateway();
    world.start_gateway_with(&["--operator-listen", &operators.to_string()]);
    let bytes = |path: &str, coding: &str| {
        let mut stream = TcpStream::connect(operators).expect("the gateway takes connections");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: localhost\r\naccept-encoding: {coding}\r\nconnection: close\r\n\r\n"
        )
        .expect("it is sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let is_gzip = String::from_utf8_lossy(&answer).contains("content-encoding: gzip\r\n");
        assert_eq!(is_gzip, coding.starts_with("gzip"), "{path}");
        answer.len()
    };
    let page = get(operators, "/console/", "").body;
    let paths: Vec<String> = loaded(&page).iter().map(|name| format!("/console/{name}")).collect();
    let all = |coding: &str| -> usize {
        bytes("/console/", coding) + paths.iter().map(|path| bytes(path, coding)).sum::<usize>()
    };
    let (gzip, plain) = (all("gzip, deflate, br, zstd"), all("identity"));
    assert!(gzip <= LOADED_BYTES_MAX && gzip < plain, "{gzip} bytes, and {plain} as they are");
}

#[test]
fn operators_load_the_console_without_a_key_and_its_api_still_asks_for_one() {
    let mut world = World::start_direct("console");
    let operators = free_address();
    world.stop_gateway();
    world.start_gateway_with(&["--operator-listen", &operators.to_string()]);

    let page = get(operators, "/console/", "");
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{}", page.head);
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; script-src 'self';"));
    let files = loaded(&page.body);
    assert_eq!(files.len(), 3, "an icon, a style sheet, a script: {files:?}");
    for name in files {
        let path = format!("/console/{name}");
        let file = get(operators, &path, "");
        assert_eq!((file.status, file.body.is_empty()), (200, false), "{path}: {}", file.head);
        let known = get(operators, &path, &format!("if-none-match: {}\r\n", file.header("etag")));
        assert_eq!((known.status, known.body.as_str()), (304, ""), "{path}: {}", known.head);
        assert_eq!(get(world.address, &path, "").status, 404, "buyers have no console: {path}");
    }
    let found = get(operators, "/console", "");
    assert_eq!((found.status, found.header("location")), (308, "/console/"));
    assert_eq!(get(world.address, "/console/", "").status, 404, "buyers have no console");
    let keys = Http::connect(operators).expect("it listens").get("/v1/keys").expect("an answer");
    assert_eq!((keys.status, keys.problem()), (401, "unauthenticated"));
}
