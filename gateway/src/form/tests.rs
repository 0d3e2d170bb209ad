//! What a form may be, and what it says of data.

use super::limits::{DEPTH_LEVELS_MAX, PATTERNS_MAX};
use super::*;

fn check_schema(schema: &str, want: Result<(), (&str, &str)>) {
    let got = Form::new(schema).map(drop);
    let got = got.as_ref().map_err(|breach| (breach.path.as_str(), breach.detail.as_str()));
    match (got, want) {
        (Err((path, detail)), Err((want_path, want_detail))) => {
            assert!(path == want_path && detail.contains(want_detail), "{schema}\n{path}: {detail}");
        }
        (got, want) => assert_eq!(got.err(), want.err(), "{schema}"),
    }
}

const SHIRT: &str = r##"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "size": {"enum": ["s", "m"]},
        "email": {"$ref": "#/$defs/email"},
        "gift/to": {"type": "array", "items": {"$ref": "#/$defs/email"}}
    },
    "required": ["size", "email"],
    "additionalProperties": false,
    "$defs": {"email": {"type": "string", "pattern": "^[^@]+@[^@]+$", "maxLength": 20}}
}"##;

fn check_data(data: Option<&str>, want: &[(&str, &str)]) {
    let got = match Form::new(SHIRT).unwrap().check(data) {
        Ok(()) => Vec::new(),
        Err(Refused::Breaks(breaks)) => breaks,
        Err(Refused::Unknown) => panic!("the form is whole"),
    };
    assert_eq!(
        got.iter().map(|breach| breach.path.as_str()).collect::<Vec<_>>(),
        want.iter().map(|(path, _)| *path).collect::<Vec<_>>(),
        "{got:?}"
    );
    for (breach, (_, detail)) in got.iter().zip(want) {
        assert!(breach.detail.contains(detail), "{breach:?} lacks {detail}");
    }
}

