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

/// Checks data that follows the rule for all data.
fn judge(form: &Form, data: &str) -> Result<(), DataRefused> {
    form.check(&serde_json::from_str(data).unwrap())
}

fn check_data(data: &str, want: &[(&str, &str)]) {
    let got = match judge(&Form::new(SHIRT).unwrap(), data) {
        Ok(()) => Vec::new(),
        Err(DataRefused::Breaks(breaks)) => breaks,
        Err(DataRefused::Unknown) => panic!("the form is whole"),
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
    check_schema(r#"{"type":[]}"#, Err(("/type", "")));
    check_schema(r#"{"properties":{"a":{"minLength":-1}}}"#, Err(("/properties/a/minLength", "minimum")));
    check_schema(r#"{"required":"a"}"#, Err(("/required", "array")));
    check_schema("true", Err(("", "must be an object")));
    for of in [r#""array""#, r#""string""#, r#"["null","number"]"#] {
        check_schema(&format!(r#"{{"type":{of}}}"#), Err(("/type", "must allow an object")));
    }
    check_schema(r#"{"type":["null","object"]}"#, Ok(()));
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
    assert!(judge(&form, &format!(r#"{{"a":"{}b"}}"#, "a".repeat(10_000))).is_err());
}

#[test]
fn an_answer_names_all_that_is_wrong_with_data_and_where() {
    check_data(r#"{"size":"s","email":"a@b"}"#, &[]);
    check_data(r#"{"size":"xl","email":"none"}"#, &[("/email", "match"), ("/size", "s")]);
    check_data(r#"{"size":"s","email":"a@b","gift/to":["a@b","c"]}"#, &[("/gift~1to/1", "match")]);
    check_data(r#"{"size":"s","email":"a@b","colour":"red"}"#, &[("", "colour")]);
    for data in ["null", "7", "\"s\"", "[]", "[{}]"] {
        check_data(data, &[("", "must be an object")]);
    }
}

#[test]
fn violations_are_bounded_and_echo_no_value() {
    let form = Form::new(r#"{"properties":{"a":{"items":{"type":"string"}}}}"#).unwrap();
    let secrets = format!("{{\"a\":[{}]}}", vec!["4111111111111111"; 1_000].join(","));
    let Err(DataRefused::Breaks(breaks)) = judge(&form, &secrets) else { panic!("numbers are no strings") };
    assert_eq!(breaks.len(), ERRORS_MAX);
    assert!(breaks.iter().all(|breach| !breach.detail.contains("4111")), "{breaks:?}");
    let choices: Vec<String> = (0..500).map(|choice| format!("\"choice {choice}\"")).collect();
    let form = Form::new(&format!(r#"{{"enum":[{}]}}"#, choices.join(","))).unwrap();
    let Err(DataRefused::Breaks(breaks)) = judge(&form, "{}") else { panic!("an object is no choice") };
    assert!(breaks[0].detail.chars().count() <= DETAIL_CHARS_MAX);
}

#[test]
fn nothing_passes_a_form_that_is_broken() {
    assert_eq!(judge(&Form::broken("{"), "{}"), Err(DataRefused::Unknown));
}

/// What is checked with the same form and the data that it needs to be slow.
struct Attack {
    name: &'static str,
    schema: String,
    data: String,
}

fn attacks() -> Vec<Attack> {
    let attack = |name, schema: String, data: String| {
        let schema = format!(r#"{{"properties":{{"a":{schema}}}}}"#);
        Attack { name, schema, data: format!(r#"{{"a":{data}}}"#) }
    };
    let zeros = |count: usize| format!("[{}]", vec!["0"; count].join(","));
    let list = |count: usize, entry: &dyn Fn(usize) -> String| (0..count).map(entry).collect::<Vec<_>>().join(",");
    let consts = |count| list(count, &|at| format!(r#"{{"const":{}}}"#, at + 1));
    let nested =
        |levels: usize, of: &str, last: &str| (0..levels).fold(last.to_owned(), |schema, _| of.replace("{}", &schema));
    let doubles = list(8, &|at| {
        format!(
            r##""d{at}":{{"allOf":[{{"$ref":"#/properties/a/$defs/d{}"}},{{"$ref":"#/properties/a/$defs/d{}"}}]}}"##,
            at + 1,
            at + 1
        )
    });
    let patterns = list(16, &|at| format!(r#""[ab]*a[ab]{{{}}}c":{{}}"#, 100 + at));
    let letters = "ab".repeat(7_500);
    vec![
        attack("anyOf of many", format!(r#"{{"items":{{"anyOf":[{}]}}}}"#, consts(400)), zeros(8_000)),
        attack("oneOf of countries", format!(r#"{{"items":{{"oneOf":[{}]}}}}"#, consts(250)), zeros(8_000)),
        attack(
            "anyOf within anyOf",
            nested(10, r#"{"anyOf":[{},{"items":{"const":1}},{"const":2}]}"#, "{}"),
            zeros(8_000),
        ),
        attack(
            "refs",
            format!(r##"{{"items":{{"$ref":"#/properties/a/$defs/d0"}},"$defs":{{{doubles},"d8":{{"const":1}}}}}}"##),
            zeros(8_000),
        ),
        attack(
            "a pattern of many states",
            r#"{"items":{"pattern":"[ab]*a[ab]{300}c"}}"#.to_owned(),
            format!(r#"["{letters}"]"#),
        ),
        attack(
            "names of many patterns",
            format!(r#"{{"patternProperties":{{{patterns}}}}}"#),
            format!(r#"{{"{letters}":1}}"#),
        ),
        attack(
            "contains",
            nested(14, r#"{"contains":{},"minContains":8000}"#, r#"{"enum":[1,2,3,4,5]}"#),
            zeros(8_000),
        ),
        attack(
            "unevaluated",
            nested(14, r#"{"allOf":[{}],"unevaluatedProperties":false}"#, "{}"),
            r#"{"b":1}"#.to_owned(),
        ),
        attack(
            "enum of many",
            format!(r#"{{"items":{{"enum":[{}]}}}}"#, list(1_600, &|at| at.to_string())),
            zeros(8_000),
        ),
        attack(
            "equal entries",
            r#"{"items":{"uniqueItems":true},"uniqueItems":true}"#.to_owned(),
            format!("[{},{}]", zeros(3_000), zeros(3_000)),
        ),
        attack(
            "deep data",
            nested(15, r#"{"items":{}}"#, r#"{"const":1}"#),
            format!("{}{}{}", "[".repeat(30), zeros(7_000), "]".repeat(30)),
        ),
    ]
}

/// In a debug build; the work itself is bounded by steps.
const CHECK_S_MAX: u64 = 3;

#[test]
fn no_form_with_any_data_is_long_work() {
    for Attack { name, schema, data } in attacks() {
        let form = match Form::new(&schema) {
            Ok(form) => form,
            Err(breach) => {
                assert!(breach.detail.contains("beyond") || breach.detail.contains("deeper"), "{name}: {breach:?}");
                continue;
            }
        };
        let data: Value = serde_json::from_str(&data).unwrap();
        let began = std::time::Instant::now();
        let judged = form.check(&data);
        assert!(began.elapsed().as_secs() < CHECK_S_MAX, "{name}: {:?}", began.elapsed());
        if let Err(DataRefused::Breaks(breaks)) = judged {
            assert!(breaks.len() <= ERRORS_MAX, "{name}");
        }
    }
}

#[test]
fn a_product_beyond_the_limit_is_refused_by_the_limit_and_one_within_it_is_checked() {
    let countries: Vec<String> = (0..250).map(|at| format!(r#"{{"const":"c{at}","title":""}}"#)).collect();
    let form = format!(r#"{{"properties":{{"a":{{"items":{{"oneOf":[{}]}}}}}}}}"#, countries.join(","));
    let form = Form::new(&form[..]).unwrap_or_else(|breach| panic!("{breach:?}"));
    let data = |count: usize, last: &str| -> Value {
        serde_json::json!({"a": (0..count).map(|_| "c249").chain([last]).collect::<Vec<_>>()})
    };
    assert!(form.is_quick(&serde_json::json!({"a": []})) && !form.is_quick(&data(1, "c7")));
    assert_eq!(form.check(&data(100, "c7")), Ok(()));
    let told = |data: Value| match form.check(&data) {
        Err(DataRefused::Breaks(breaks)) => breaks.into_iter().map(|breach| (breach.path, breach.detail)).next(),
        other => panic!("{other:?}"),
    };
    assert!(told(data(60, "nowhere")).is_some_and(|(path, _)| path == "/a/60"));
    assert!(
        told(data(300, "nowhere")).is_some_and(|(path, detail)| path.is_empty() && detail.contains("too large to say"))
    );
    assert!(told(data(2_000, "c7")).is_some_and(|(_, detail)| detail.contains("more than 1000000 steps")));
}
