//! What is passed as it is and what is spoiled, however it is cut into pieces.

use super::*;

/// What becomes of `text` that comes in two pieces, cut at `cut`.
fn looked_at(text: &str, cut: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut framing = Framing::new();
    let (first, second) = bytes.split_at_mut(cut);
    framing.look(first);
    framing.look(second);
    String::from_utf8(bytes).unwrap()
}

/// A request of which the line end that is to be spoiled is marked by `#`; without one, all of it passes.
fn check(marked: &str) {
    let (text, want) = (marked.replace('#', "\n"), marked.replace('#', "\0"));
    for cut in 0..=text.len() {
        assert_eq!(looked_at(&text, cut), want, "cut at {cut}");
    }
    let mut bytes = text.into_bytes();
    let mut framing = Framing::new();
    bytes.chunks_mut(1).for_each(|byte| framing.look(byte));
    assert_eq!(bytes, want.as_bytes(), "byte by byte");
}

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

#[test]
fn requests_pass_one_after_the_other() {
    check(GET);
    check(&GET.repeat(3));
    check(&format!("\r\n{GET}\r\n\r\n{GET}"));
    check(&format!("GET /{} HTTP/1.1\r\nA: {}\r\n\r\n{GET}", "a".repeat(100), "b".repeat(100)));
    check(&format!("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n{GET}"));
    check(&format!("POST / HTTP/1.1\r\ncontent-LENGTH:5 \r\n\r\n\n\n\n\n\n{GET}"));
    let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n";
    check(&format!("{chunked}3\r\n\na\n\r\nA;b=c\r\n0123\n56789\r\n0\r\n\r\n{GET}"));
    check(&format!("{chunked}0\r\na: b\r\n\r\n{GET}"));
}

#[test]
fn a_bare_line_end_is_spoiled_in_every_head() {
    check("GET / HTTP/1.1#Host: h\r\n\r\n");
    check("GET / HTTP/1.1\r\nHost: h#\r\n");
    check("GET / HTTP/1.1\r\nHost: h\r\n#");
    check("#GET / HTTP/1.1\r\n\r\n");
    check("\r\n#GET / HTTP/1.1\r\n\r\n");
    check(&format!("{GET}GET / HTTP/1.1#Host: h\r\n\r\n"));
    check("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n\n\nGET / HTTP/1.1#Host: h\r\n\r\n");
    let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    check(&format!("{chunked}1#a\r\n0\r\n\r\n"));
    check(&format!("{chunked}1\r\n\n\r\n0\r\na: b#\r\n"));
    check(&format!("{chunked}1\r\na\r\n0\r\n\r\nGET / HTTP/1.1#\r\n"));
}

#[test]
fn how_long_a_body_is_is_said_once_and_plainly() {
    for field in ["", "x", "+1", "-1", "1, 1", "1 1", "0x1", "18446744073709551616", &"0".repeat(100)] {
        check(&format!("POST / HTTP/1.1\r\nContent-Length: {field}\r#\r\n"));
    }
    check("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r#\r\na");
    for coding in ["gzip", "gzip, chunked", "chunked, chunked", "identity", "xchunked", ""] {
        check(&format!("POST / HTTP/1.1\r\nTransfer-Encoding: {coding}\r#\r\n"));
    }
    check("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r#\r\n0\r\n\r\n");
    check("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r#0\r\n\r\n");
    for size in ["", "x", "-1", "ffffffffffffffff", "10000000000000000"] {
        check(&format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{size}\r#a\r\n0\r\n\r\n"));
    }
}
