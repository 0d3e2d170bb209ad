//! What is refused is refused by its own name and place.

use super::*;

/// A body of a name, a number, any JSON, and a list of such names and numbers.
type Read<'a> = (Option<Cow<'a, str>>, Option<u64>, Option<&'a str>, Vec<Option<u64>>);

fn read(json: &[u8]) -> Result<Read<'_>, Problem> {
    let [name, number, any, list] = body(json, ["name", "number", "any", "list"])?;
    let list = list.optional(|list| list.list(2, ["number"], |[number]| number.optional(|number| number.int(1, 9))))?;
    Ok((
        name.optional(|name| name.name(8))?,
        number.optional(|number| number.int(1, 9))?,
        any.optional(|any| any.json(16))?,
        list.unwrap_or_default(),
    ))
}

fn check(json: &str, want: Read) {
    assert_eq!(read(json.as_bytes()), Ok(want), "{json}");
}

fn check_bad(json: &str, pointer: &str, detail: &str) {
    let error = FieldError { pointer: pointer.to_owned(), detail: detail.to_owned() };
    assert_eq!(read(json.as_bytes()), Err(error.into()), "{json}");
}

fn check_malformed(json: &[u8], detail: &str) {
    let problem = read(json).unwrap_err();
    assert_eq!(problem.kind, Kind::Malformed, "{json:?}");
    let got = problem.detail.unwrap_or_default();
    assert!(got.contains(detail), "{got} lacks {detail}");
}

#[test]
fn a_body_is_read_by_its_fields_in_any_order() {
    check("{}", (None, None, None, vec![]));
    check(" {\"number\" : 9, \"name\":\"ada\"} ", (Some("ada".into()), Some(9), None, vec![]));
    check("{\"name\":null,\"number\":null,\"any\":null,\"list\":null}", (None, None, None, vec![]));
    check(r#"{"na\u006de":"a\u0064a"}"#, (Some("ada".into()), None, None, vec![]));
    check("{\"any\":{ \"a\": [1e9] }}", (None, None, Some("{ \"a\": [1e9] }"), vec![]));
    check("{\"list\":[{\"number\":1},{}]}", (None, None, None, vec![Some(1), None]));
}

#[test]
fn a_field_that_breaks_its_rule_is_named() {
    const NUMBER: &str = "number must be a whole number, 1 to 9";
    for whole in ["1.0", "1e0", "10e-1", "0.1E+1"] {
        check(&format!("{{\"number\":{whole}}}"), (None, Some(1), None, vec![]));
    }
    for number in
        ["-1", "1.5", "-1e0", "1e99", "1e-1", "9007199254740993.0", "\"1\"", "[]", "true", "99999999999999999999"]
    {
        check_bad(&format!("{{\"number\":{number}}}"), "/number", NUMBER);
    }
    check_bad("{\"number\":0}", "/number", "number must be 1 to 9");
    check_bad("{\"number\":10}", "/number", "number must be 1 to 9");
    check_bad("{\"name\":7}", "/name", "name must be a string of 1 to 8 bytes");
    check_bad(r#"{"name":"\ud800"}"#, "/name", "name must be a string of 1 to 8 bytes");
    check_bad("{\"name\":\"\"}", "/name", "name must be 1 to 8 bytes");
    check_bad("{\"name\":\"123456789\"}", "/name", "name must be 1 to 8 bytes");
    check_bad(r#"{"name":"a\u0000"}"#, "/name", "name must not contain control characters");
    check_bad("{\"any\":\"123456789012345\"}", "/any", "any must be at most 16 bytes");
}

#[test]
fn a_field_of_a_list_is_named_with_its_place() {
    check_bad("{\"list\":[{\"number\":1},{\"number\":0}]}", "/list/1/number", "number must be 1 to 9");
    check_bad("{\"list\":[{\"size\":1}]}", "/list/0/size", "unknown field size; the fields are number");
    check_bad("{\"list\":[7]}", "/list/0", "must be an object");
    for list in ["[]", "[{},{},{}]"] {
        check_bad(&format!("{{\"list\":{list}}}"), "/list", "list must be 1 to 2");
    }
    for list in ["{}", "7"] {
        check_bad(&format!("{{\"list\":{list}}}"), "/list", "list must be a list of 1 to 2");
    }
}

#[test]
fn an_unknown_or_repeated_field_is_named() {
    let check_unknown = |name: &str, pointer: &str| {
        let detail = format!("unknown field {name}; the fields are name, number, any, list");
        check_bad(&format!("{{\"{name}\":1}}"), pointer, &detail);
    };
    check_unknown("size", "/size");
    check_unknown("a/b~c", "/a~1b~0c");
    check_unknown("", "/");
    check_bad("{\"number\":1,\"number\":1}", "/number", "number must be given once");
    check_bad("{\"number\":null,\"number\":1}", "/number", "number must be given once");
    let long = "n".repeat(UNKNOWN_NAME_CHARS_MAX + 1);
    let short = "n".repeat(UNKNOWN_NAME_CHARS_MAX);
    let detail = format!("unknown field {short}; the fields are name, number, any, list");
    check_bad(&format!("{{\"{long}\":1}}"), &format!("/{short}"), &detail);
}

#[test]
fn json_that_is_no_object_is_malformed() {
    for json in ["[]", "7", "\"{}\"", "null"] {
        check_malformed(json.as_bytes(), "expected an object");
    }
}

#[test]
fn what_is_not_json_is_malformed_whatever_its_fields() {
    check_malformed(b"", "EOF");
    check_malformed(b"{\"number\":0,", "EOF");
    check_malformed(b"{\"size\":1}x", "trailing characters");
    check_malformed(b"{'size':1}", "line 1 column 2");
    check_malformed(b"[1,", "expected an object");
    check_malformed(b"{\"number\":01}", "line 1 column");
    check_malformed(b"{\"name\":\"\xff\"}", "the body must be UTF-8");
}

#[test]
fn nesting_without_end_is_no_trouble() {
    let deep = "[".repeat(8_000);
    check_malformed(format!("{{\"any\":{deep}").as_bytes(), "EOF");
    check_bad(&format!("{{\"any\":{deep}{}}}", "]".repeat(8_000)), "/any", "any must be at most 16 bytes");
}