#[test]
fn a_schema_is_taken_if_it_is_one() {
    check_schema(SHIRT, Ok(()));
    check_schema("{}", Ok(()));
    check_schema(r#"{"type":"text"}"#, Err(("/type", "")));
    check_schema(r#"{"properties":{"a":{"minLength":-1}}}"#, Err(("/properties/a/minLength", "minimum")));
    check_schema(r#"{"required":"a"}"#, Err(("/required", "array")));
    check_schema("true", Err(("", "must be an object")));
    check_schema("{", Err(("", "EOF")));
}

#[test]
fn a_schema_is_sufficient_to_itself() {
    const PLACE: &str = "must be a place in this form";
    for target in
        ["https://example.com/a", "other.json", "file:///etc/passwd", "#/$defs/none", "#name", "##", "#/%24defs"]
    {
        check_schema(&format!(r#"{{"properties":{{"a":{{"$ref":"{target}"}}}}}}"#), Err(("/properties/a/$ref", PLACE)));
    }
    check_schema(r#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#, Err(("/$schema", "2020-12")));
    for name in ["$id", "$anchor", "$dynamicAnchor", "$dynamicRef"] {
        check_schema(&format!(r#"{{"not":{{"{name}":"a"}}}}"#), Err((&format!("/not/{name}"), "is not taken")));
    }
}

#[test]
fn a_schema_is_finite_and_small() {
    const END: &str = "or refers to itself";
    check_schema(r##"{"$ref":"#"}"##, Err(("/$ref", END)));
    let deep = |levels: usize| format!("{}{}", r#"{"not":"#.repeat(levels) + "{}", "}".repeat(levels));
    check_schema(&deep(DEPTH_LEVELS_MAX - 1), Ok(()));
    check_schema(&deep(DEPTH_LEVELS_MAX), Err((&"/not".repeat(DEPTH_LEVELS_MAX), END)));
    check_schema(&deep(1_000), Err(("", "recursion limit")));
    // Each definition names the next one twice: written out it would have thousands of millions of parts.
    let doubles: Vec<String> = (0..30)
        .map(|at| {
            format!(r##""d{at}":{{"allOf":[{{"$ref":"#/$defs/d{}"}},{{"$ref":"#/$defs/d{}"}}]}}"##, at + 1, at + 1)
        })
        .collect();
    let bomb = format!(r#"{{"$defs":{{{},"d30":{{}}}}}}"#, doubles.join(","));
    assert!(Form::new(&bomb).is_err_and(|breach| breach.detail.contains("beyond") || breach.detail.contains(END)));
    let long = format!(r#"{{"title":"{}"}}"#, "a".repeat(FORM_BYTES_MAX));
    check_schema(&long, Err(("", "must be at most 8192 bytes")));
}

#[test]
fn patterns_take_linear_time_and_bounded_memory() {
    let pattern = |pattern: &str| format!(r#"{{"properties":{{"a":{{"pattern":"{pattern}"}}}}}}"#);
    check_schema(&pattern("^(a|aa)+$"), Ok(()));
    for bad in ["(a)\\\\1", "(?=a)b", "(", "((a{999}){999}){999}"] {
        let breach = Form::new(&pattern(bad)).unwrap_err();
        assert_eq!(breach.path, "/properties/a/pattern", "{bad}: {breach:?}");
    }
    let many = |count: usize| {
        let fields: Vec<String> = (0..count).map(|at| format!(r#""a{at}":{{"pattern":"^a{at}.$"}}"#)).collect();
        format!(r#"{{"properties":{{{}}}}}"#, fields.join(","))
    };
    check_schema(&many(PATTERNS_MAX), Ok(()));
    assert!(Form::new(&many(PATTERNS_MAX + 1)).is_err_and(|breach| breach.detail.contains("patterns")));
    // What takes a backtracking matcher longer than the universe has been there.
    let form = Form::new(&pattern("^(a|aa)+$")).unwrap();
    assert!(form.check(Some(&format!(r#"{{"a":"{}b"}}"#, "a".repeat(10_000)))).is_err());
}

#[test]
fn data_is_told_all_that_is_wrong_with_it_and_where() {
    check_data(Some(r#"{"size":"s","email":"a@b"}"#), &[]);
    check_data(None, &[("", "object")]);
    check_data(Some("7"), &[("", "object")]);
    check_data(Some(r#"{"size":"xl","email":"nobody"}"#), &[("/email", "match"), ("/size", "s")]);
    check_data(Some(r#"{"size":"s","email":"a@b","gift/to":["a@b","c"]}"#), &[("/gift~1to/1", "match")]);
    check_data(Some(r#"{"size":"s","email":"a@b","colour":"red"}"#), &[("", "colour")]);
    check_data(Some("1e999"), &[("", "out of range")]);
    check_data(Some(&format!("{}{}", "[".repeat(200), "]".repeat(200))), &[("", "recursion limit")]);
}

#[test]
fn what_is_told_is_bounded_and_repeats_no_value() {
    let form = Form::new(r#"{"items":{"type":"string"}}"#).unwrap();
    let secrets = format!("[{}]", vec!["4111111111111111"; 1_000].join(","));
    let Err(Refused::Breaks(breaks)) = form.check(Some(&secrets)) else { panic!("numbers are no strings") };
    assert_eq!(breaks.len(), ERRORS_MAX);
    assert!(breaks.iter().all(|breach| !breach.detail.contains("4111")), "{breaks:?}");
    let choices: Vec<String> = (0..500).map(|choice| format!("\"choice {choice}\"")).collect();
    let form = Form::new(&format!(r#"{{"enum":[{}]}}"#, choices.join(","))).unwrap();
    let Err(Refused::Breaks(breaks)) = form.check(None) else { panic!("null is no choice") };
    assert!(breaks[0].detail.chars().count() <= DETAIL_CHARS_MAX);
}

#[test]
fn nothing_passes_a_form_that_is_broken() {
    assert_eq!(Form::broken("{").check(Some("{}")), Err(Refused::Unknown));
}
