//! What a buyer may send along as `data`: one rule for every sale, with a form or without one.
//!
//! Whatever passes is the same JSON to everyone who reads it later: to Redis and RabbitMQ as text, to PostgreSQL also
//! as `jsonb`, to a webhook's receiver in a language whose numbers are doubles. That is I-JSON (RFC 7493), and a bound
//! on nesting.

mod number;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::form::Breach;
use crate::limits::DATA_DEPTH_LEVELS_MAX;

/// Checks `json`, which is JSON.
///
/// # Errors
/// Names the rule and the place: a JSON pointer (RFC 6901).
pub(crate) fn check(json: &str) -> Result<(), Breach> {
    Walk { path: String::new(), depth: 0 }.value(json)
}

struct Walk {
    path: String,
    depth: usize,
}

impl Walk {
    fn value(&mut self, json: &str) -> Result<(), Breach> {
        match json.as_bytes().first() {
            Some(b'{') => self.nested(|look| look.object(json)),
            Some(b'[') => self.nested(|look| look.array(json)),
            Some(b'"') => self.text(json),
            Some(b'-' | b'0'..=b'9') => number::check(json).map_err(|rule| self.breach(rule)),
            _ => Ok(()),
        }
    }

    fn nested(&mut self, look: impl FnOnce(&mut Self) -> Result<(), Breach>) -> Result<(), Breach> {
        if self.depth >= DATA_DEPTH_LEVELS_MAX {
            return Err(self.breach(format!("must be nested at most {DATA_DEPTH_LEVELS_MAX} levels deep")));
        }
        self.depth += 1;
        look(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn object(&mut self, json: &str) -> Result<(), Breach> {
        let Ok(ObjectFields(fields)) = serde_json::from_str(json) else {
            return Err(self.breach("must have names without unpaired surrogates"));
        };
        let mut names = HashSet::new();
        for (name, value) in fields {
            let length = self.path.len();
            self.path.push('/');
            self.path.push_str(&name.replace('~', "~0").replace('/', "~1"));
            if name.contains('\0') {
                return Err(self.breach("must have no NUL in its name"));
            }
            self.value(value.get())?;
            if !names.insert(name) {
                return Err(self.breach("must be given once"));
            }
            self.path.truncate(length);
        }
        Ok(())
    }

    fn array(&mut self, json: &str) -> Result<(), Breach> {
        // It was read as JSON already: nothing here can fail.
        let entries: Vec<&RawValue> = serde_json::from_str(json).map_err(|_| self.breach("must be JSON"))?;
        for (at, entry) in entries.into_iter().enumerate() {
            let length = self.path.len();
            self.path.push_str(&format!("/{at}"));
            self.value(entry.get())?;
            self.path.truncate(length);
        }
        Ok(())
    }

    fn text(&self, json: &str) -> Result<(), Breach> {
        if !json.contains('\\') {
            return Ok(());
        }
        match serde_json::from_str::<String>(json) {
            Ok(text) if text.contains('\0') => Err(self.breach("must be a string without NUL")),
            Ok(_) => Ok(()),
            Err(_) => Err(self.breach("must be a string without unpaired surrogates")),
        }
    }

    fn breach(&self, detail: impl Into<String>) -> Breach {
        Breach { path: self.path.clone(), detail: detail.into() }
    }
}

/// The fields of an object, also those that come twice.
struct ObjectFields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for ObjectFields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = ObjectFields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ObjectFields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    fields.push((name, map.next_value()?));
                }
                Ok(ObjectFields(fields))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, want: Result<(), (&str, &str)>) {
        let raw: &RawValue = serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"));
        let got = super::check(raw.get());
        match (&got, want) {
            (Ok(()), Ok(())) => {}
            (Err(breach), Err((path, detail))) => {
                assert!(breach.path == path && breach.detail.contains(detail), "{json}: {breach:?}");
            }
            _ => panic!("{json}: {got:?}, not {want:?}"),
        }
    }

    #[test]
    fn what_every_reader_reads_alike_passes() {
        for json in [
            "null",
            "{}",
            "[]",
            r#"{"size": 42, "a": [1.5, -7, "\n\t\"\\", true, null, {"": "\ud83d\ude00"}]}"#,
            r#""\u0001 \u007f \uffff \u200b""#,
            r#"[{"a":1},{"a":1}]"#,
        ] {
            check(json, Ok(()));
        }
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        check(&deep(DATA_DEPTH_LEVELS_MAX), Ok(()));
    }

    #[test]
    fn what_some_reader_cannot_hold_is_refused_where_it_is() {
        const NUL: &str = "NUL";
        const HALF: &str = "surrogate";
        const TWICE: &str = "must be given once";
        check(r#"{"size":"a\u0000b"}"#, Err(("/size", NUL)));
        check(r#"{"a/b":[{"~":"\u0000"}]}"#, Err(("/a~1b/0/~0", NUL)));
        check(r#""\u0000""#, Err(("", NUL)));
        check(r#"{"a":{"b\u0000":1}}"#, Err(("/a/b\0", NUL)));
        for half in [r"\ud800", r"\udc00", r"\ud800\ud800", r"\ud800x", r"\udfff\ud800"] {
            check(&format!(r#"{{"a":["{half}"]}}"#), Err(("/a/0", HALF)));
            check(&format!(r#"{{"a":{{"{half}":1}}}}"#), Err(("/a", HALF)));
        }
        check(r#"{"a":1,"a":1}"#, Err(("/a", TWICE)));
        check(r#"[{"b":{"a":1,"c":2,"\u0061":3}}]"#, Err(("/0/b/a", TWICE)));
        check(r#"{"a":[1e400]}"#, Err(("/a/0", "must be a number")));
        for (open, close, path) in [("[", "]", "/0"), ("{\"a\":", "}", "/a")] {
            for levels in [DATA_DEPTH_LEVELS_MAX + 1, 1_000] {
                let value = if open == "[" { "" } else { "7" };
                let json = format!("{}{value}{}", open.repeat(levels), close.repeat(levels));
                check(&json, Err((&path.repeat(DATA_DEPTH_LEVELS_MAX), "levels deep")));
            }
        }
    }
}
